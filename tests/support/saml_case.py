"""Going to a SAML identity provider and coming back, in memory."""

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl, urlsplit

from attrs import evolve
from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import saml2
from konnectd.authorities._saml2_redirect import inflate
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authorities._saml2_xml import from_base64
from konnectd.authority import (
    AuthorityError,
    AuthorityTools,
    DemandingAuthority,
    Departure,
    ExternalIdentity,
    Heard,
    Question,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.authority_entry import AuthorityEntry, IdentityRules
from konnectd.interfaces import FetchError
from konnectd.protocol.parameters import Parameters
from tests.support.fakes import CountingEntropy, FixedClock, memory_store, run
from tests.support.saml_provider import SP, SamlKey, Says, answer, metadata_of, query_of

BASE = SP.removesuffix("/saml2/metadata")
METADATA = "https://idp.example.net/metadata.xml"
DENIED = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>'


class SamlWorld:
    """An identity provider that is asked for its metadata.

    Attributes:
        document: what it answers; None for no answer at all.
        status: with which status.
        fresh_for: for how long, in seconds; None when it does not say.
        asked: how often it was asked.
        warned: what the operator was told.
    """

    def __init__(self) -> None:
        """Begin well."""
        self.document: str | None = metadata_of()
        self.status = 200
        self.fresh_for: int | None = None
        self.asked = 0
        self.warned: list[str] = []
        self.clock = FixedClock()

    async def __call__(self, question: Question) -> Heard:
        """Answer a question."""
        self.asked += 1
        if self.document is None or question.url != METADATA:
            raise FetchError("nobody answers")
        return Heard(status=self.status, content=self.document.encode(), fresh_for=self.fresh_for)

    def tools(self) -> AuthorityTools:
        """Return what an authority is built of."""
        return AuthorityTools(
            base=BASE,
            clock=self.clock,
            entropy=CountingEntropy(),
            store=memory_store(self.clock),
            ask=self,
            warn=self.warned.append,
        )


def saml_entry(settings: Saml2Settings | None = None, *, trusted: bool = True, claim: str = "") -> AuthorityEntry:
    """Return an entry for the identity provider."""
    return AuthorityEntry(
        authority_id="corp",
        name="Corporate SAML",
        kind="saml2",
        trusted=trusted,
        identity=IdentityRules(claim=claim),
        end_session_enabled=True,
        settings=settings or Saml2Settings(metadata_endpoint=METADATA),
    )


def request_of(departure: Departure) -> etree._Element:
    """Return the message that a departure carries in its address."""
    query = parse_qs(urlsplit(departure.location).query)
    name = "SAMLRequest" if "SAMLRequest" in query else "SAMLResponse"
    return etree.fromstring(inflate(from_base64(query[name][0])))


def posted(document: bytes | str) -> Returned:
    """Return what a browser brings that posts an answer."""
    written = document if isinstance(document, str) else b64encode(document).decode("ascii")
    return Returned(doorway="saml2/acs", method="POST", parameters=Parameters({"SAMLResponse": written}))


def brought(name: str, document: bytes, key: SamlKey | None = None, relay_state: str = "") -> Returned:
    """Return what a browser brings that comes about the end of a session."""
    query = query_of(name, document, key, relay_state=relay_state)
    return Returned(doorway="_/saml2/slo", parameters=Parameters(dict(parse_qsl(query))), query=query)


def says_to(departure: Departure, moment: int, **changes: object) -> Says:
    """Return what an identity provider says to a request at a time."""
    request_id = str(request_of(departure).get("ID"))
    usual: Mapping[str, object] = {
        "now": moment,
        "in_response_to": request_id,
        "confirmed_in_response_to": request_id,
        "confirmed_until": moment + 300,
        "not_before": moment - 30,
        "not_on_or_after": moment + 300,
    }
    return evolve(Says(), **{**usual, **changes})  # type: ignore[arg-type] # of any field


class SamlCase(SynchronousTestCase):
    """Goes to an identity provider and comes back."""

    settings: Saml2Settings = Saml2Settings(metadata_endpoint=METADATA)

    def setUp(self) -> None:
        """Start the identity provider."""
        self.world = SamlWorld()
        self.make(saml_entry(self.settings))

    def make(self, entry: AuthorityEntry) -> None:
        """Make an authority that knows its identity provider if it can."""
        made = saml2.build(entry, self.world.tools())
        if not isinstance(made, DemandingAuthority):
            raise TypeError(made)
        self.authority: DemandingAuthority = made

    def depart(self, wish: Wish | None = None) -> Departure:
        """Go there."""
        return run(self.authority.depart(wish or Wish(), "st4te"))

    def says(self, departure: Departure, **changes: object) -> Says:
        """Return what an identity provider says to a request."""
        return says_to(departure, self.world.clock.now(), **changes)

    def arrive(self, departure: Departure, document: bytes | str) -> ExternalIdentity:
        """Come back with an answer."""
        return run(self.authority.arrive(posted(document), departure.remembered))

    def signed_in(self, wish: Wish | None = None, **changes: object) -> ExternalIdentity:
        """Go there and come back with an answer that says something."""
        departure = self.depart(wish)
        return self.arrive(departure, answer(self.says(departure, **changes)))

    def refused(self, wish: Wish | None = None, **changes: object) -> tuple[Rebuff, str]:
        """Return why an answer that says something signs nobody in."""
        error = self.assertRaises(AuthorityError, self.signed_in, wish, **changes)
        return error.rebuff, str(error)
