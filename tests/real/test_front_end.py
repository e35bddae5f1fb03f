"""A front end of somebody else's in Chromium: it signs people in through the identifier API of the real daemon."""

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from twisted.trial.unittest import SkipTest, TestCase

from tests.real.daemon import Daemon, daemon
from tests.support.browser import browser, complaints, missing, patient

FRONT_END = Path(__file__).parent / "front_end"
ENTRY = "/signin/v1/identifier"


class Person:
    """Somebody at a browser."""

    def __init__(self, driver: Chrome, demo: Daemon) -> None:
        """Sit down."""
        self.driver = driver
        self._demo = demo

    def open(self, path: str) -> None:
        """Go to an address."""
        self.driver.get(self._demo.url(path))

    def press(self, label: str) -> None:
        """Press a button as soon as it is there."""
        place = (By.XPATH, f"//button[normalize-space()='{label}']")
        patient(self.driver).until(presence_of_element_located(place)).click()

    def sees(self, words: str) -> bool:
        """Wait until something can be read."""

        def there(driver: Chrome) -> bool:
            return words in str(driver.execute_script("return document.body ? document.body.innerText : ''"))

        return bool(patient(self.driver).until(there))

    def sign_in(self, password: str = "wonderland") -> None:
        """Type name and password."""
        for name, value in (("username", "alice"), ("password", password)):
            place = (By.ID, name)
            patient(self.driver).until(presence_of_element_located(place)).send_keys(value)
        self.press("Next")


class FrontEndTests(TestCase):
    """The demo's application, and a front end in the place of our pages."""

    def setUp(self) -> None:
        """Start both."""
        if missing():
            raise SkipTest(missing())
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.demo = stack.enter_context(daemon(f"--identifier-client-path={FRONT_END}", command="demo"))
        self.driver = stack.enter_context(browser())
        self.person = Person(self.driver, self.demo)

    def place(self) -> str:
        """Return the path of the address the browser is at."""
        return urlsplit(self.driver.current_url).path

    def arrive(self) -> None:
        """Come from the application."""
        self.person.open("/demo/")
        self.person.press("Sign in")

    def test_from_the_application_and_back(self) -> None:
        """Somebody mistypes, signs in, agrees, and is known to the application; nothing is forbidden on the way."""
        self.arrive()
        self.person.sign_in("looking-glass")
        self.assertTrue(self.person.sees("wrong"))
        self.assertEqual(self.place(), ENTRY)
        inline = self.driver.execute_script("return document.documentElement.dataset.inline")
        self.person.sign_in()
        self.assertTrue(self.person.sees("Demo application asks"))
        self.person.press("Agree")
        self.assertTrue(self.person.sees("Alice"))

        self.assertEqual((inline, self.place()), ("ran", "/demo/steps"))
        self.assertEqual([line for line in complaints(self.driver) if "Content Security Policy" in line], [])

    def test_cancel(self) -> None:
        """Whoever does not agree gets back to the application, which is told so."""
        self.arrive()
        self.person.sign_in()
        self.person.press("Cancel")

        self.assertTrue(self.person.sees("access_denied"))

    def test_welcome_and_goodbye(self) -> None:
        """Whom no client awaits is welcomed, and can leave, after which nobody is there."""
        self.person.open(ENTRY)
        self.person.sign_in()
        self.assertTrue(self.person.sees("Welcome Alice"))
        self.person.open("/signin/v1/goodbye")
        self.person.press("Sign out")
        self.assertTrue(self.person.sees("You are signed out."))
        self.person.open(ENTRY)

        self.assertTrue(self.person.sees("Sign in"))

    def test_choice(self) -> None:
        """Whoever is signed in chooses their account and is with the application, without a password or a page more."""
        self.arrive()
        request = parse_qs(urlsplit(self.driver.current_url).query)
        self.person.sign_in()
        self.person.press("Agree")
        self.assertTrue(self.person.sees("Alice"))
        sent = {name: values[0] for name, values in request.items() if name not in {"flow", "interaction"}}
        self.person.open(f"{ENTRY}/_/authorize?{urlencode({**sent, 'prompt': 'select_account'})}")
        self.assertTrue(self.person.sees("Choose an account"))
        self.person.press("alice")
        patient(self.driver).until(lambda _: self.place().startswith("/demo/") or self.agrees())

        self.assertTrue(self.place().startswith("/demo/"))

    def agrees(self) -> bool:
        """Agree if that is asked; the demo's application proves nothing about itself, so it always is."""
        buttons = self.driver.find_elements(By.XPATH, "//button[normalize-space()='Agree']")
        for found in buttons:
            found.click()
        return False

    def test_our_other_pages(self) -> None:
        """A page that is still ours sends people to the front end, and gets them back."""
        self.person.open(f"{ENTRY}/_/account")
        self.person.sign_in()

        self.assertTrue(self.person.sees("Your applications and sessions"))
