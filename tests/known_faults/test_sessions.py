"""Row 11: sessions that somebody else has prepared, and forms that somebody else has filled in."""

from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToConsent
from konnectd.flows.browser import LOGON, Browser
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.session import ended_session_key
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.application import Application
from tests.support.fakes import claims_of, run
from tests.support.markup import elements
from tests.support.page_case import INNER, OURS, PageCase
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, after, told
from tests.support.redirects import answer_of
from tests.support.requests import ISSUER, NOTES, request_of
from tests.support.visitor import Visit, Visitor

COOKIE = "__Secure-KKT"


class SessionCase(PageCase):
    """Browsers in front of the assembled daemon."""

    def posted(self, page: Visit, *headers: str, **fields: str) -> Visit:
        """Post the good form of a page with other headers or fields."""
        sent = {**page.fields, "username": "alice", "password": "wonderland", **fields}
        return self.visitor.post(page.action, sent, *headers, cross_site=False)

    def sid(self, visit: Visit) -> str:
        """Return the session that an application is told of."""
        answer = self.mail.redeem(self.mail.told(visit)["code"])
        return str(claims_of(answer.body.decode().partition('"id_token":"')[2].partition('"')[0])["sid"])

    def signed_in(self, cookie: str) -> bool:
        """Tell whether a cookie signs somebody in."""
        location = self.daemon.get(self.mail.url(prompt="none"), f"Cookie: {COOKIE}={cookie}").header("Location")
        return "code" in answer_of(location)

    def cookie(self) -> str:
        """Return the cookie that the browser is signed in by."""
        (value,) = (cookie.value for cookie in self.visitor.jar.values() if cookie.name == COOKIE)
        return value


class Row11SessionTests(SessionCase):
    """Sessions."""

    def test_row_11_new(self) -> None:
        """Each sign-in begins a session of its own, in one browser as in two."""
        visits = [
            self.mail.sign_in(self.visitor),
            self.mail.sign_in(self.visitor, prompt="login"),
            self.mail.sign_in(Visitor(self.daemon)),
        ]

        self.assertEqual(len({self.sid(visit) for visit in visits}), 3)

    def test_row_11_planted(self) -> None:
        """What somebody else sealed, or we for something else, is nobody's session."""
        self.mail.sign_in(self.visitor)
        page = self.mail.arrive(self.visitor, prompt="login")
        interaction = page.url.partition("interaction=")[2].partition("&")[0]

        self.assertTrue(self.signed_in(self.cookie()))
        for planted in (interaction, self.cookie()[:-4] + "AAAA", "A" * 200):
            self.assertFalse(self.signed_in(planted))

    def test_row_11_over(self) -> None:
        """Whoever kept the cookie of a session that was ended is not signed in by it."""
        self.mail.sign_in(self.visitor)
        kept = self.cookie()
        page = self.visitor.open(f"{INNER}goodbye")
        self.visitor.submit(page, signout="1")

        self.assertFalse(self.signed_in(kept))

    def test_row_11_over_on_our_pages(self) -> None:
        """Nor do our own pages take them for somebody."""
        self.mail.sign_in(self.visitor)
        kept = self.cookie()
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")
        for page in ("welcome", "account", "device"):
            answer = self.daemon.get(f"{INNER}{page}", f"Cookie: {COOKIE}={kept}")

            self.assertEqual((answer.status, f"{INNER}signin" in answer.header("Location")), (302, True), page)

    def test_row_11_over_on_the_consent_page(self) -> None:
        """Nor does the page that asks them what a client may see: it has their name on it."""
        page = Application(self.daemon, NOTES).sign_in(self.visitor)
        kept, shown = self.cookie(), page.url.removeprefix(self.daemon.origin)
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")
        answer = self.daemon.get(shown, f"Cookie: {COOKIE}={kept}")

        self.assertEqual((page.title, answer.status), ("Notes asks for access", 302))
        self.assertTrue(answer.header("Location").startswith(f"{INNER}authorize?"))

    def test_row_11_forgotten(self) -> None:
        """Signing out takes the session out of the browser."""
        self.mail.sign_in(self.visitor)
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")

        self.assertFalse(self.visitor.holds(COOKIE))

    def test_row_11_earlier(self) -> None:
        """It ends the sessions that were in the browser before, too."""
        self.mail.sign_in(self.visitor)
        kept = self.cookie()
        self.mail.sign_in(self.visitor, prompt="login")
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")

        self.assertFalse(self.signed_in(kept))

    def test_row_11_elsewhere(self) -> None:
        """Nobody ends the session of somebody else, whatever they know of it."""
        of_bob = self.sid(self.mail.sign_in(Visitor(self.daemon), "bob"))
        self.mail.sign_in(self.visitor)
        page = self.visitor.open(f"{INNER}account")
        csrf = next(e.attributes["value"] for e in elements(page.answer.body) if e.attributes.get("name") == "csrf")
        self.visitor.post(f"{INNER}account", {"csrf": csrf, "end": of_bob}, OURS, cross_site=False)

        self.assertIsNone(run(self.daemon.world.store.get(ended_session_key(of_bob))))


