"""Front-Channel and Back-Channel Logout, as the certification plans have them, and what they leave open."""

from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve

from konnectd.jose.signing import KeyRingVerifier
from konnectd.protocol.client import Client
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import ring
from tests.support.fakes import header_of
from tests.support.markup import elements
from tests.support.requests import BYE, ISSUER
from tests.support.visitor import Visit, Visitor
from tests.web.certification.leaving_case import BACK, FRONT, LEAVER, LeavingCase

EVENT = "http://schemas.openid.net/event/backchannel-logout"
FARTHER = "https://mail.example.org/back"
FRONTED: Client = evolve(LEAVER, client_id="fronted", name="Fronted", frontchannel_logout_uri=FRONT)
BACKED: Client = evolve(LEAVER, client_id="backed", name="Backed & more", backchannel_logout_uri=BACK)
FAR: Client = evolve(LEAVER, client_id="far", name="Far", backchannel_logout_uri=FARTHER)


def frames(visit: Visit) -> list[str]:
    """Return the addresses that a page opens in frames."""
    return [element.attributes["src"] for element in elements(visit.answer.body) if element.name == "iframe"]


class FrontChannelTests(LeavingCase):
    """Clients that listen in browsers."""

    client = FRONTED
    clients = (FRONTED, BACKED, FAR, LEAVER)

    def test_metadata(self) -> None:
        """Both are there, with sid."""
        found = self.metadata()

        self.assertIs(found["frontchannel_logout_supported"], True)
        self.assertIs(found["frontchannel_logout_session_supported"], True)

    def test_frame(self) -> None:
        """The client is opened in a frame with issuer and session, and the browser then goes where it should."""
        visit = self.leave()
        (src,) = frames(visit)
        parts = urlsplit(src)

        self.assertEqual(f"{parts.scheme}://{parts.netloc}{parts.path}", "https://notes.example.org/front")
        self.assertEqual(
            sorted(parse_qsl(parts.query)), sorted({"tenant": "1", "iss": ISSUER, "sid": self.claims["sid"]}.items())
        )
        onward = [e.attributes["href"] for e in elements(visit.answer.body) if "data-onward" in e.attributes]
        self.assertEqual(len(onward), 1)
        self.assertTrue(onward[0].startswith(f"{BYE}?state="))
        self.assertSignedOut()

    def test_policy(self) -> None:
        """The page may open that origin in a frame, and no other."""
        policy = self.leave().answer.header("Content-Security-Policy")

        self.assertIn("; frame-src https://notes.example.org; ", policy)

    def test_nobody_else(self) -> None:
        """A session in which no such client took part has no page and no frame."""
        visitor = Visitor(self.daemon)
        Application(self.daemon, LEAVER).sign_in(visitor)
        page = visitor.open("/signin/v1/identifier/_/endsession")
        visit = visitor.submit(page, signout="1")

        self.assertEqual((frames(visit), visit.path), ([], "/signin/v1/identifier/_/goodbye"))

    def test_once(self) -> None:
        """However often a client asked, it is told once."""
        for _ in range(3):
            self.authorize("code")

        self.assertEqual(len(frames(self.leave())), 1)


