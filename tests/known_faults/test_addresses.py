"""Rows 1, 2, 3, 5 and 13: where browsers are sent, and nowhere else."""

from urllib.parse import quote, urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.option import ConfigErrors
from konnectd.protocol.client import Client
from tests.support.application import Application, error_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.files import write
from tests.support.redirects import answer_of
from tests.support.registering import ON, SelfRegistered, register
from tests.support.request_objects import OBJECT_CLIENTS, SIGNING, contents, signed
from tests.support.requests import BYE, CALLBACK, MAIL, NOTES, PROGRAM
from tests.support.visitor import Visitor

EVIL = "https://evil.example/cb"


class AddressCase(SynchronousTestCase):
    """A daemon, and an application that browsers come from."""

    def setUp(self) -> None:
        """Assemble."""
        self.use(NOTES)

    def use(self, client: Client, *words: str) -> None:
        """Begin anew with a client."""
        self.daemon = Daemon(*words, clients=(client, *OBJECT_CLIENTS))
        self.app = Application(self.daemon, client)

    def is_page(self, answer: Heard) -> bool:
        """Tell whether a browser stays with us, at a page that says what is wrong."""
        return (answer.status, answer.header("Location"), answer.header("Refresh")) == (400, "", "")

    def taken(self, *uris: str, **changes: str | None) -> list[str]:
        """Return those of some addresses that a browser is sent on for."""
        asked = {uri: self.daemon.get(self.app.url(redirect_uri=uri, **changes)) for uri in uris}
        return [uri for uri, answer in asked.items() if not self.is_page(answer)]

    def registers(self, uri: str, **members: str) -> bool:
        """Tell whether an address can be registered, in a file or by a client itself."""
        lines = "".join(f"    {name}: {value}\n" for name, value in members.items())
        path = write(self, "c.yaml", f"clients:\n  - id: a\n    secret: b\n{lines}    redirect_uris: ['{uri}']\n")
        try:
            load_clients(path, loopback_issuer=False, warn=lambda _: None)
        except ConfigErrors:
            pass
        else:
            return True
        return register(Daemon(ON), {"redirect_uris": [uri], **members}).status == 201


class Row1Tests(AddressCase):
    """Two readers who split an address differently."""

    def test_row_1_host(self) -> None:
        """It is not enough that the host is a registered one."""
        self.assertEqual(self.taken("https://notes.example.org/evil", "https://notes.example.org:8443/cb"), [])

    def test_row_1_case(self) -> None:
        """Another case is another address."""
        self.assertEqual(self.taken("https://notes.example.org/CB", "HTTPS://notes.example.org/cb"), [])

    def test_row_1_escapes(self) -> None:
        """Nothing is decoded before it is compared."""
        self.assertEqual(self.taken("https://notes.example.org/%63b", "https://notes.example.org/cb%00"), [])

    def assert_worthless(self, *uris: str) -> None:
        """Check that addresses lead nowhere although somebody registered them, and that nobody can register them."""
        self.use(evolve(NOTES, redirect_uris=uris))

        self.assertEqual(self.taken(*uris), [])
        self.assertEqual([uri for uri in uris if self.registers(uri)], [])

    def test_row_1_user_information(self) -> None:
        """An address with a user name is none, though it is registered."""
        self.assert_worthless("https://user@notes.example.org/cb", "https://@notes.example.org/cb")

    def test_row_1_fragment(self) -> None:
        """An address with a fragment is none."""
        self.assert_worthless("https://notes.example.org/cb#here", "https://notes.example.org/cb#")

    def test_row_1_characters(self) -> None:
        """An address with characters that readers take away or turn around is none."""
        self.assert_worthless("https://notes.example.org/c b", r"https://notes.example.org\cb", CALLBACK + "%zz")

    def test_row_1_length(self) -> None:
        """An address that some readers would cut is none."""
        self.assert_worthless("https://notes.example.org/" + "a" * 2000)

    def test_row_1_port(self) -> None:
        """An address with a port that there can not be is none."""
        self.assert_worthless("https://notes.example.org:65536/cb", "https://notes.example.org:x/cb")

    def test_row_1_no_host(self) -> None:
        """An address of the web without a host is none."""
        self.assert_worthless("https:///notes.example.org/cb", "https:notes.example.org/cb")

    def test_row_1_no_scheme(self) -> None:
        """What is read as an address only beside another one is none."""
        self.assert_worthless("//notes.example.org/cb", "/cb")

    def test_row_1_repeated(self) -> None:
        """Nobody has to agree with us which of two addresses counts."""
        for uris in ((EVIL, CALLBACK), (CALLBACK, EVIL)):
            first, second = (urlencode({"redirect_uri": uri}) for uri in uris)
            answer = self.daemon.get(f"{self.app.url(redirect_uri=None)}&{first}&{second}")

            self.assertTrue(self.is_page(answer), uris)