class Row11SealTests(SynchronousTestCase):
    """What a browser keeps for us."""

    def answer(self, purpose: str, life: int, later: int) -> dict[str, str]:
        """Return what an application is told of a browser whose session was sealed in some way."""
        provider = Provider(sealer=SecretSealer(b"k" * 32))
        logon = logon_of(ALICE, provider.clock.now())
        sealed = provider.sealer.seal(purpose, logon.to_json(), provider.clock.now() + life)
        provider.clock.advance(later)
        return told(provider.ask(Browser({LOGON: sealed}), client_id="mail", prompt="none"))

    def test_row_11_sealed(self) -> None:
        """What was sealed as a session is one until its end."""
        self.assertIn("code", self.answer(LOGON, 60, 59))

    def test_row_11_purpose(self) -> None:
        """What was sealed for something else is none, though the very same is in it."""
        self.assertEqual(self.answer("another purpose", 60, 0).get("error"), "login_required")

    def test_row_11_end(self) -> None:
        """What was sealed until a moment is worth nothing afterwards."""
        self.assertEqual(self.answer(LOGON, 60, 60).get("error"), "login_required")


class Row11FormTests(SessionCase):
    """Forms that come from elsewhere."""

    def assert_signs_nobody_in(self, visit: Visit, kind: ErrorKind) -> None:
        """Check that a form was refused."""
        self.assertRefused(visit, kind)
        self.assertFalse(self.visitor.holds(COOKIE))

    def test_row_11_other_site(self) -> None:
        """A form that another site posts is not taken, even with a good token."""
        for headers in (("Origin: https://evil.example",), ("Referer: https://evil.example/",)):
            visit = self.posted(self.mail.arrive(self.visitor), *headers)

            self.assert_signs_nobody_in(visit, ErrorKind.CROSS_SITE)

    def test_row_11_neighbor(self) -> None:
        """Nor one that a neighbor posts, who may plant cookies of ours, and hides where it comes from."""
        for headers in (("Origin: null", "Sec-Fetch-Site: same-site"), ("Sec-Fetch-Site: cross-site",)):
            visit = self.posted(self.mail.arrive(self.visitor), *headers)

            self.assert_signs_nobody_in(visit, ErrorKind.CROSS_SITE)

    def test_row_11_hidden_origin(self) -> None:
        """Nor one from a page that hides its origin and not its address."""
        visit = self.posted(self.mail.arrive(self.visitor), "Origin: null", "Referer: https://evil.example/")

        self.assert_signs_nobody_in(visit, ErrorKind.CROSS_SITE)

    def test_row_11_almost_ours(self) -> None:
        """Nor one from an origin that only looks like ours."""
        for origin in (ISSUER.replace("https", "http"), f"{ISSUER}:8443", f"https://user@{ISSUER[8:]}"):
            visit = self.posted(self.mail.arrive(self.visitor), f"Origin: {origin}")

            self.assert_signs_nobody_in(visit, ErrorKind.CROSS_SITE)

    def test_row_11_without_cookie(self) -> None:
        """Nor one from a browser that did not get the form."""
        page = self.mail.arrive(self.visitor)
        self.visitor.jar.clear()

        self.assert_signs_nobody_in(self.posted(page), ErrorKind.COOKIES_BLOCKED)

    def test_row_11_planted_cookie(self) -> None:
        """Nor one with a cookie that is none of ours."""
        page = self.mail.arrive(self.visitor)
        self.visitor.jar = {key: evolve(cookie, value="short") for key, cookie in self.visitor.jar.items()}

        self.assert_signs_nobody_in(self.posted(page), ErrorKind.COOKIES_BLOCKED)

    def test_row_11_token(self) -> None:
        """Nor one without the token, or with that of another browser."""
        other = self.mail.arrive(Visitor(self.daemon)).fields["csrf"]
        for csrf in ("", "x", other):
            self.assertFault(self.posted(self.mail.arrive(self.visitor), csrf=csrf), SignInFault.STALE_FORM)

        self.assertFalse(self.visitor.holds(COOKIE))

    def test_row_11_token_of_another_session(self) -> None:
        """A page that one person left open does nothing for the next one."""
        self.mail.sign_in(self.visitor)
        left_open = self.visitor.open(f"{INNER}goodbye")
        self.mail.sign_in(self.visitor, "bob", prompt="login")

        self.assertRefused(self.visitor.submit(left_open, signout="1"), ErrorKind.STALE_FORM)
        self.assertTrue(self.visitor.holds(COOKIE))

    def test_row_11_every_form(self) -> None:
        """No form of ours is taken without its token."""
        self.mail.sign_in(self.visitor)
        pages = (
            self.mail.arrive(self.visitor, prompt="select_account"),
            self.notes.arrive(self.visitor),
            self.visitor.open(f"{INNER}goodbye"),
            self.visitor.open(f"{INNER}device"),
        )
        for page in pages:
            button = {"account": "alice", "allow": "1", "signout": "1"}

            self.assertRefused(self.posted(page, OURS, csrf="x", **button), ErrorKind.STALE_FORM)
        visit = self.visitor.post(f"{INNER}account", {"csrf": "x", "revoke": "mail"}, OURS, cross_site=False)
        self.assertRefused(visit, ErrorKind.STALE_FORM)

    def test_row_11_opening_signs_nobody_in(self) -> None:
        """An address with a name and a password in it signs nobody in."""
        page = self.mail.arrive(self.visitor)
        visit = self.visitor.open(
            f"{page.action}&{urlencode({**page.fields, 'username': 'alice', 'password': 'wonderland'})}"
        )

        self.assertEqual((self.visitor.holds(COOKIE), visit.left), (False, False))

    def test_row_11_cookies(self) -> None:
        """No script reads what signs somebody in, and it is not sent in the clear; that of forms stays on the site."""
        page = self.mail.arrive(self.visitor)
        form = page.answer.header("Set-Cookie")
        body = urlencode({**page.fields, "username": "alice", "password": "wonderland"})
        answer = self.visitor.send("POST", f"{ISSUER}{page.action}", body, OURS)
        (logon,) = (value for name, value in answer.headers if name == "Set-Cookie" and f"{COOKIE}=" in value)

        self.assertTrue(logon.startswith(f"{COOKIE}="))
        self.assertIn("; HttpOnly", logon)
        self.assertIn("; Secure", logon)
        self.assertIn(f"; Path={INNER};", logon)
        self.assertIn("; SameSite=Lax", form)

    def test_row_11_cookies_planted_in_the_clear(self) -> None:
        """A cookie whose name says that it may have come in the clear signs nobody in."""
        self.mail.sign_in(self.visitor)
        location = self.daemon.get(self.mail.url(prompt="none"), f"Cookie: KKT={self.cookie()}").header("Location")

        self.assertEqual(answer_of(location)["error"], "login_required")