class BackChannelTests(LeavingCase):
    """Clients that listen on the net."""

    client = BACKED
    clients = (FRONTED, BACKED, FAR, LEAVER)
    statuses: ClassVar[dict[str, int]] = {BACK: 200, FARTHER: 204}

    def setUp(self) -> None:
        """Let the clients' servers run."""
        super().setUp()
        self.daemon.web.statuses.update(self.statuses)

    def told(self) -> list[tuple[str, dict[str, object]]]:
        """Return who was told until now, and the claims of the tokens, whose signatures are ours."""
        self.daemon.reactor.advance(0)
        found = []
        for url, fields in self.daemon.web.posted:
            self.assertEqual([name for name, _ in fields], ["logout_token"])
            token = fields[0][1]
            self.assertEqual((header_of(token)["typ"], header_of(token)["alg"]), ("logout+jwt", "RS256"))
            found.append((url, dict(KeyRingVerifier(ring()).verify(token) or {})))
        return found

    def test_metadata(self) -> None:
        """Both are there, with sid."""
        found = self.metadata()

        self.assertIs(found["backchannel_logout_supported"], True)
        self.assertIs(found["backchannel_logout_session_supported"], True)

    def test_logout_token(self) -> None:
        """It names the session and the person as the ID token did, and is no ID token."""
        visit = self.leave()
        ((url, claims),) = self.told()
        now = self.daemon.clock.now()

        self.assertEqual((url, visit.url.partition("?")[0]), (BACK, BYE))
        self.assertTrue(claims.pop("jti"))
        self.assertEqual(
            claims,
            {
                "iss": ISSUER,
                "aud": "backed",
                "sub": self.claims["sub"],
                "sid": self.claims["sid"],
                "iat": now,
                "exp": now + 120,
                "events": {EVENT: {}},
            },
        )
        self.assertSignedOut()

    def test_page_does_not_wait(self) -> None:
        """The answer is there before anybody was asked."""
        visit = self.leave()

        self.assertEqual((visit.left, self.daemon.web.posted), (True, []))

    def test_every_client_of_every_session(self) -> None:
        """Who signed in anew in the same browser leaves the earlier session as well, each with its own sid."""
        again = self.authorize("code", prompt="login")
        Application(self.daemon, FAR).arrive(self.visitor)
        self.leave(id_token_hint=None, post_logout_redirect_uri=None, state=None)
        told = self.told()

        self.assertIn("code", again.parts)
        self.assertEqual(sorted(url for url, _ in told), sorted([BACK, BACK, FARTHER]))
        self.assertEqual(len({claims["sid"] for _, claims in told}), 3)
        self.assertIn(self.claims["sid"], [claims["sid"] for _, claims in told])

    def test_sessions_are_apart(self) -> None:
        """A sign-out in one browser is none in another."""
        elsewhere = Visitor(self.daemon)
        self.app.sign_in(elsewhere)
        self.leave()

        self.assertEqual([claims["sid"] for _, claims in self.told()], [self.claims["sid"]])
        self.assertIn("code", self.app.told(self.app.arrive(elsewhere, prompt="none")))

    def test_who_was_told(self) -> None:
        """The page says who has answered, who has not, and of whom that is not known yet."""
        del self.daemon.web.statuses[FARTHER]
        Application(self.daemon, FAR).arrive(self.visitor)
        visit = self.leave(post_logout_redirect_uri=None, state=None)
        self.assertIn("Backed & more is being told", visit.text)
        self.assertIn("Far is being told", visit.text)
        self.told()
        later = self.visitor.open(visit.url)

        self.assertIn("Backed & more has signed you out", later.text)
        self.assertIn("Far did not answer", later.text)

    def test_page_of_long_ago(self) -> None:
        """Whoever looks after the time, or guesses, sees only that nobody is signed in."""
        visit = self.leave(post_logout_redirect_uri=None, state=None)
        self.daemon.clock.advance(3600)

        for url in (visit.url, "/signin/v1/identifier/_/signedout?left=x", "/signin/v1/identifier/_/signedout"):
            page = self.visitor.open(url)
            self.assertEqual((page.title, "Backed" in page.text), ("You are signed out", False))


class TokensTests(LeavingCase):
    """What a client still holds."""

    def test_refresh_token(self) -> None:
        """Sign-out ends what could be renewed, of this session and no other."""
        elsewhere = self.app.tokens(Visitor(self.daemon), scope="openid offline_access")
        code = self.app.told(self.app.arrive(self.visitor, scope="openid offline_access"))["code"]
        mine = json_of(self.app.redeem(code))
        self.leave()

        self.assertEqual(error_of(self.app.refresh(str(mine["refresh_token"]))), (400, "invalid_grant"))
        self.assertEqual(self.app.refresh(str(elsewhere["refresh_token"])).status, 200)

    def test_copied_cookie(self) -> None:
        """Whoever has copied the cookie before is signed out with everybody else."""
        thief = Visitor(self.daemon)
        thief.jar.update(self.visitor.jar)
        self.leave()

        self.assertEqual(self.app.told(self.app.arrive(thief, prompt="none"))["error"], "login_required")
