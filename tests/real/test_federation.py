"""One daemon sends a real browser to another one to sign in, and to sign out."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import yaml
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HTML_TYPE, HttpResponse
from tests.real.daemon import Daemon, daemon, free_port
from tests.support.browser import browser, complaints, missing
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.page_server import PageServer
from tests.support.requests import CHALLENGE

PATIENCE = 15
SECRET = "a secret of thirty-two characters"
USERS = "users:\n  - username: {name}\n    password: {password}\n    name: Alice Liddell\n"


class FederationCase(SynchronousTestCase):
    """Two daemons, an application and a browser; hosts have two names, so that cookies are kept apart."""

    if missing():
        skip = missing()

    options: tuple[str, ...] = ()
    default = True
    response_type = "code"
    #: What somebody is called there.
    there = "alice.there"

    def setUp(self) -> None:
        """Start everything."""
        self.server = self.enterContext(PageServer())
        self.server.respond = lambda _request: HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=b"<p>app</p>")
        self.app = self.server.url("", "localhost")
        op_port, rp_port = free_port(), free_port()
        self.op_uri, self.rp_uri = f"http://127.0.0.1:{op_port}", f"http://localhost:{rp_port}"
        back = f"{self.rp_uri}/signin/v1/identifier/oauth2/cb"
        konnect = {
            "id": "konnect",
            "secret": SECRET,
            "trusted": True,
            "redirect_uris": [back],
            "post_logout_redirect_uris": [back],
        }
        entry = {
            "id": "corp",
            "name": "Corporate sign-in",
            "authority_type": "oidc",
            "default": self.default,
            "iss": self.op_uri,
            "client_id": "konnect",
            "client_secret": SECRET,
            "response_type": self.response_type,
            "identity_aliases": {self.there: "alice"},
            "end_session_enabled": True,
        }
        app = {
            "id": "app",
            "name": "An application",
            "redirect_uris": [f"{self.app}/cb"],
            "post_logout_redirect_uris": [f"{self.app}/bye"],
            "secret": SECRET,
        }
        self.op = self.start(op_port, self.op_uri, self.there, {"clients": [konnect]})
        self.rp = self.start(rp_port, self.rp_uri, "alice", {"clients": [app], "authorities": [entry]}, *self.options)
        self.driver: Chrome = self.enterContext(browser())

    def start(self, port: int, issuer: str, name: str, registration: dict[str, object], *options: str) -> Daemon:
        """Start a daemon with one person."""
        folder = f"{port}-"
        users = write(
            self, f"{folder}users.yaml", USERS.format(name=name, password=json.dumps(quick_hash("wonderland")))
        )
        clients = write(self, f"{folder}clients.yaml", yaml.safe_dump(registration))
        words = (f"--iss={issuer}", f"--identifier-registration-conf={clients}", f"--file-users={users}", *options)
        return self.enterContext(daemon(*words, "file", port=port))

    def begin(self, **more: str) -> None:
        """Go to the application's sign-in."""
        query = {
            "client_id": "app",
            "redirect_uri": f"{self.app}/cb",
            "response_type": "code",
            "scope": "openid profile",
            "state": "s-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        self.driver.get(f"{self.rp_uri}/signin/v1/identifier/_/authorize?{urlencode(query)}")

    def until(self, there: Callable[[str], bool]) -> str:
        """Wait until the browser is somewhere, and return where."""
        WebDriverWait(self.driver, PATIENCE).until(lambda driver: there(driver.current_url))
        return str(self.driver.current_url)

    def press(self, name: str) -> None:
        """Press a button of the page."""
        self.driver.find_element(By.CSS_SELECTOR, f"button[name={name}]").click()

    def password(self) -> None:
        """Type a password at the other daemon."""
        self.until(lambda url: url.startswith(self.op_uri))
        self.driver.find_element(By.ID, "username").send_keys(self.there)
        self.driver.find_element(By.ID, "password").send_keys("wonderland")
        self.driver.find_element(By.CSS_SELECTOR, "button.main").click()

    def allow(self) -> None:
        """Agree to what the application asks for."""
        self.until(lambda url: url.startswith(self.rp_uri) and "/consent" in url)
        self.press("allow")

    def code(self) -> str:
        """Return the code that the application gets."""
        url = self.until(lambda url: url.startswith(f"{self.app}/cb?"))
        return parse_qs(urlsplit(url).query)["code"][0]

    def sign_in(self) -> None:
        """Sign in there, agree here."""
        self.begin()
        self.password()
        self.allow()
        self.assertNotEqual(self.code(), "")


class CodeTests(FederationCase):
    """A code, as it should be."""

    def test_there_and_back(self) -> None:
        """Somebody signs in there, agrees here, and gets to the application."""
        self.sign_in()

        self.assertEqual(complaints(self.driver), [])

    def test_again(self) -> None:
        """The next time nobody is asked anything."""
        self.sign_in()
        self.begin(state="s-2")

        self.assertNotEqual(self.code(), "")

    def test_signing_out(self) -> None:
        """Signing out here leads there and back, and the next one is asked who they are."""
        self.sign_in()
        query = urlencode({"client_id": "app", "post_logout_redirect_uri": f"{self.app}/bye", "state": "b-1"})
        self.driver.get(f"{self.rp_uri}/signin/v1/identifier/_/endsession?{query}")
        self.press("signout")
        self.assertEqual(self.until(lambda url: url.startswith(self.app)), f"{self.app}/bye?state=b-1")
        self.begin()
        self.until(lambda url: url.startswith(self.op_uri))

        self.assertEqual(len(self.driver.find_elements(By.ID, "password")), 1)

    def test_it_is_down(self) -> None:
        """While the other daemon is down, and has never been there, people see a page that says so."""
        self.rp.stop()
        self.op.stop()
        users = write(self, "again.yaml", USERS.format(name="alice", password=json.dumps(quick_hash("wonderland"))))
        port = int(self.rp_uri.rsplit(":", 1)[1])
        clients = next(word for word in self.rp.process.args if "registration-conf" in str(word))  # type: ignore[union-attr]
        words = (f"--iss={self.rp_uri}", str(clients), f"--file-users={users}", "file")
        self.enterContext(daemon(*words, port=port))
        self.begin()

        self.assertIn("does not answer", self.driver.find_element(By.ID, "fault").text)


class IdTokenTests(FederationCase):
    """An ID token, as Konnect has it, which the other daemon posts."""

    response_type = "id_token"

    def test_in_the_clear(self) -> None:
        """Without TLS a browser keeps no cookie that comes with a form of another site; the page says what to do."""
        self.begin()
        self.password()
        self.until(lambda url: url.startswith(f"{self.rp_uri}/signin/v1/identifier/oauth2/cb"))

        self.assertIn("start again", self.driver.find_element(By.TAG_NAME, "h1").text)


class ChoiceTests(FederationCase):
    """A button instead of a default, and no passwords."""

    options = ("--disable-local-logon",)
    default = False

    def test_button(self) -> None:
        """The page has a button and no form, and the button leads there."""
        self.begin()
        forms = self.driver.find_elements(By.ID, "password")
        self.driver.find_element(By.LINK_TEXT, "Sign in with Corporate sign-in").click()
        self.password()
        self.allow()

        self.assertEqual((forms, self.code() != ""), ([], True))
