"""Our messages and those of SimpleSAMLphp, which shares no line with us; we are in this process, without a server."""

import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import requests
from attrs import evolve
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import saml2
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authority import (
    AuthorityError,
    AuthorityTools,
    DemandingAuthority,
    Departure,
    ExternalIdentity,
    Heard,
    Question,
    Returned,
    Wish,
)
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import Prompt
from konnectd.world import SystemClock, SystemEntropy
from tests.real.person import Page, Person
from tests.real.simplesaml import PASSWORD, SKIP, ServiceProvider, SimpleSaml
from tests.support.fakes import FixedClock, memory_store, run
from tests.support.saml_case import BASE, posted, saml_entry
from tests.support.saml_provider import ACS, SLO, SP, SamlKey, saml_key

LOGIN = frozenset({Prompt.LOGIN})
#: What PHP has to be told so that it checks, or encrypts.
CHECKED = "'validate.authnrequest' => true, 'validate.logout' => true, 'certData' => '{0}',"
ENCRYPTED = "'assertion.encryption' => true, 'certData' => '{0}',"
#: That it does not sign the answer around the assertion.
PART = "'saml20.sign.response' => false, 'saml20.sign.assertion' => true,"


async def ask(question: Question) -> Heard:
    """Ask by HTTP."""
    answer = requests.get(question.url, timeout=20)  # noqa: ASYNC210 - nobody else is waiting
    return Heard(status=answer.status_code, content=answer.content)


def pem(key: SamlKey) -> tuple[bytes, bytes]:
    """Return a key and its certificate as they stand in files."""
    private = key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.certificate.public_bytes(Encoding.PEM)


