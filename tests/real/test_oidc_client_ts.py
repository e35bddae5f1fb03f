"""A single page application built on oidc-client-ts, in Chromium: other origin, no secret, everything by script."""

from typing import Any
from urllib.parse import quote

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from tests.real import node, slapd
from tests.real.installation import Directory, provider
from tests.real.node import FOLDER
from tests.real.site import site
from tests.support.browser import browser, complaints, missing, patient
from tests.support.files import folder

PATIENCE = 20
FILES = {
    "/": FOLDER / "page.html",
    "/page.js": FOLDER / "page.js",
    "/silent.html": FOLDER / "silent.html",
    "/oidc-client-ts.js": FOLDER / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js",
}


class PageTests(SynchronousTestCase):
    """What happens while the application is open."""

    skip = slapd.SKIP or missing() or node.package_missing("oidc-client-ts")

    def setUp(self) -> None:
        """Start directory, application, provider and browser."""
        directory = self.enterContext(Directory.start())
        self.here = self.enterContext(site(FILES))
        client = {
            "id": "page",
            "trusted": True,
            "redirect_uris": [f"{self.here}/", f"{self.here}/silent.html"],
            "post_logout_redirect_uris": [f"{self.here}/"],
        }
        self.provider = self.enterContext(provider(folder(self), [client], directory.by_ldaps()))
        self.browser = self.enterContext(browser())
        self.browser.set_script_timeout(PATIENCE)
        self.wait = patient(self.browser)

    def call(self, name: str) -> dict[str, Any]:
        """Have the application do something, and return what came of it."""
        script = "call(arguments[0], arguments[arguments.length - 1])"
        found: dict[str, Any] = self.browser.execute_async_script(script, name)
        return found

    def sign_in(self) -> dict[str, Any]:
        """Have alice sign in from the application, and return what it has then."""
        self.browser.get(f"{self.here}/?authority={quote(self.provider.url(), safe='')}")
        self.browser.execute_script("application.signIn()")
        self.wait.until(lambda seen: seen.current_url.startswith(self.provider.url("/signin/")))
        self.browser.find_element(By.NAME, "username").send_keys("alice")
        self.browser.find_element(By.NAME, "password").send_keys("wonderland", Keys.ENTER)
        self.wait.until(lambda seen: seen.current_url.startswith(f"{self.here}/?"))
        return self.call("finish")

    def heard(self) -> list[str]:
        """Return what the library has told the application without being asked."""
        return list(self.browser.execute_script("return heard"))

    def end_session(self) -> None:
        """Sign out in another window, where this application has no part."""
        window = self.browser.current_window_handle
        self.browser.switch_to.new_window("tab")
        self.browser.get(self.provider.url("/signin/v1/identifier/_/welcome"))
        self.browser.find_element(By.NAME, "signout").click()
        self.wait.until(lambda seen: all(cookie["name"] != "KKT" for cookie in seen.get_cookies()))
        self.browser.close()
        self.browser.switch_to.window(window)

    def test_sign_in(self) -> None:
        """Metadata, keys, tokens and userinfo are read across origins, and the browser has nothing to complain of."""
        user = self.sign_in()["result"]

        self.assertEqual((user["profile"]["name"], user["profile"]["email"]), ("Alice", "alice@example.org"))
        self.assertEqual((user["profile"]["iss"], user["profile"]["aud"]), (self.provider.url(), "page"))
        self.assertTrue(user["session_state"])
        self.assertEqual(complaints(self.browser), [])

    def test_renewal_in_a_frame(self) -> None:
        """A frame that nobody sees gets new tokens for the same session, and no refresh token is needed."""
        before = self.sign_in()["result"]
        after = self.call("renew")["result"]

        self.assertNotIn("refresh_token", before)
        self.assertNotEqual(after["access_token"], before["access_token"])
        for name in ("sub", "sid"):
            self.assertEqual(after["profile"][name], before["profile"][name])
        self.assertEqual(complaints(self.browser), [])

    def test_signed_out_elsewhere(self) -> None:
        """The application learns that the session is over although nobody tells it: its frame asks and sees."""
        self.sign_in()
        self.end_session()
        self.wait.until(lambda seen: self.heard())
        renewed = self.call("renew")

        self.assertEqual(self.heard()[0], "signed out")
        self.assertEqual(renewed, {"error": "login_required"})

    def test_sign_out(self) -> None:
        """Signing out from the application leads back to it, and it can renew nothing after."""
        self.sign_in()
        self.browser.execute_script("application.signOut()")
        self.wait.until(lambda seen: seen.current_url.startswith(f"{self.here}/"))

        self.assertEqual(self.call("renew"), {"error": "login_required"})
