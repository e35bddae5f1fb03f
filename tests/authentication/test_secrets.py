"""Secrets as they are, and no proof at all."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd import loader
from konnectd.authentication import client_secret_basic, client_secret_post, none
from konnectd.interfaces import AuthenticationTools
from konnectd.jose.client_keys import RegisteredKeys
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.vocabulary import AuthMethod
from tests.protocol.test_client_authentication import basic
from tests.support.fakes import FixedClock, memory_store, run
from tests.support.requests import ISSUER, NOTES, PAGE, form
from tests.support.web_of_clients import WebOfClients

CLOCK = FixedClock()
TOOLS = AuthenticationTools(
    audiences=frozenset({ISSUER}), keys=RegisteredKeys(WebOfClients(), CLOCK), store=memory_store(CLOCK), clock=CLOCK
)


class FilesTests(SynchronousTestCase):
    """The folder."""

    def test_one_file_each(self) -> None:
        """Every method that a registration may name is a file of that name, and there is no other."""
        names = loader.names("konnectd.authentication")
        built = [loader.load("konnectd.authentication", name).build(TOOLS).method for name in names]

        self.assertEqual(sorted(names), sorted(AuthMethod))
        self.assertEqual([str(method) for method in built], list(names))


class SecretTests(SynchronousTestCase):
    """A secret in the header or in the body."""

    def test_found_where_it_is(self) -> None:
        """Each looks at its own place only."""
        header, body = basic("notes", "notes-secret"), form(client_id="notes", client_secret="notes-secret")
        in_header, in_body = client_secret_basic.build(TOOLS), client_secret_post.build(TOOLS)
        found = [
            method.find(*request) is not None
            for method in (in_header, in_body)
            for request in ((header, form()), ("", body))
        ]

        self.assertEqual(found, [True, False, False, True])

    def test_checked(self) -> None:
        """The right one is good, another one is not."""
        for module in (client_secret_basic, client_secret_post):
            method = module.build(TOOLS)
            good = Credentials(client_id="notes", secret="notes-secret", method=method.method)
            wrong = Credentials(client_id="notes", secret="wrong", method=method.method)

            run(method.check(NOTES, good))
            self.assertRaises(InvalidClientError, lambda method=method, wrong=wrong: run(method.check(NOTES, wrong)))


class NoProofTests(SynchronousTestCase):
    """A client that has nothing to show."""

    def test_never_found(self) -> None:
        """It is what is left, not something that is found beside another proof."""
        method = none.build(TOOLS)

        self.assertIsNone(method.find(basic("page", ""), form(client_id="page")))
        run(method.check(PAGE, Credentials(client_id="page", method=AuthMethod.NONE)))
