"""The demo from its first page to signing out, in memory, together with the real provider."""

import json
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from tests.demo.in_memory import ORIGIN, Demo, Visitor
from tests.support.markup import elements, shape, text_of, xml_shape


class FlowTests(SynchronousTestCase):
    """What somebody sees who tries the demo."""

    def setUp(self) -> None:
        """Start the demo, and open a browser."""
        self.demo = Demo()
        self.visitor = Visitor(self, self.demo)

    def csrf(self) -> dict[str, str]:
        """Return the token of the steps page's forms."""
        return {"csrf": self.visitor.get("/demo/steps").field("csrf")}

    def test_the_bare_address_leads_to_the_demo(self) -> None:
        """Whoever opens the printed host alone, or forgets the last slash, still gets there."""
        for path in ("/", "/demo"):
            self.assertEqual(self.visitor.get(path).url, f"{ORIGIN}/demo/")

    def test_the_first_page_names_people_and_passwords(self) -> None:
        """Nobody has to look up how to sign in."""
        text = text_of(self.visitor.get("/demo/").body)

        self.assertEqual([word for word in ("alice", "wonderland", "bob", "builder") if word not in text], [])

    def test_signing_in_shows_who_it_is(self) -> None:
        """After sign-in and consent the claims are on the page, each step by its title."""
        page = self.visitor.sign_in()

        self.assertEqual((page.url, page.status), (f"{ORIGIN}/demo/steps", 200))
        text = text_of(page.body)
        wanted = ("Hello, Alice Liddell", "alice@example.com", "The authorization request", "Exchanging the code")
        self.assertEqual([word for word in wanted if word not in text], [])

    def test_every_step_has_a_command(self) -> None:
        """Each of the seven steps can be repeated from a shell."""
        page = self.visitor.sign_in()
        commands = [
            item for item in elements(page.body) if item.path.endswith("pre/code") and "curl " in "".join(item.text)
        ]

        self.assertEqual(len(commands), 7)

    def test_every_claim_is_explained(self) -> None:
        """No value of the ID token stands there without a sentence about it."""
        body = self.visitor.sign_in().body
        values = sum(item.path.endswith("dd/code") for item in elements(body))
        meanings = sum(item.attributes.get("class") == "meaning" for item in elements(body))

        self.assertEqual(values, meanings)

    def test_the_application_asks_over_http(self) -> None:
        """The application gets nothing from the provider but through its public endpoints."""
        self.visitor.sign_in()
        asked = [urlsplit(uri.decode()).path for uri in self.demo.agent.requests]

        self.assertEqual(
            asked,
            [
                "/.well-known/openid-configuration",
                "/konnect/v1/token",
                "/konnect/v1/jwks.json",
                "/konnect/v1/userinfo",
            ],
        )

    def test_denying_is_explained(self) -> None:
        """Whoever denies is told what that means, and nobody is signed in."""
        page = self.visitor.sign_in("bob", "builder", answer="deny")

        self.assertEqual(page.status, 400)
        self.assertIn("access_denied", text_of(page.body))
        self.assertEqual(self.visitor.get("/demo/steps").url, f"{ORIGIN}/demo/")

    def test_refreshing_shows_the_new_tokens(self) -> None:
        """The answer of the refresh is on the page, and the browser is led to it."""
        self.visitor.sign_in()
        page = self.visitor.post("/demo/refresh", self.csrf())

        self.assertEqual(page.url, f"{ORIGIN}/demo/steps#refresh")
        self.assertIn("The claims of the new ID token", text_of(page.body))

    def test_userinfo_again(self) -> None:
        """The provider is asked once more."""
        self.visitor.sign_in()
        before = len(self.demo.agent.requests)
        page = self.visitor.post("/demo/userinfo", self.csrf())

        self.assertEqual((page.url, len(self.demo.agent.requests) - before), (f"{ORIGIN}/demo/steps#userinfo", 1))

    def test_signing_out_ends_both_sessions(self) -> None:
        """Afterwards neither the application nor the provider knows the browser."""
        self.visitor.sign_in()
        page = self.visitor.post("/demo/sign-out", self.csrf())

        self.assertIn("You are signed out", text_of(page.body))
        self.assertEqual(self.visitor.get("/demo/steps").url, f"{ORIGIN}/demo/")
        self.assertIn("/signin/v1/identifier", self.visitor.get("/signin/v1/identifier/_/welcome").url)

    def test_signed_out_is_only_said_when_it_is_true(self) -> None:
        """An address that somebody made up claims nothing, nor does one that was used."""
        self.visitor.sign_in()
        page = self.visitor.post("/demo/sign-out", self.csrf())

        for url in (page.url, "/demo/?state=made-up"):
            self.assertNotIn("You are signed out", text_of(self.visitor.get(url).body))

    def test_a_spent_code_revokes_what_came_of_it(self) -> None:
        """What the page says about repeating the exchange is so, and the refusal is shown."""
        page = self.visitor.sign_in()
        callback = next(hop for hop in page.hops if "/demo/callback" in hop)
        code = parse_qs(urlsplit(callback).query)["code"][0]
        fields = {"grant_type": "authorization_code", "code": code, "client_id": "demo"}
        again = self.visitor.post("/konnect/v1/token", fields)
        shown = self.visitor.post("/demo/userinfo", self.csrf())

        self.assertEqual(json.loads(again.body)["error"], "invalid_grant")
        self.assertIn("invalid_token", text_of(shown.body))

    def test_other_host_names_lead_to_the_issuer(self) -> None:
        """Under another name of this machine the browser keeps other cookies, so it is sent to the right one."""
        answer = self.visitor.once("GET", "http://127.0.0.1:8777/demo/")

        self.assertEqual((answer.status, answer.header("Location")), (302, f"{ORIGIN}/demo/"))


