"""An automatic check of every page in every state by the rules of WCAG 2.2 AA, light and dark."""

from selenium.webdriver import Chrome
from twisted.trial.unittest import SynchronousTestCase

from tests.real import axe
from tests.real.daemon import daemon
from tests.real.test_demo import Visitor
from tests.support.browser import browser, missing, prefer, resize, without_scripts
from tests.support.page_server import PageServer
from tests.support.states import STATES

#: Names that differ in nothing that is looked at here would only take time.
CHECKED = {name: state for name, state in STATES.items() if not name.endswith(("~long", "~unbroken", "~right"))}
#: Spec: WCAG 2.2, 1.4.10 (reflow).
NARROWEST = 320


class AccessibilityTests(SynchronousTestCase):
    """Nobody is kept out, as far as a program can tell."""

    skip = missing() or axe.SKIP

    def setUp(self) -> None:
        """Start server and browser."""
        self.server = self.enterContext(PageServer())
        self.server.views = {f"/{name}": state.view for name, state in CHECKED.items()}
        self.driver: Chrome = self.enterContext(browser())
        axe.bring(self.driver)

    def look(self, name: str) -> list[str]:
        """Open a page, do there what is done, and return what is found."""
        state = CHECKED[name]
        without_scripts(self.driver, blocked=state.sends_itself)
        self.driver.get(self.server.url(f"/{name}"))
        if state.done:
            self.driver.execute_script(state.done)
        return [f"{name}: {line}" for line in axe.findings(self.driver)]

    def all_findings(self, scheme: str) -> list[str]:
        """Return what is found on all pages; without motion, which would be met in the middle of a change."""
        prefer(self.driver, prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        return [line for name in CHECKED for line in self.look(name)]

    def test_light(self) -> None:
        """Nothing is found in the light."""
        self.assertEqual(self.all_findings("light"), [])

    def test_dark_and_small(self) -> None:
        """Nothing is found in the dark, on the smallest screen."""
        resize(self.driver, NARROWEST, 640, mobile=True)
        self.assertEqual(self.all_findings("dark"), [])

    def test_from_the_right(self) -> None:
        """Nothing is found in a language that is written from the right."""
        self.server.ui_locales = "ar"
        self.assertEqual(self.all_findings("light"), [])

    def test_it_finds(self) -> None:
        """The check is not blind: text that is too pale, a field without its label, and a mute button are found."""
        self.assertEqual(self.look("signin"), [])
        self.driver.execute_script(
            "document.querySelector('.lead').id = 'pale'; document.querySelector('label').remove();"
            "document.querySelector('.reveal').removeAttribute('aria-label');"
            "document.querySelector('.reveal').removeAttribute('title');"
            "const sheet = new CSSStyleSheet(); sheet.replaceSync('#pale { color: #bbb; }');"
            "document.adoptedStyleSheets = [sheet];"
        )
        rules = {line.partition(":")[0] for line in axe.findings(self.driver)}

        self.assertEqual(rules, {"button-name", "color-contrast", "label"})


class DemoAccessibilityTests(SynchronousTestCase):
    """The pages of the sample application."""

    skip = missing() or axe.SKIP

    def test_demo(self) -> None:
        """Nothing is found on the first page, among the steps, and where something went wrong, light and dark."""
        demo = self.enterContext(daemon(command="demo"))
        driver = self.enterContext(browser())
        axe.bring(driver)
        visitor = Visitor(driver, demo)
        found = []
        for go_on in (visitor.sign_in, lambda: driver.get(demo.url("/demo/callback")), None):
            driver.execute_script("document.querySelectorAll('details').forEach((part) => { part.open = true; });")
            for scheme in ("light", "dark"):
                prefer(driver, prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
                found += [f"{visitor.title}, {scheme}: {line}" for line in axe.findings(driver)]
            if go_on is not None:
                go_on()

        self.assertEqual(found, [])