class Row11StepTests(SessionCase):
    """Steps of a request that belong to one browser."""

    def test_row_11_account(self) -> None:
        """Who is shown one account and posts another has not chosen it."""
        self.mail.sign_in(self.visitor)
        page = self.mail.arrive(self.visitor, prompt="select_account")
        visit = self.posted(page, OURS, account="bob")

        self.assertIn("password", visit.fields)

    def test_row_11_consent_of_another_browser(self) -> None:
        """What was allowed in one browser is not allowed in another one."""
        provider = Provider()
        first, second = provider.browser_of(ALICE), provider.browser_of(ALICE, session_id="session-2")
        state, keep = provider.decisions.record(request_of(), logon_of(ALICE, provider.clock.now()), allow=True)

        self.assertIsInstance(provider.ask(second, konnect=state), ToConsent)
        self.assertIn("code", told(provider.ask(after(first, (keep,)), konnect=state)))

    def test_row_11_two_people(self) -> None:
        """Of two people in one browser the one who signed in last is who an application gets."""
        self.mail.sign_in(self.visitor)
        visit = self.mail.sign_in(self.visitor, "bob", prompt="login")
        told_of = claims_of(
            self.mail.redeem(self.mail.told(visit)["code"]).body.decode().partition('"id_token":"')[2].partition('"')[0]
        )["sub"]

        self.assertEqual(told_of, logon_of(BOB, 0).sub)


class Row11LeavingTests(SessionCase):
    """Signing out, which nobody else does for a person."""

    def leave(self, **parameters: str) -> Visit:
        """Send the browser to the end-session endpoint, as any site could."""
        return self.visitor.open(f"{INNER}endsession?{urlencode(parameters)}")

    def hint(self, visitor: Visitor, username: str = "alice") -> str:
        """Sign somebody in, and return their ID token."""
        visit = self.mail.sign_in(visitor, username, prompt="login")
        answer = self.mail.redeem(self.mail.told(visit)["code"]).body.decode()
        return answer.partition('"id_token":"')[2].partition('"')[0]

    def assert_asks(self, visit: Visit) -> None:
        """Check that the person is asked, and signed in still."""
        self.assertEqual((visit.title, self.visitor.holds(COOKIE)), ("Sign out?", True))

    def test_row_11_leaving(self) -> None:
        """A picture in a mail signs nobody out."""
        self.hint(self.visitor)

        self.assert_asks(self.leave())

    def test_row_11_leaving_for_somebody_else(self) -> None:
        """Nor does the ID token of somebody else."""
        hint = self.hint(Visitor(self.daemon), "bob")
        self.hint(self.visitor)

        self.assert_asks(self.leave(id_token_hint=hint))

    def test_row_11_leaving_another_session(self) -> None:
        """Nor one of another session of the same person."""
        hint = self.hint(Visitor(self.daemon))
        self.hint(self.visitor)

        self.assert_asks(self.leave(id_token_hint=hint))

    def test_row_11_leaving_by_name(self) -> None:
        """Nor one whose request means somebody else."""
        hint = self.hint(self.visitor)

        self.assert_asks(self.leave(id_token_hint=hint, logout_hint="bob"))