class Row2Tests(AddressCase):
    """Patterns, prefixes and wildcards."""

    def test_row_2_prefix(self) -> None:
        """What only begins like a registered address is another one."""
        self.assertEqual(self.taken(f"{CALLBACK}/more", f"{CALLBACK}?more=1", f"{CALLBACK}.evil.example"), [])

    def test_row_2_no_pattern(self) -> None:
        """A star that got into a registration all the same stands for itself."""
        self.use(evolve(NOTES, redirect_uris=("https://notes.example.org/*", "https://*.example.org/cb")))

        self.assertEqual(self.taken("https://notes.example.org/cb", "https://evil.example.org/cb"), [])

    def test_row_2_in_a_file(self) -> None:
        """A file with a star in an address does not load, be it an address for after signing out."""
        entry = (
            "clients:\n  - id: a\n    secret: b\n    redirect_uris: ['{0}']\n    post_logout_redirect_uris: ['{1}']\n"
        )
        for uris in ((f"{CALLBACK}/*", BYE), (CALLBACK, f"{BYE}/*")):
            path = write(self, "c.yaml", entry.format(*uris))

            self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_2_by_registering(self) -> None:
        """A client that registers itself can have no star in an address either."""
        daemon = Daemon(ON)
        for said in (
            {"redirect_uris": [f"{CALLBACK}/*"]},
            {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [f"{BYE}/*"]},
        ):
            self.assertEqual(register(daemon, said).status, 400, said)

    def test_row_2_after_signing_out(self) -> None:
        """The way out has no pattern and no prefix either."""
        for uri in (f"{BYE}/more", f"{BYE}.evil.example", EVIL):
            query = urlencode({"client_id": NOTES.client_id, "post_logout_redirect_uri": uri})
            answer = self.daemon.get(f"{self.daemon.settings.paths.endsession}?{query}")

            self.assertTrue(self.is_page(answer), uri)


class Row3Tests(AddressCase):
    """Redirects before the address is proven."""

    def test_row_3_unknown_client(self) -> None:
        """Where no client is known, no address is: with a good one too there is a page."""
        for client_id in ("stranger", None):
            self.assertEqual(self.taken(CALLBACK, EVIL, client_id=client_id, scope="none-such"), [])

    def test_row_3_no_address(self) -> None:
        """Nobody guesses where a browser should go that brings no address."""
        self.assertTrue(self.is_page(self.daemon.get(self.app.url(redirect_uri=None, scope="none-such"))))

    def test_row_3_beside_an_object(self) -> None:
        """That a request object can not be read is not told at an address that only stands beside it."""
        self.assertEqual(self.taken(EVIL, request="a.b.c"), [])

    def test_row_3_inside_an_object(self) -> None:
        """An address that a client signed has to be registered like any other."""
        self.use(SIGNING)
        for uri in (EVIL, CALLBACK + "2"):
            url = self.app.url(redirect_uri=None, request=signed(contents(redirect_uri=uri)))

            self.assertTrue(self.is_page(self.daemon.get(url)))

    def test_row_3_pushed(self) -> None:
        """An address that was registered when it was pushed, and is not any more, is not used."""
        daemon = Daemon(ON)
        app = SelfRegistered.begin(daemon, redirect_uris=[CALLBACK, EVIL])
        sent = urlencode(app.parameters(redirect_uri=EVIL))
        reference = daemon.post(daemon.settings.paths.par, sent, app.basic())
        app.manage("PUT", {"client_id": app.client.client_id, "redirect_uris": [CALLBACK]})
        uri = reference.body.decode().partition('"request_uri":"')[2].partition('"')[0]
        query = urlencode({"client_id": app.client.client_id, "request_uri": uri, "prompt": "none"})

        self.assertEqual(reference.status, 201)
        self.assertTrue(self.is_page(daemon.get(f"{daemon.settings.paths.authorize}?{query}")))

    def test_row_3_push(self) -> None:
        """A push with an address that is not registered is refused at once."""
        sent = urlencode(self.app.parameters(redirect_uri=EVIL))
        answer = self.daemon.post(self.daemon.settings.paths.par, sent, self.app.basic())

        self.assertEqual(error_of(answer), (400, "invalid_request"))

    def test_row_3_on_our_pages(self) -> None:
        """Nobody signs in for a request whose address is not proven."""
        visitor = Visitor(self.daemon)
        page = self.app.arrive(visitor)
        action = page.action.replace(quote(CALLBACK, safe=""), quote(EVIL, safe=""))
        sent = {**page.fields, "username": "alice", "password": self.daemon.people.passwords["alice"]}
        visit = visitor.post(action, sent, f"Origin: {self.daemon.origin}", cross_site=False)

        self.assertEqual((self.is_page(visit.answer), visitor.holds("__Secure-KKT")), (True, False))

    def test_row_3_way_out(self) -> None:
        """Without a client that is known nobody is sent anywhere after signing out."""
        for client_id in ("stranger", ""):
            query = urlencode({"client_id": client_id, "post_logout_redirect_uri": BYE})
            answer = self.daemon.get(f"{self.daemon.settings.paths.endsession}?{query}")

            self.assertTrue(self.is_page(answer), client_id)

    def test_row_3_hint_of_another_client(self) -> None:
        """The ID token of one client does not open another one's way out."""
        daemon = Daemon(clients=(NOTES, MAIL))
        hint = Application(daemon, MAIL).tokens()["id_token"]
        query = urlencode({"client_id": "notes", "id_token_hint": hint, "post_logout_redirect_uri": CALLBACK})

        self.assertTrue(self.is_page(daemon.get(f"{daemon.settings.paths.endsession}?{query}")))


