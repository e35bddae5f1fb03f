"""Signing in with a text browser, all the way to an application that knows who came."""

from twisted.trial.unittest import SynchronousTestCase

from tests.real import text_browser
from tests.real.daemon import daemon
from tests.real.text_browser import ENTER, TAB


class TextBrowserTests(SynchronousTestCase):
    """No script, no style, no picture, no mouse."""

    skip = text_browser.SKIP

    def test_sign_in(self) -> None:
        """One reads what each page is for, types name and password, allows, and the application greets by name."""
        demo = self.enterContext(daemon(command="demo"))
        w3m = self.enterContext(text_browser.text_browser(demo.url("/demo/")))
        w3m.wait_for("Who can sign in")
        w3m.press(TAB, ENTER)
        sign_in = w3m.wait_for("to continue to Demo application")
        w3m.press(TAB, ENTER, "alice", ENTER)
        w3m.press(TAB, ENTER, "wonderland", ENTER)
        typed = w3m.redraw()
        w3m.press(TAB, ENTER)
        consent = w3m.wait_for("Demo application asks for access")
        # The link to the application, two boxes, Deny, Allow.
        w3m.press(TAB, TAB, TAB, TAB, TAB, ENTER)
        greeting = w3m.wait_for("Signed in, step by step")

        self.assertIn("Username [ ] Password [ ]", sign_in)
        self.assertIn("Username [ alice ] Password [ *", typed)
        self.assertNotIn("wonderland", typed)
        self.assertIn("See who you are", consent)
        self.assertIn("[ * ] See which groups you are in", consent)
        self.assertIn("Hello, Alice Liddell", greeting)