class MessagesTests(SynchronousTestCase):
    """There and back."""

    skip = SKIP

    def setUp(self) -> None:
        """Start the identity provider, and know each other."""
        now = int(time.time())
        self.theirs, self.ours = saml_key(around=now), saml_key("PS256", 14, around=now)
        self.provider = SimpleSaml(self.theirs)
        self.addCleanup(self.provider.stop)
        self.settings = Saml2Settings(metadata_endpoint=self.provider.metadata_endpoint)
        self.know()
        self.make()
        self.person = Person(BASE)

    def know(self, further: str = "") -> None:
        """Tell it who we are."""
        told = ServiceProvider(
            entity_id=SP, consumer=ACS, logout=SLO, further=further.replace("{0}", self.ours.written)
        )
        self.provider.know(told)

    def make(self, **changes: bytes) -> None:
        """Make our side of it."""
        clock = SystemClock()
        tools = AuthorityTools(
            base=BASE,
            clock=clock,
            entropy=SystemEntropy(),
            store=memory_store(FixedClock(clock.now())),
            ask=ask,
            warn=lambda _: None,
        )
        made = saml2.build(saml_entry(evolve(self.settings, **changes)), tools)
        if not isinstance(made, DemandingAuthority):
            raise TypeError(made)
        self.authority: DemandingAuthority = made

    def make_signing(self) -> None:
        """Make our side of it with a key for requests."""
        private, certificate = pem(self.ours)
        self.make(signing_key=private, signing_certificate=certificate)

    def make_decrypting(self) -> None:
        """Make our side of it with a key for assertions."""
        private, certificate = pem(self.ours)
        self.make(encryption_key=private, encryption_certificate=certificate)

    def go(self, wish: Wish | None = None) -> tuple[Departure, Page]:
        """Go there, and return what is to be seen."""
        departure = run(self.authority.depart(wish or Wish(), "st4te"))
        if departure.fields:
            self.person.here = Page(url=self.provider.base, body=_form(departure))
            return departure, self.person.submit()
        return departure, self.person.open(departure.location)

    def sign_in(self, wish: Wish | None = None, name: str = "alice") -> ExternalIdentity:
        """Go there, sign in unless that was done before, and come back."""
        departure, page = self.go(wish)
        if "password" in page.fields:
            page = self.person.submit(username=name, password=PASSWORD)
        if "SAMLResponse" not in page.fields:
            self.fail(f"no answer: {self.provider.log()}")
        return run(self.authority.arrive(posted(page.fields["SAMLResponse"]), departure.remembered))

    def back(self, page: Page) -> Returned:
        """Return what the browser brings to us that was sent to our address."""
        self.assertEqual(page.url.partition("?")[0], SLO)
        query = urlsplit(page.url).query
        return Returned(doorway="_/saml2/slo", parameters=Parameters(dict(parse_qsl(query))), query=query)

    def leave(self, held: Mapping[str, object]) -> tuple[Departure, Page]:
        """Be sent there to sign out."""
        departure = run(self.authority.leave(held, "far3well"))
        if departure is None:
            self.fail("nobody is sent anywhere")
        return departure, self.person.open(departure.location)

    def test_sign_in(self) -> None:
        """Somebody signs in there and is known here."""
        found = self.sign_in()

        self.assertEqual((found.name, found.amr), ("alice", ("pwd",)))
        self.assertLess(abs((found.auth_time or 0) - time.time()), 60)

    def test_signed_in_already(self) -> None:
        """Whoever is signed in there is not asked again, unless they have to prove it."""
        self.sign_in()
        _, quiet = self.go()
        _, asked = self.go(Wish(prompt=LOGIN))

        self.assertEqual(("password" in quiet.fields, "password" in asked.fields), (False, True))
        self.assertEqual(self.sign_in(Wish(prompt=LOGIN), "bob").name, "bob")

    def test_signed_requests(self) -> None:
        """It checks our signature where it is told to."""
        self.know(CHECKED)
        self.make_signing()

        self.assertEqual(self.sign_in().name, "alice")

    def test_unsigned_requests(self) -> None:
        """Then it lets nobody in without one."""
        self.know(CHECKED)
        _, page = self.go()

        self.assertNotIn("password", page.fields)

    def test_encrypted(self) -> None:
        """It encrypts what it says, and we read it."""
        self.know(ENCRYPTED)
        self.make_decrypting()

        self.assertEqual(self.sign_in().name, "alice")

    def test_encrypted_and_signed_inside(self) -> None:
        """By a cipher that notices no change, and without a signature around it, it is not opened."""
        self.know(ENCRYPTED + PART)
        self.make_decrypting()

        self.assertIn("CBC", str(self.assertRaises(AuthorityError, self.sign_in)))

    def test_signed_part(self) -> None:
        """The assertion alone may be signed."""
        self.know(PART)

        self.assertEqual(self.sign_in().name, "alice")

    def test_posted_request(self) -> None:
        """It may want requests to be posted."""
        self.provider.offer("'SingleSignOnServiceBinding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',")
        self.know(CHECKED)
        self.make_signing()

        self.assertEqual(self.sign_in().name, "alice")

    def test_leave(self) -> None:
        """Whoever signs out here signs out there."""
        self.know(CHECKED)
        self.make_signing()
        departure, page = self.leave(self.sign_in().held)
        run(self.authority.left(self.back(page), departure.remembered))

        self.assertIn("password", self.go()[1].fields)

    def test_leaving_it(self) -> None:
        """Whoever signs out there is sent here, and back again."""
        self.know(CHECKED)
        self.make_signing()
        reference = self.sign_in().reference
        demand = run(self.authority.demanded(self.back(self.person.open(self.provider.initiated_logout))))
        answer = run(self.authority.answer(demand, done=True))
        if answer is None:
            self.fail("nothing is answered")
        page = self.person.open(answer.location)

        self.assertEqual((demand.reference, demand.certain), (reference, True))
        self.assertEqual((page.url.partition("/module.php/")[2], page.status), ("core/frontpage_welcome.php", 200))


def _form(departure: Departure) -> bytes:
    """Write the page that posts a request."""
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in departure.fields)
    return f'<form method="post" action="{departure.location}">{fields}</form>'.encode()