class Row5Tests(AddressCase):
    """Parts of an answer that somebody has planted in a registered address."""

    names = (
        *("code", "access_token", "token_type", "expires_in", "id_token", "scope"),
        *("state", "iss", "session_state", "error", "error_description", "error_uri"),
    )

    def answered(self, planted: str, **changes: str) -> tuple[str, Heard]:
        """Return where a browser is sent at once whose client's address has something planted in it."""
        uri = f"{CALLBACK}?tenant=1&{planted}"
        self.use(evolve(NOTES, redirect_uris=(uri,)))
        answer = self.daemon.get(self.app.url(redirect_uri=uri, prompt="none", **changes))
        return answer.header("Location"), answer

    def test_row_5_every_name(self) -> None:
        """No name of ours that stands in a registered address gets into an answer."""
        for name in self.names:
            location, _ = self.answered(f"{name}=planted")

            self.assertNotIn("planted", location, name)
            self.assertEqual(answer_of(location)["tenant"], "1")

    def test_row_5_disguised(self) -> None:
        """A name of ours is recognized however it is written."""
        location, _ = self.answered("%63ode=planted&st%61te=planted&iss")

        self.assertNotIn("planted", location)

    def test_row_5_fragment(self) -> None:
        """The same holds where the answer is in the fragment."""
        location, _ = self.answered("id_token=planted", response_type="code id_token")

        self.assertIn("#", location)
        self.assertNotIn("planted", location)

    def test_row_5_form_post(self) -> None:
        """The same holds where the answer is a form."""
        _, answer = self.answered("code=planted", response_mode="form_post")

        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"planted", answer.body)

    def test_row_5_way_out(self) -> None:
        """Nor does a planted state get into the way out."""
        uri = "https://notes.example.org/bye?state=planted&tenant=1"
        query = urlencode({"client_id": "notes", "post_logout_redirect_uri": uri, "state": "ours"})
        answer = self.daemon.get(f"{self.daemon.settings.paths.endsession}?{query}")

        self.assertEqual(answer_of(answer.header("Location")), {"tenant": "1", "state": "ours"})


class Row13Tests(AddressCase):
    """Loopback addresses of programs."""

    def setUp(self) -> None:
        """Assemble, with a program on somebody's machine."""
        self.use(PROGRAM)

    def test_row_13_port(self) -> None:
        """The port is free."""
        uris = ["http://127.0.0.1:5555/cb?a=1", "http://127.0.0.1/cb?a=1", "http://[::1]:1/cb", "http://localhost:2/cb"]

        self.assertEqual(self.taken(*uris), uris)

    def test_row_13_query(self) -> None:
        """The query is not."""
        self.assertEqual(self.taken("http://127.0.0.1:5555/cb?a=2", "http://127.0.0.1:5555/cb"), [])

    def test_row_13_path(self) -> None:
        """The path is not."""
        self.assertEqual(self.taken("http://127.0.0.1:5555/evil?a=1", "http://127.0.0.1:5555/?a=1"), [])

    def test_row_13_host(self) -> None:
        """The host is not, be it another name of the same machine."""
        self.assertEqual(self.taken("http://localhost:5555/cb?a=1", "http://[::1]:5555/cb?a=1"), [])

    def test_row_13_case(self) -> None:
        """Nor is the way it is written."""
        self.assertEqual(self.taken("http://127.0.0.1:5555/CB?a=1", "http://LOCALHOST:5555/cb"), [])

    def test_row_13_spelling_of_the_port(self) -> None:
        """A port is written in one way."""
        self.assertEqual(self.taken("http://127.0.0.1:005555/cb?a=1", "http://127.0.0.1:/cb?a=1"), [])

    def test_row_13_somewhere_else(self) -> None:
        """The port of any other machine is the registered one."""
        self.use(evolve(PROGRAM, redirect_uris=("http://notes.example.org/cb",)))

        self.assertEqual(self.taken("http://notes.example.org:5555/cb"), [])

    def test_row_13_other_schemes(self) -> None:
        """The port of any other scheme is the registered one."""
        self.use(evolve(PROGRAM, redirect_uris=("https://localhost:8443/cb", "app://localhost/cb")))

        self.assertEqual(self.taken("https://localhost:8444/cb", "app://localhost:5555/cb"), [])

    def test_row_13_on_the_web(self) -> None:
        """For an application of the web no port is free."""
        self.use(evolve(NOTES, redirect_uris=("http://localhost:8080/cb",)))

        self.assertEqual(self.taken("http://localhost:8081/cb"), [])

    def test_row_13_registered_in_the_clear(self) -> None:
        """Without TLS a program is reached on its own machine and nowhere else."""
        self.assertFalse(self.registers("http://notes.example.org/cb", application_type="native"))