class PlaceTests(SynchronousTestCase):
    """Where the demo can be."""

    def test_below_a_base_path(self) -> None:
        """A path before all others changes nothing."""
        visitor = Visitor(self, Demo("--uri-base-path=/sub"), base="/sub")

        self.assertEqual(visitor.sign_in().url, f"{ORIGIN}/sub/demo/steps")

    def test_behind_a_proxy_with_tls(self) -> None:
        """With an issuer of https the application asks at the public address, and cookies travel over TLS only."""
        origin = "https://id.example.com"
        demo = Demo(f"--iss={origin}")
        visitor = Visitor(self, demo, origin=origin)
        home = visitor.get("/demo/")

        self.assertEqual(visitor.sign_in().url, f"{origin}/demo/steps")
        self.assertEqual({uri.startswith(origin.encode()) for uri in demo.agent.requests}, {True})
        self.assertIn("__Secure-", home.header("Set-Cookie"))
        self.assertIn("; Secure;", home.header("Set-Cookie"))

    def test_pages_of_ones_own(self) -> None:
        """Where the sign-in page is somebody else's, the browser may go there from the first page."""
        visitor = Visitor(self, Demo("--sign-in-uri=https://login.example.com/signin"))

        self.assertIn("form-action 'self' https:", visitor.get("/demo/").header("Content-Security-Policy"))


