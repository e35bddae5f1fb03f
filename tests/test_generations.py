"""What a reload lets count, one kind of file after the other, and what it leaves alone."""

import json
import re
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import Vouch
from konnectd.web.templates_path import find_templates
from tests.config.test_keys import private_pem
from tests.support.application import Application, json_of
from tests.support.fakes import People, run
from tests.support.filed import CLIENTS, OTHER, FiledDaemon
from tests.support.keys import ed25519_key, p256_key
from tests.support.people import ALICE, PASSWORDS
from tests.support.requests import CALLBACK, PAGE
from tests.support.visitor import Visit, Visitor

JWKS = "/konnect/v1/jwks.json"
METADATA = "/.well-known/openid-configuration"
PNG = b"\x89PNG\r\n\x1a\n"


class SessionPeople(People):
    """A backend that asks for tokens that vouch for people."""

    longest_access_token = 600

    def __init__(self) -> None:
        """Know Alice."""
        super().__init__(ALICE, passwords=PASSWORDS)

    def rely_on(self, vouch: Vouch) -> None:
        """Keep what makes them."""
        self.vouch = vouch

    async def leave(self, user_id: str) -> None:
        """Keep no session."""


def style_of(visit: Visit) -> str:
    """Return the address of a page's style."""
    (path,) = re.findall(r'href="([^"]*/konnectd\.[^"]*\.css)"', visit.answer.body.decode())
    return str(path)


