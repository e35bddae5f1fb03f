"""The page of applications and sessions as somebody uses it: the real daemon, and two real browsers."""

from contextlib import ExitStack

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SkipTest, TestCase

from tests.real.daemon import daemon
from tests.real.test_demo import Visitor
from tests.support.browser import browser, complaints, missing

ACCOUNT = "/signin/v1/identifier/_/account"


class AccountTests(TestCase):
    """Seeing and taking back."""

    def setUp(self) -> None:
        """Start the demo, whose application asks for access that lasts."""
        if missing():
            raise SkipTest(missing())
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.demo = self.stack.enter_context(daemon(command="demo"))

    def sign_in(self, *, javascript: bool = True) -> tuple[Visitor, Chrome]:
        """Sign Alice in with a browser of its own."""
        driver = self.stack.enter_context(browser(javascript=javascript))
        visitor = Visitor(driver, self.demo)
        visitor.sign_in()
        return visitor, driver

    def look(self, driver: Chrome) -> str:
        """Open the page, and return what is to be read."""
        driver.get(self.demo.url(ACCOUNT))
        return str(driver.find_element(By.TAG_NAME, "main").text)

    def test_remove_access(self) -> None:
        """What an application got is worth nothing after one press of a button."""
        visitor, driver = self.sign_in()
        before = self.look(driver)
        visitor.press("Remove access")
        after = visitor.text
        found = complaints(driver)
        driver.get(self.demo.url("/demo/steps"))
        visitor.press("Refresh the tokens")

        self.assertIn("Demo application", before)
        self.assertIn("Chrome on Linux", before)
        self.assertNotIn("Demo application", after)
        self.assertIn("invalid_grant", visitor.text)
        self.assertEqual(found, [])

    def test_sign_out_elsewhere(self) -> None:
        """One browser signs out the other, without scripts, and goes on itself."""
        _, other = self.sign_in()
        visitor, driver = self.sign_in(javascript=False)
        self.assertIn("Sign out", self.look(driver))
        visitor.press("Sign out")

        self.assertEqual(visitor.path, ACCOUNT)
        self.assertIn("This browser", visitor.text)
        self.assertNotIn("Remove access", self.look(other))
        self.assertEqual(other.title, "Sign in")
