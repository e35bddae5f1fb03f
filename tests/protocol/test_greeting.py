"""What a front end is told: members, their order, and what it sees of a request that came by reference."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.greeting import Greeting, Waiting, shown_beside
from konnectd.protocol.identifier_api import Hello
from konnectd.protocol.local_text import LocalText
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.scope import Scope, ScopeCatalog, ScopeDefinition
from tests.support.people import ALICE, logon_of
from tests.support.requests import NOTES, address_of, form

LOGON = logon_of(ALICE, 1000)


class GreetingTests(SynchronousTestCase):
    """The answer to a question."""

    def test_words_of_the_operator(self) -> None:
        """A scope the operator has described is described, and one nobody has stands for itself."""
        catalog = ScopeCatalog.build(
            {"cal.read": "cal"}, {"cal": ScopeDefinition(description=LocalText("Calendar"), priority=99)}
        )
        asks = Waiting.of(Hello(flow="oidc", scope=Scope(("odd", "openid", "cal.read"))), address_of())
        told = Greeting(state="", flow="oidc", logon=LOGON, continue_uri="x", asks=asks, scope=asks.scope)
        written = told.to_json(catalog)

        self.assertEqual(list(written["scopes"]), ["cal.read", "openid", "odd"])  # type: ignore[call-overload]
        self.assertEqual(
            written["meta"],
            {
                "scopes": {
                    "mapping": {"openid": "basic", "cal.read": "cal"},
                    "definitions": {
                        "cal": {"priority": 99, "description": "Calendar"},
                        "basic": {"priority": 20, "id": "scope_alias_basic"},
                    },
                }
            },
        )

    def test_without_a_name(self) -> None:
        """Who has no name to show has no member for it."""
        told = Greeting(state="s", flow="", logon=evolve(LOGON, name=""))

        expected = {"state": "s", "flow": "", "success": True, "username": "alice"}
        self.assertEqual(told.to_json(ScopeCatalog()), expected)

    def test_pairwise(self) -> None:
        """A client that may not know the raw subject is not said to ask for it."""
        asked = Hello(flow="oidc", scope=Scope(("openid", "konnect/raw_sub")))
        client = evolve(NOTES, pairwise=Pairwise(sector="notes.example.org", salt=b"x" * 32))
        supported = frozenset(asked.scope)

        self.assertEqual(Waiting.of(asked, address_of()).wanted(supported), asked.scope)
        self.assertEqual(str(Waiting.of(asked, evolve(address_of(), client=client)).wanted(supported)), "openid")

    def test_max_age_of_the_client(self) -> None:
        """What a client is registered with counts where it says nothing."""
        address = evolve(address_of(), client=evolve(NOTES, default_max_age=60))

        self.assertEqual([Waiting.of(Hello(max_age=age), address).max_age for age in (None, 0, 90)], [60, 0, 90])


class BesideTests(SynchronousTestCase):
    """Requests that came by reference."""

    def test_shown(self) -> None:
        """What a front end looks at is there, once, and what was there stays."""
        uri = "https://a.example/"
        meant = form(client_id="notes", redirect_uri=uri, state="s", code_challenge="c", prompt="login")
        shown = shown_beside(form(client_id="notes", request_uri="urn:x", state="t"), meant)

        expected = {"redirect_uri": uri, "prompt": "login", "client_id": "notes", "request_uri": "urn:x", "state": "t"}
        self.assertEqual(dict(shown.items()), expected)