def logo_of(page: str) -> str:
    """Return the address of the logo on a page."""
    return str(re.findall(r'src="([^"]*/brand-logo[^"]*)"', page)[0])


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a token."""
    text = token.partition(".")[0]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


class ReloadCase(SynchronousTestCase):
    """A daemon that runs, whose files a test changes."""

    def setUp(self) -> None:
        """Start it."""
        self.daemon = FiledDaemon(self)

    def reload(self) -> None:
        """Let what files say count."""
        self.assertEqual(self.daemon.reload().faults, ())

    def kids(self) -> list[str]:
        """Return the ids of all keys that are published."""
        return [key["kid"] for key in self.document(JWKS)["keys"]]

    def document(self, path: str) -> dict[str, Any]:
        """Return a document."""
        found: dict[str, Any] = json.loads(self.daemon.get(path).body)
        return found

    def status(self, client_id: str) -> int:
        """Return how an authorization request of a client is answered: by 302, or by 400 if it is not known."""
        return self.daemon.get(Application(self.daemon, PAGE).url(client_id=client_id)).status


class ClientTests(ReloadCase):
    """Clients."""

    def test_new(self) -> None:
        """A client that was added is served."""
        before = self.status("other")
        self.daemon.write("clients.yaml", CLIENTS + OTHER)
        self.reload()

        self.assertEqual((before, self.status("other")), (400, 302))

    def test_removed(self) -> None:
        """A client that was removed is refused."""
        before = self.status("mail")
        self.daemon.write("clients.yaml", f"clients:\n{OTHER}")
        self.reload()

        self.assertEqual((before, self.status("mail")), (302, 400))

    def test_other_secret(self) -> None:
        """A client whose secret was changed proves itself by the new one only."""
        application = Application(self.daemon)
        code = application.code()
        self.daemon.write("clients.yaml", CLIENTS.replace("mail-secret", "another"))
        self.reload()

        self.assertEqual(application.redeem(code).status, 401)

    def test_file_of_another_name(self) -> None:
        """The registration may be another file from now on."""
        self.daemon.write("more.yaml", CLIENTS + OTHER)
        self.daemon.configure(identifier_registration_conf=f"{self.daemon.root}/more.yaml")
        self.reload()

        self.assertEqual(self.status("other"), 302)

    def test_scopes(self) -> None:
        """A scope that was added can be asked for."""
        self.daemon.write("scopes.yaml", "scopes: {calendar: {description: Your calendar}}\n")
        self.reload()

        self.assertIn("calendar", self.document(METADATA)["scopes_supported"])


class IssuedTests(ReloadCase):
    """What was given out before a reload is good after it."""

    def setUp(self) -> None:
        """Be the application of the house."""
        super().setUp()
        self.application = Application(self.daemon)

    def test_code(self) -> None:
        """A code is redeemed."""
        code = self.application.code()
        self.reload()

        self.assertEqual(self.application.redeem(code).status, 200)

    def test_access_token(self) -> None:
        """An access token counts."""
        tokens = self.application.tokens()
        self.reload()

        self.assertEqual(self.application.userinfo(tokens["access_token"]).status, 200)

    def test_logon(self) -> None:
        """Who is signed in stays so."""
        visitor = Visitor(self.daemon)
        self.application.sign_in(visitor)
        self.reload()

        self.assertTrue(self.application.arrive(visitor).left)

    def test_form(self) -> None:
        """A page that somebody has open can be sent."""
        visitor = Visitor(self.daemon)
        page = self.application.arrive(visitor)
        self.reload()

        self.assertTrue(visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"]).left)

    def test_pushed_request(self) -> None:
        """A request that was pushed can be used."""
        sent = urlencode(self.application.parameters())
        pushed = json_of(self.daemon.post(self.daemon.settings.paths.par, sent, self.application.basic()))
        self.reload()
        words = urlencode({"client_id": "mail", "request_uri": pushed["request_uri"]})
        visit = Visitor(self.daemon).open(f"{self.daemon.settings.paths.authorize}?{words}")

        self.assertEqual(visit.path, self.daemon.settings.paths.identifier)

    def test_style_of_an_open_page(self) -> None:
        """What a page refers to that somebody has open is still there, though new pages refer to something else."""
        old = style_of(Visitor(self.daemon).open(self.application.url()))
        self.daemon.write("own/static/konnectd.css", "/* ours */")
        self.daemon.configure(templates_path=f"{self.daemon.root}/own")
        self.reload()
        new = style_of(Visitor(self.daemon).open(self.application.url()))

        self.assertNotEqual(old, new)
        self.assertEqual([self.daemon.get(path).status for path in (old, new)], [200, 200])

    def test_registered_client(self) -> None:
        """A client that registered itself goes on to be known."""
        daemon = FiledDaemon(self, allow_dynamic_client_registration="yes")
        body = json.dumps({"redirect_uris": [CALLBACK]}).encode()
        answer = daemon.ask("POST", daemon.settings.paths.register, "Content-Type: application/json", body=body)
        daemon.reload()

        url = Application(daemon, PAGE).url(client_id=json_of(answer)["client_id"])
        self.assertEqual(daemon.get(url).status, 302)


class KeyTests(ReloadCase):
    """Keys."""

    def rotate(self) -> None:
        """Let another key sign; the one that did is published on."""
        self.daemon.write("keys/old.pem", private_pem(p256_key()))
        self.daemon.write("new.pem", private_pem(p256_key(2)))
        self.daemon.configure(signing_private_key=f"{self.daemon.root}/new.pem", signing_kid="new")
        self.reload()

    def test_row_29_new_key_signs(self) -> None:
        """The key that is named now signs."""
        self.rotate()
        tokens = Application(self.daemon).tokens()

        self.assertEqual(header_of(tokens["id_token"])["kid"], "new")

    def test_row_29_who_began_before_signs_with_it(self) -> None:
        """So does what began before, such as telling a client of a sign-out: nobody would find the old key."""
        signer = self.daemon.world.signer
        self.rotate()
        self.daemon.write("third.pem", private_pem(p256_key(3)))
        self.daemon.configure(signing_private_key=f"{self.daemon.root}/third.pem", signing_kid="third")
        self.reload()

        self.assertEqual(header_of(run(signer.sign({})))["kid"], "third")

    def test_old_key_is_published(self) -> None:
        """The one that did, and lies in the folder now, is still published."""
        self.rotate()

        self.assertEqual(self.kids(), ["new", "old", "default"])

    def test_key_that_is_gone(self) -> None:
        """A key that is in no file any more is not published any more."""
        self.daemon.write("keys/old.pem", private_pem(p256_key(2)))
        self.reload()
        before = self.kids()
        (self.daemon.root / "keys" / "old.pem").unlink()
        self.reload()

        self.assertEqual((before, self.kids()), (["signing", "old", "default"], ["signing", "default"]))

    def test_row_29_tokens_of_a_key_that_is_gone(self) -> None:
        """Tokens that it signed do not count any more."""
        token = Application(self.daemon).tokens()["access_token"]
        self.daemon.write("signing.pem", private_pem(p256_key(2)))
        self.reload()

        self.assertEqual(Application(self.daemon).userinfo(token).status, 401)

    def test_tokens_of_a_key_that_is_published(self) -> None:
        """Those of a key in the folder do."""
        token = Application(self.daemon).tokens()["access_token"]
        self.daemon.write("keys/signing.pem", private_pem(p256_key()))
        self.daemon.write("new.pem", private_pem(p256_key(2)))
        self.daemon.configure(signing_private_key=f"{self.daemon.root}/new.pem")
        self.reload()

        self.assertEqual(Application(self.daemon).userinfo(token).status, 200)

    def test_tag_of_the_key_set(self) -> None:
        """Whoever has kept the key set is told that it is another one."""
        tag = self.daemon.get(JWKS).header("ETag")
        self.rotate()

        self.assertEqual(self.daemon.get(JWKS, f"If-None-Match: {tag}").status, 200)

    def test_same_keys(self) -> None:
        """Whoever has kept it is told that it is the same, when it is."""
        tag = self.daemon.get(JWKS).header("ETag")
        self.reload()

        self.assertEqual(self.daemon.get(JWKS, f"If-None-Match: {tag}").status, 304)

    def test_algorithms(self) -> None:
        """The metadata say what can be signed now."""
        self.daemon.write("signing.pem", private_pem(ed25519_key()))
        self.daemon.configure(signing_method="EdDSA")
        self.reload()

        self.assertEqual(self.document(METADATA)["id_token_signing_alg_values_supported"], ["EdDSA"])

    def test_backend_vouches_by_the_new_key(self) -> None:
        """A backend that begins sessions of its own gets tokens of the key that signs now."""
        backend = SessionPeople()
        self.daemon = FiledDaemon(self, backend=backend)
        self.rotate()

        self.assertEqual(header_of(run(backend.vouch("alice")))["kid"], "new")


class LookTests(ReloadCase):
    """Pages."""

    def page(self) -> str:
        """Return the sign-in page."""
        return Visitor(self.daemon).open(Application(self.daemon).url()).answer.body.decode()

    def test_branding(self) -> None:
        """What the operator says about pages is on the next one."""
        self.daemon.configure(brand_name="Example Works")
        self.reload()

        self.assertIn("Example Works", self.page())

    def test_picture(self) -> None:
        """A picture with another content has another address."""
        self.daemon.write("logo.png", PNG)
        self.daemon.configure(brand_logo=f"{self.daemon.root}/logo.png")
        self.reload()
        before = self.page()
        self.daemon.write("logo.png", PNG + b"more")
        self.reload()

        self.assertNotEqual(logo_of(before), logo_of(self.page()))

    def test_template(self) -> None:
        """A template of the operator's counts for the next page."""
        own = (find_templates() / "layout.html").read_text("utf-8")
        self.daemon.write("own/layout.html", own)
        self.daemon.configure(templates_path=f"{self.daemon.root}/own")
        self.reload()
        self.daemon.write("own/layout.html", own.replace("<main", '<main data-ours="yes"'))
        before = self.page()
        self.reload()

        self.assertEqual(["data-ours" in page for page in (before, self.page())], [False, True])

    def test_languages(self) -> None:
        """So do the languages that pages are in."""
        self.daemon.configure(ui_locales="de")
        self.reload()

        self.assertEqual(self.document(METADATA)["ui_locales_supported"], ["de"])
