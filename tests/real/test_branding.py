"""What an installation made its own, in a real browser: it can be read, it fits, and no picture runs anything."""

from attrs import evolve
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.branding import Branding
from konnectd.protocol.color import Color
from tests.real.test_pages import CONTRAST
from tests.support.branding import EVERYTHING, PICTURES, served
from tests.support.browser import browser, complaints, missing, prefer, resize
from tests.support.page_server import PREFIX, PageServer
from tests.support.views import SAMPLES

#: Pages with everything that has a color.
LOOKED_AT = ("signin", "signin-wrong_credentials", "consent", "welcome", "account", "farewell", "error-unknown_client")
#: Colors that are hard to read somewhere.
HARD = ("#ffcc00", "#ffffff", "#000000", "#777777", "#0a2a5e", "#ff0000")
#: Returns the names of what the page has loaded.
LOADED = "return performance.getEntriesByType('resource').map((entry) => entry.name)"


class BrandingTests(SynchronousTestCase):
    """Pages of installations."""

    if missing():
        skip = missing()

    def open(self, branding: Branding) -> None:
        """Serve the pages of an installation to a browser that has just been started."""
        server = PageServer(branding)
        server.views = {f"/{name}": SAMPLES[name] for name in LOOKED_AT}
        self.server = self.enterContext(server)

    def setUp(self) -> None:
        """Start a browser."""
        self.driver: Chrome = self.enterContext(browser())

    def look(self, name: str) -> None:
        """Open a page."""
        self.driver.get(self.server.url(f"/{name}"))

    def check_contrast(self, branding: Branding, names: tuple[str, ...]) -> None:
        """Expect that all text of some pages stands out."""
        self.open(branding)
        for scheme in ("light", "dark"):
            prefer(self.driver, prefers_color_scheme=scheme)
            for name in names:
                self.look(name)
                ratio, text = self.driver.execute_script(CONTRAST)

                self.assertGreaterEqual(ratio, 4.5, f"{branding.color}, {name}, {scheme}: {text}")

    def test_contrast(self) -> None:
        """All text stands out by 4.5 to 1, in light and in dark, on pages with everything."""
        self.check_contrast(EVERYTHING, LOOKED_AT)
        self.check_contrast(PICTURES, LOOKED_AT)

    def test_hard_colors(self) -> None:
        """So it does whatever the color, of the brand and behind the page."""
        for text in HARD:
            color = Color.parse(text)
            branding = evolve(EVERYTHING, color=color, background=color, background_dark=color)
            self.check_contrast(branding, ("signin", "consent"))

    def test_quiet(self) -> None:
        """No page makes the browser complain, and nothing has to be scrolled sideways on a screen of 320 pixels."""
        for branding in (EVERYTHING, PICTURES):
            self.open(branding)
            resize(self.driver, 320, 640, mobile=True)
            for name in LOOKED_AT:
                self.look(name)
                width = self.driver.execute_script("return document.documentElement.scrollWidth")

                self.assertLessEqual(width, 320, name)
                self.assertEqual([line for line in complaints(self.driver) if "status of 40" not in line], [], name)

    def test_picture_behind(self) -> None:
        """A picture behind the page is loaded where there is room for it, and nowhere else."""
        self.open(PICTURES)
        for width, loaded in ((320, False), (1100, True)):
            resize(self.driver, width, 700)
            self.look("signin")
            names = self.driver.execute_script(LOADED)

            self.assertEqual(any("brand-background" in name for name in names), loaded, width)

    def test_logo_of_the_scheme(self) -> None:
        """Dark screens get the logo for them."""
        self.open(EVERYTHING)
        for scheme, name in (("light", "brand-logo."), ("dark", "brand-logo-dark.")):
            prefer(self.driver, prefers_color_scheme=scheme)
            self.look("signin")
            image = self.driver.find_element(By.CSS_SELECTOR, ".masthead img")

            self.assertIn(name, str(self.driver.execute_script("return arguments[0].currentSrc", image)))
            self.assertEqual(image.size["height"], 48)

    def test_svg_runs_nothing(self) -> None:
        """A logo with scripts in it runs none, neither in the page nor opened by itself."""
        self.open(EVERYTHING)
        path = served(EVERYTHING)["brand-logo.svg"].path
        for address in ("/signin", PREFIX + path.rpartition("/")[2]):
            self.driver.get(self.server.url(address))
            with self.assertRaises(NoAlertPresentException):
                self.driver.switch_to.alert.accept()
        self.assertEqual(self.driver.find_element(By.TAG_NAME, "text").text, "Example")
