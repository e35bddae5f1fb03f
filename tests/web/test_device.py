"""Sign-in of devices over HTTP, as the device and the person meet it."""

from urllib.parse import parse_qs, urlencode, urlsplit

from konnectd.protocol.device import GRANT_TYPE, MOST_TRIES
from konnectd.web.views import ErrorKind
from tests.support.application import error_of, json_of
from tests.support.assembly import SIGNED, Daemon
from tests.support.connection import Heard
from tests.support.devices import BOX, TV
from tests.support.fakes import claims_of
from tests.support.page_case import INNER, PageCase
from tests.support.requests import CLIENTS, ISSUER
from tests.support.visitor import Visit, Visitor

BEGIN = "/konnect/v1/device_authorization"
TOKEN = "/konnect/v1/token"
SHORT = "/signin/v1/device"
DEVICE = f"{INNER}device"
PASSWORD = "wonderland"


class DeviceCase(PageCase):
    """A television, and Alice with her browser."""

    def setUp(self) -> None:
        """Let the television begin."""
        super().setUp()
        self.daemon = Daemon(clients=(*CLIENTS, SIGNED, TV, BOX))
        self.visitor = Visitor(self.daemon)
        self.told = json_of(self.begin())
        self.user_code = str(self.told["user_code"])

    def begin(self, client_id: str = "tv", **more: str) -> Heard:
        """Let a device begin."""
        sent = {"client_id": client_id, "scope": "openid profile groups", **more}
        return self.daemon.post(BEGIN, urlencode(sent))

    def poll(self) -> Heard:
        """Ask for tokens."""
        sent = {"client_id": "tv", "grant_type": GRANT_TYPE, "device_code": str(self.told["device_code"])}
        return self.daemon.post(TOKEN, urlencode(sent))

    def sign_in(self, url: str = DEVICE) -> Visit:
        """Open the page, and sign in first."""
        return self.visitor.submit(self.visitor.open(url), username="alice", password=PASSWORD)

    def enter(self, page: Visit, code: str | None = None) -> Visit:
        """Type the code."""
        return self.visitor.submit(page, user_code=self.user_code if code is None else code)


class WholeTests(DeviceCase):
    """The whole way. Spec: RFC 8628 1 to 3."""

    def test_allowed(self) -> None:
        """The person types the code, sees what asks for what, allows it, and the device gets its tokens."""
        waiting = error_of(self.poll())
        self.assertEqual(self.told["verification_uri"], f"{ISSUER}{SHORT}")
        page = self.enter(self.sign_in(SHORT), self.user_code.lower().replace("-", " "))
        done = self.visitor.submit(page, allow="1")
        tokens = json_of(self.poll())

        self.assertEqual(waiting, (400, "authorization_pending"))
        self.assertEqual(page.title, "Sign in to Living room TV on a device?")
        for words in (self.user_code, "Alice Liddell", "See which groups you are in", "in front of you"):
            self.assertIn(words, page.text)
        self.assertEqual((done.title, done.path), ("Your device is signed in", DEVICE))
        self.assertEqual((tokens["scope"], tokens["token_type"]), ("openid profile groups", "Bearer"))
        self.assertEqual(claims_of(str(tokens["id_token"]))["amr"], ["pwd"])
        self.assertEqual(error_of(self.poll()), (400, "invalid_grant"))

    def test_denied(self) -> None:
        """The device hears it, and nobody can change it afterwards."""
        page = self.enter(self.sign_in())
        done = self.visitor.submit(page, deny="1")
        later = self.visitor.submit(page, allow="1")

        self.assertEqual(done.title, "Your device is not signed in")
        self.assertIn("This code is not right", later.text)
        self.assertEqual(error_of(self.poll()), (400, "access_denied"))

    def test_neither_button(self) -> None:
        """Who sends the form without a button has not allowed anything."""
        self.visitor.submit(self.enter(self.sign_in()))

        self.assertEqual(error_of(self.poll()), (400, "access_denied"))

    def test_with_the_code_in_the_address(self) -> None:
        """The field is filled, through sign-in as well, but nothing is looked up or allowed. Spec: RFC 8628 3.3.1."""
        page = self.sign_in(str(self.told["verification_uri_complete"]))

        self.assertEqual((page.title, page.fields["user_code"]), ("Sign in a device", self.user_code))
        self.assertEqual(error_of(self.poll()), (400, "authorization_pending"))
        self.assertIn("Living room TV", self.enter(page).text)

    def test_already_signed_in(self) -> None:
        """Who is signed in is not asked again; a sign-in page that is left open leads back here as well."""
        self.mail.sign_in(self.visitor)
        self.sign_in()
        page = self.visitor.open(f"{INNER}signin?flow=device&user_code={self.user_code}")

        self.assertEqual((page.path, page.fields["user_code"]), (DEVICE, self.user_code))

    def test_metadata(self) -> None:
        """Clients find the endpoint. Spec: RFC 8628 4."""
        document = json_of(self.daemon.get("/.well-known/openid-configuration"))

        self.assertEqual(document["device_authorization_endpoint"], f"{ISSUER}{BEGIN}")
        self.assertIn(GRANT_TYPE, document["grant_types_supported"])


