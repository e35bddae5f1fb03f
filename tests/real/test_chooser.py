"""Two people in one real browser: the chooser with scripts, without, and by keyboard, and what applications notice."""

import json

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HTML_TYPE, HttpRequest, HttpResponse
from tests.real.daemon import Daemon, daemon, free_port
from tests.real.test_leaving import ASK, CHECK_SESSION
from tests.support.browser import PATIENCE, browser, complaints, missing, next_page, page_of, patient
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.page_server import PageServer
from tests.support.requests import VERIFIER

INNER = "/signin/v1/identifier/_/"
USERS = (
    "users:\n"
    "  - {{username: alice, name: Alice, password: {password}}}\n"
    "  - {{username: bob, name: Bob, password: {password}}}\n"
)
CLIENTS = """clients:
  - id: watcher
    name: Watcher
    trusted: true
    application_type: native
    redirect_uris: [{app}/cb]
"""


class ChooserTests(SynchronousTestCase):
    """Several people in one browser."""

    if missing():
        skip = missing()

    def setUp(self) -> None:
        """Start a daemon that lets people stay, and an application with a page of its own."""
        self.server = self.enterContext(PageServer())
        self.server.respond = self.respond
        self.app = self.server.url("", "localhost")
        port = free_port()
        users = USERS.format(password=json.dumps(quick_hash("wonderland")))
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', CLIENTS.format(app=self.app))}",
            f"--file-users={write(self, 'users.yaml', users)}",
            "--stay-signed-in=offer",
            "file",
        )
        self.op: Daemon = self.enterContext(daemon(*words, port=port))

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Be the application, with the page that watches sessions in a frame."""
        page = f'<!DOCTYPE html><title>app</title><iframe id="op" src="{self.op.url(CHECK_SESSION)}"></iframe>'
        return HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=page.encode())

    def authorize(self, driver: Chrome, more: str = "") -> None:
        """Send the browser to the provider."""
        driver.get(
            f"{self.op.url(f'{INNER}authorize')}?client_id=watcher&redirect_uri={self.app}/cb&response_type=id_token"
            f"&scope=openid&nonce={VERIFIER}&state=s{more}"
        )

    def state(self, driver: Chrome) -> str:
        """Return the ``session_state`` that the browser has come back with."""
        patient(driver).until(lambda driver: str(driver.current_url).startswith(f"{self.app}/cb"))
        fragment = driver.current_url.partition("#")[2]
        return dict(pair.split("=", 1) for pair in fragment.split("&"))["session_state"].replace("%2E", ".")

    def type_in(self, driver: Chrome, username: str, *, stay: bool = False) -> None:
        """Sign somebody in by keyboard alone."""
        before = page_of(driver)
        driver.find_element(By.ID, "username").send_keys(username)
        if stay:
            driver.find_element(By.ID, "stay").send_keys(Keys.SPACE)
        driver.find_element(By.ID, "password").send_keys("wonderland", Keys.ENTER)
        next_page(driver, before)

    def press(self, driver: Chrome, name: str, value: str) -> None:
        """Press a button by keyboard."""
        before = page_of(driver)
        driver.find_element(By.CSS_SELECTOR, f'button[name="{name}"][value="{value}"]').send_keys(Keys.ENTER)
        next_page(driver, before)

    def go_through(self, driver: Chrome) -> tuple[str, str]:
        """Sign two people in, one of whom stays, and pick the first; return their session states."""
        # A key leads to the next page in its own time: what is looked for may be a moment away.
        driver.implicitly_wait(PATIENCE)
        self.authorize(driver)
        self.type_in(driver, "alice", stay=True)
        first = self.state(driver)
        self.authorize(driver, "&prompt=select_account")
        self.press(driver, "other", "1")
        self.type_in(driver, "bob")
        second = self.state(driver)
        self.authorize(driver, "&prompt=select_account")
        self.assertEqual([b.get_attribute("value") for b in driver.find_elements(By.NAME, "account")], ["bob", "alice"])
        self.press(driver, "account", "alice")
        self.state(driver)
        return first, second

    def watch(self, driver: Chrome, state: str) -> str:
        """Ask the page that watches sessions about one."""
        driver.get(f"{self.app}/")
        driver.set_script_timeout(PATIENCE)
        return str(driver.execute_async_script(ASK, f"watcher {state}", self.op.url())[0])

    def test_with_scripts(self) -> None:
        """Each application watches the session of its own person; who is signed out in the chooser is noticed alone."""
        with browser() as driver:
            first, second = self.go_through(driver)
            before = [self.watch(driver, state) for state in (first, second)]
            driver.get(self.op.url(f"{INNER}chooseaccount"))
            self.press(driver, "signout", "bob")
            after = [self.watch(driver, state) for state in (first, second)]

            self.assertEqual((before, after), (["unchanged", "unchanged"], ["unchanged", "changed"]))
            self.assertEqual(complaints(driver), [])
            driver.get(self.op.url(f"{INNER}welcome"))
            lives = {cookie["name"]: "expiry" in cookie for cookie in driver.get_cookies()}
            self.assertEqual({name: lives.get(name) for name in ("KKT", "KKT-1")}, {"KKT": True, "KKT-1": None})

    def test_without_scripts(self) -> None:
        """The same way, up to signing out of everything on the page that asks."""
        with browser(javascript=False) as driver:
            self.go_through(driver)
            driver.get(self.op.url(f"{INNER}goodbye"))
            self.press(driver, "signout", "all")
            self.authorize(driver)

            self.assertEqual(driver.title, "Sign in")
