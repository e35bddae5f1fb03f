"""The demo as somebody tries it: the real command, real HTTP, a real browser with scripts and without."""

import json
import shutil
import subprocess
from contextlib import ExitStack

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SkipTest, TestCase

from tests.real.daemon import Daemon, daemon
from tests.real.test_pages import CONTRAST
from tests.support.browser import browser, complaints, missing, next_page, page_of, prefer, resize
from tests.support.markup import elements

#: Far more than it takes; a start that is really slow is what this finds.
READY_SECONDS = 10
PATIENCE = 20
#: Spec: WCAG 2.2, 1.4.3 (contrast) and 1.4.10 (reflow).
LEAST_CONTRAST = 4.5
NARROWEST = 320
#: Folds everything out and returns by how much the page is wider than the screen.
TOO_WIDE = """
document.querySelectorAll("details").forEach((part) => { part.open = true; });
return document.documentElement.scrollWidth - document.documentElement.clientWidth;
"""


class Visitor:
    """Somebody at a browser."""

    def __init__(self, driver: Chrome, demo: Daemon) -> None:
        """Open the first page."""
        self._driver = driver
        self._demo = demo
        driver.get(demo.url("/"))

    @property
    def title(self) -> str:
        """What the window is called."""
        return str(self._driver.title)

    @property
    def path(self) -> str:
        """Where the browser is, without host and query."""
        return str(self._driver.current_url).removeprefix(self._demo.url()).partition("?")[0]

    @property
    def text(self) -> str:
        """What is to be read."""
        return str(self._driver.find_element(By.TAG_NAME, "main").text)

    def press(self, label: str) -> None:
        """Press a button and wait until the page is another one."""
        before = page_of(self._driver)
        self._driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()
        next_page(self._driver, before)

    def type_name_and_password(self, username: str, password: str) -> None:
        """Fill in the sign-in form and send it."""
        for name, value in (("username", username), ("password", password)):
            field = self._driver.find_element(By.ID, name)
            field.clear()
            field.send_keys(value)
        self.press("Sign in")

    def sign_in(self) -> None:
        """Go from the first page to the steps."""
        self.press("Sign in")
        self.type_name_and_password("alice", "wonderland")
        self.press("Allow")

    def command(self, word: str) -> str:
        """Return the shell command on the page that has a word in it."""
        shown = ("".join(item.text) for item in elements(self._driver.page_source.encode()) if item.name == "code")
        return next(text for text in shown if text.startswith("curl ") and word in text)


class DemoTests(TestCase):
    """From the first page to signing out."""

    def setUp(self) -> None:
        """Start the demo."""
        if missing():
            raise SkipTest(missing())
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.stack = stack
        self.demo = stack.enter_context(daemon(command="demo"))

    def visit(self, *, javascript: bool = True) -> tuple[Visitor, Chrome]:
        """Open the demo in a browser."""
        driver = self.stack.enter_context(browser(javascript=javascript))
        return Visitor(driver, self.demo), driver

    def go_through(self, *, javascript: bool) -> None:
        """Go all the way, as the first page describes it."""
        visitor, driver = self.visit(javascript=javascript)
        self.assertEqual(visitor.path, "/demo/")
        self.assertIn("wonderland", visitor.text)

        visitor.press("Sign in")
        visitor.type_name_and_password("alice", "looking-glass")
        self.assertEqual(visitor.path, "/signin/v1/identifier")
        self.assertIn("Not signed in", visitor.title)
        visitor.type_name_and_password("alice", "wonderland")
        self.assertIn("Demo application", visitor.title)
        visitor.press("Allow")

        self.assertEqual(visitor.path, "/demo/steps")
        for words in ("Hello, Alice Liddell", "alice@example.com", "auth_time", "nonce is the one of this sign-in."):
            self.assertIn(words, visitor.text)

        visitor.press("Refresh the tokens")
        self.assertIn("The claims of the new ID token", visitor.text)
        visitor.press("Sign out")
        self.assertEqual(visitor.path, "/demo/")
        self.assertIn("You are signed out", visitor.text)

        visitor.press("Sign in")
        self.assertEqual(visitor.path, "/signin/v1/identifier")
        self.assertEqual(complaints(driver), [])

    def test_with_scripts(self) -> None:
        """Everything works, and the browser finds nothing to complain about."""
        self.go_through(javascript=True)

    def test_without_scripts(self) -> None:
        """Everything works the same."""
        self.go_through(javascript=False)

    def test_denying(self) -> None:
        """Whoever denies sees what that means, and can begin again."""
        visitor, driver = self.visit()
        visitor.press("Sign in")
        visitor.type_name_and_password("bob", "builder")
        visitor.press("Deny")

        self.assertEqual((visitor.path, visitor.title), ("/demo/callback", "The provider refused"))
        self.assertIn("chose Deny", visitor.text)
        driver.find_element(By.LINK_TEXT, "Begin again").click()
        self.assertEqual(visitor.path, "/demo/")

    def test_the_commands_work(self) -> None:
        """What a page shows as a command does in a shell what the page says."""
        if shutil.which("curl") is None:
            raise SkipTest("curl is not installed")
        visitor, _ = self.visit()
        visitor.sign_in()
        userinfo = json.loads(in_shell(visitor.command("/userinfo")))
        tokens = json.loads(in_shell(visitor.command("refresh_token=")))
        asked = in_shell(visitor.command("response_type=code"))
        spent = json.loads(in_shell(visitor.command("code_verifier=")))

        self.assertEqual((userinfo["name"], tokens["token_type"]), ("Alice Liddell", "Bearer"))
        self.assertIn("Location: /signin/v1/identifier", asked)
        self.assertEqual(spent["error"], "invalid_grant")

    def test_everybody_can_read_it(self) -> None:
        """Light and dark, each page has contrast enough, and nothing sticks out of a small screen."""
        visitor, driver = self.visit()
        weak = []
        for go_on in (visitor.sign_in, lambda: driver.get(self.demo.url("/demo/callback")), None):
            for scheme in ("light", "dark"):
                prefer(driver, prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
                resize(driver, NARROWEST, 640)
                if driver.execute_script(TOO_WIDE) > 0:
                    weak.append(f"{visitor.title} is too wide")
                contrast, words = driver.execute_script(CONTRAST)
                if contrast < LEAST_CONTRAST:
                    weak.append(f"{visitor.title}, {scheme}: {words} has {contrast}")
            if go_on is not None:
                go_on()

        self.assertEqual(weak, [])

    def test_it_is_ready_soon(self) -> None:
        """Nobody has to wait, and one line says where to go."""
        self.assertLess(self.demo.ready_after, READY_SECONDS)
        self.demo.said("konnectd demo: open")
        self.assertEqual(self.demo.log.splitlines(), [f"konnectd demo: open {self.demo.url('/demo/')} in a browser"])

    def test_it_stops_in_order(self) -> None:
        """A signal ends it with success."""
        self.assertEqual(self.demo.stop(), 0)


def in_shell(command: str) -> str:
    """Return what a command writes."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