class HostileTests(DeviceCase):
    """What others try."""

    def test_where_sign_in_leads(self) -> None:
        """No address that is given leads anywhere but to our own page."""
        for query in (
            {"flow": "device", "user_code": "https://evil.example/"},
            {"flow": "device", "user_code": "//evil.example", "redirect_uri": "https://evil.example/"},
            {"flow": "https://evil.example/"},
            {"flow": "device", "continue": "https://evil.example/", "ticket": "x", "done": "allow"},
        ):
            visitor = Visitor(self.daemon)
            page = visitor.open(f"{INNER}signin?{urlencode(query)}")
            visit = visitor.submit(page, username="alice", password=PASSWORD)
            with self.subTest(query=query):
                self.assertIn(visit.url, {f"{ISSUER}{DEVICE}", f"{ISSUER}{INNER}welcome"})
                self.assertEqual(visit.fields.get("user_code", ""), "")

    def test_short_address(self) -> None:
        """It carries a code along and nothing else."""
        answer = self.daemon.get(f"{SHORT}?user_code=bcdfghjk&ticket=t&done=allow&next=//evil.example")

        self.assertEqual((answer.status, answer.header("Location")), (302, f"{DEVICE}?user_code=BCDF-GHJK"))

    def test_another_persons_ticket(self) -> None:
        """An address somebody was given after another one typed the code is good for nothing."""
        page = self.enter(self.sign_in())
        other = Visitor(self.daemon)
        other.submit(other.open(DEVICE), username="bob", password="builder")
        visit = other.open(page.url)

        self.assertEqual(visit.title, "Sign in a device")
        self.assertNotIn("Living room TV", visit.text)

    def test_from_elsewhere(self) -> None:
        """Another site can neither type a code nor allow anything."""
        page = self.enter(self.sign_in())
        fields = {**page.fields, "allow": "1"}
        for url, sent in ((page.url, fields), (DEVICE, {**fields, "user_code": self.user_code})):
            visit = self.visitor.post(url, sent, "Origin: https://evil.example", cross_site=False)
            with self.subTest(url=url):
                self.assertRefused(visit, ErrorKind.CROSS_SITE)
        self.assertEqual(error_of(self.poll()), (400, "authorization_pending"))

    def test_after_signing_out(self) -> None:
        """A page that was left open does nothing for who is not signed in any more."""
        page = self.enter(self.sign_in())
        self.visitor.submit(self.visitor.open(f"{INNER}welcome"), signout="1")
        visit = self.visitor.submit(page, allow="1")

        self.assertEqual(visit.title, "Sign in")
        self.assertEqual(error_of(self.poll()), (400, "authorization_pending"))

    def test_guessing(self) -> None:
        """Wrong codes are told apart from too many, and then the right one has to wait (row 22)."""
        page = self.sign_in()
        texts = [self.enter(page, "ZZZZ-ZZZZ").text for _ in range(MOST_TRIES)]
        last = self.enter(page)

        self.assertTrue(all("This code is not right" in text for text in texts))
        self.assertIn("too many attempts", last.text)
        self.assertEqual(last.fields["user_code"], self.user_code)

    def test_strange_text(self) -> None:
        """Whatever is typed comes back as text, and not at any length."""
        page = self.enter(self.sign_in(), "<b>" * 200)
        kept = parse_qs(urlsplit(page.url).query)["user_code"]

        self.assertEqual(kept, [("<b>" * 200)[:32]])
        self.assertIn("This code is not right", page.text)

    def test_who_may_begin(self) -> None:
        """Clients that are registered for it, with their proof."""
        self.assertEqual(error_of(self.begin("page")), (400, "unauthorized_client"))
        self.assertEqual(error_of(self.begin("box")), (401, "invalid_client"))
        self.assertEqual(error_of(self.begin(code_challenge="x")), (400, "invalid_request"))
        self.assertEqual(error_of(self.begin(scope="")), (400, "invalid_scope"))