class SafetyTests(SynchronousTestCase):
    """What the application does not do."""

    def setUp(self) -> None:
        """Start the demo, and open a browser."""
        self.demo = Demo()
        self.visitor = Visitor(self, self.demo)

    def test_a_strange_answer_signs_nobody_in(self) -> None:
        """Codes that another browser asked for are not taken."""
        page = self.visitor.sign_in()
        callback = next(hop for hop in page.hops if "/demo/callback" in hop)
        stranger = Visitor(self, self.demo)

        self.assertEqual(stranger.get(callback).status, 400)
        self.assertEqual(stranger.get("/demo/steps").url, f"{ORIGIN}/demo/")

    def test_another_browser_can_not_use_an_answer_first(self) -> None:
        """The answer of a sign-in that is under way does nothing in another browser."""
        home = self.visitor.get("/demo/")
        started = self.visitor.once("POST", f"{ORIGIN}/demo/start", {"csrf": home.field("csrf")}, {"Origin": ORIGIN})
        state = parse_qs(urlsplit(started.header("Location")).query)["state"][0]
        stranger = Visitor(self, self.demo)

        self.assertEqual(stranger.get(f"/demo/callback?state={state}&code=x&iss={ORIGIN}").status, 400)

    def test_forms_need_their_token(self) -> None:
        """A form without the token of its page is refused."""
        self.visitor.sign_in()
        for path in ("start", "userinfo", "refresh", "sign-out"):
            for form in ({}, {"csrf": "x" * 22}):
                self.assertEqual(self.visitor.post(f"/demo/{path}", form).status, 403, path)

        self.assertEqual(self.visitor.get("/demo/steps").url, f"{ORIGIN}/demo/steps")

    def test_forms_of_other_sites_are_refused(self) -> None:
        """Not even the right token helps somebody else's page."""
        self.visitor.sign_in()
        csrf = self.visitor.get("/demo/steps").field("csrf")

        self.assertEqual(self.visitor.post("/demo/sign-out", {"csrf": csrf}, Origin="https://evil.example").status, 403)

    def test_a_token_is_good_for_its_session_only(self) -> None:
        """The first page's token does nothing for somebody who is signed in."""
        csrf = self.visitor.get("/demo/").field("csrf")
        self.visitor.sign_in()

        self.assertEqual(self.visitor.post("/demo/sign-out", {"csrf": csrf}).status, 403)

    def test_each_sign_in_has_a_session_of_its_own(self) -> None:
        """Whoever put a session into this browser before is not in the new one."""
        self.visitor.cookies["/demo/", "konnectd_demo"] = "planted"
        self.visitor.sign_in()

        self.assertNotEqual(self.visitor.cookies["/demo/", "konnectd_demo"], "planted")

    def test_a_session_that_is_over_stays_over(self) -> None:
        """A cookie that somebody copied is of no use after signing out, nor after signing in again."""
        name = ("/demo/", "konnectd_demo")
        self.visitor.sign_in()
        first = self.visitor.cookies[name]
        self.visitor.post("/demo/sign-out", {"csrf": self.visitor.get("/demo/steps").field("csrf")})
        self.visitor.sign_in()
        second = self.visitor.cookies[name]
        thief = Visitor(self, self.demo)
        thief.cookies[name] = first
        self.assertEqual(thief.get("/demo/steps").url, f"{ORIGIN}/demo/")

        thief.cookies[name] = second
        self.assertEqual(thief.get("/demo/steps").url, f"{ORIGIN}/demo/steps")
        self.begin_again(second)
        self.assertEqual(thief.get("/demo/steps").url, f"{ORIGIN}/demo/")

    def test_a_session_that_was_forgotten(self) -> None:
        """Buttons of a page that was open for too long lead to the first page, and do nothing else."""
        self.visitor.sign_in()
        thief = Visitor(self, self.demo)
        thief.cookies = dict(self.visitor.cookies)
        csrf = {"csrf": self.visitor.get("/demo/steps").field("csrf")}
        self.visitor.post("/demo/sign-out", csrf)
        asked = len(self.demo.agent.requests)

        for path in ("userinfo", "refresh", "sign-out"):
            self.assertEqual(thief.post(f"/demo/{path}", csrf).url.partition("#")[0], f"{ORIGIN}/demo/")
        self.assertEqual(len(self.demo.agent.requests), asked)

    def test_signed_in_people_see_the_steps_at_once(self) -> None:
        """The first page is for those who are not."""
        self.visitor.sign_in()

        self.assertEqual(self.visitor.get("/").url, f"{ORIGIN}/demo/steps")

    def begin_again(self, session_id: str) -> None:
        """Sign in once more in a browser that has a session already, as a second tab does."""
        del self.visitor.cookies["/demo/", "konnectd_demo"]
        home = self.visitor.get("/demo/")
        started = self.visitor.once("POST", f"{ORIGIN}/demo/start", {"csrf": home.field("csrf")}, {"Origin": ORIGIN})
        self.visitor.cookies["/demo/", "konnectd_demo"] = session_id
        consent = self.visitor.get(started.header("Location"))
        self.visitor.post(consent.action(""), {**consent.fields, "allow": "1"})

    def test_pages_are_locked_down(self) -> None:
        """No script of a stranger runs, nobody keeps a copy, and cookies are out of reach of scripts."""
        first = self.visitor.get("/demo/")
        page = self.visitor.sign_in()

        for shown in (first, page):
            self.assertIn("default-src 'none'", shown.header("Content-Security-Policy"))
            self.assertEqual(shown.header("Cache-Control"), "no-store")
        own = [line for line in self.visitor.lines if "Path=/demo/" in line]
        self.assertEqual([line for line in own if "HttpOnly" not in line or "SameSite=Lax" not in line], [])
        self.assertEqual({line.partition("=")[0] for line in own}, {"KKFT", "konnectd_demo"})

    def test_malformed_requests_are_a_mistake_of_the_sender(self) -> None:
        """Repeated and broken parameters are refused with a page."""
        for query in ("state=a&state=b", "state=%zz", "error=%00"):
            self.assertEqual(self.visitor.get(f"/demo/callback?{query}").status, 400, query)

    def test_what_the_provider_says_is_only_text(self) -> None:
        """Markup in an error of the answer stays text, and the page is well-formed."""
        hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22'%3E%3Cb%3E"
        home = self.visitor.get("/demo/")
        started = self.visitor.once("POST", f"{ORIGIN}/demo/start", {"csrf": home.field("csrf")}, {"Origin": ORIGIN})
        state = parse_qs(urlsplit(started.header("Location")).query)["state"][0]
        page = self.visitor.get(
            f"/demo/callback?state={state}&iss={ORIGIN}&error={hostile}&error_description={hostile}"
        )

        self.assertEqual(shape(page.body), xml_shape(page.body))
        self.assertIn("<script>alert(1)</script>", text_of(page.body))
