"""Pages in a real browser: with and without script, by keyboard, on a small screen, in both color schemes."""

from urllib.parse import parse_qs

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.locales import NAMES, direction
from konnectd.web.texts import SIGN_IN_FAULTS
from konnectd.web.views import FormPostPage, SignInFault
from tests.support.browser import browser, complaints, missing, patient, prefer, resize
from tests.support.page_server import PageServer
from tests.support.views import SAMPLES

#: Returns the lowest contrast of any text on the page with its words, composing translucent backgrounds.
CONTRAST = """
const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3]));
const ground = (e) => {
  const own = parse(getComputedStyle(e).backgroundColor);
  return own[3] === 1 || !e.parentElement ? own.slice(0, 3) : over(own, ground(e.parentElement));
};
let worst = [99, ""];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
  if (!text || !e.getClientRects().length) continue;
  const a = light(over(parse(getComputedStyle(e).color), ground(e))), b = light(ground(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, text];
}
return worst;
"""
#: What is sent of the consent page when nothing is left out.
MARKED = {
    "scope.groups": ["1"],
    "scope.calendar": ["1"],
    "scope.offline_access": ["1"],
    "scope.example/special": ["1"],
}
BOTH = ("username", "password")
CAPS = "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'a', modifierCapsLock: arguments[1]}))"

#: Pages that can be looked at; the one that posts itself is gone before anybody could.
STAYING = {name: view for name, view in SAMPLES.items() if not isinstance(view, FormPostPage)}


class BrowserCase(SynchronousTestCase):
    """Has a server with every page."""

    javascript = True

    def setUp(self) -> None:
        """Start server and browser."""
        server = PageServer()
        server.views = {f"/{name}": view for name, view in STAYING.items()}
        self.server = self.enterContext(server)
        self.driver: Chrome = self.enterContext(browser(javascript=self.javascript))

    def open(self, name: str) -> None:
        """Open a page."""
        self.driver.get(self.server.url(f"/{name}"))

    def named(self, name: str) -> WebElement:
        """Return the field or button with a name."""
        return self.driver.find_element(By.NAME, name)

    def sent(self) -> list[dict[str, list[str]]]:
        """Wait until something was posted, and return all forms that were."""
        patient(self.driver).until(lambda driver: "posted" in driver.page_source)
        return [parse_qs(post.body.decode(), keep_blank_values=True) for post in self.server.posts]


class WithScriptTests(BrowserCase):
    """What most people have."""

    if missing():
        skip = missing()

    def test_clean(self) -> None:
        """No page makes the browser complain: nothing is missing and the policy forbids nothing that is needed."""
        for name in STAYING:
            self.open(name)
            painted = self.driver.execute_script("return getComputedStyle(document.querySelector('main')).maxWidth")

            # An error page has the status of an error, which the browser mentions.
            complained = [line for line in complaints(self.driver) if "with a status of 40" not in line]

            self.assertEqual(complained, [], name)
            self.assertEqual(painted, "432px", name)

    def test_small_screen(self) -> None:
        """Nothing has to be scrolled sideways on a screen of 320 pixels, and every button is big enough to be hit."""
        resize(self.driver, 320, 640, mobile=True)
        for name in STAYING:
            self.open(name)
            width = self.driver.execute_script("return document.documentElement.scrollWidth")
            sizes = [button.size for button in self.driver.find_elements(By.CSS_SELECTOR, "button, .button")]

            self.assertLessEqual(width, 320, name)
            self.assertTrue(all(size["height"] >= 44 and size["width"] >= 44 for size in sizes), f"{name}: {sizes}")

    def test_every_language(self) -> None:
        """In no language has anything to be scrolled sideways on the smallest screen, however long its words are."""
        resize(self.driver, 320, 640, mobile=True)
        for tag in NAMES:
            self.server.ui_locales = tag
            for name in STAYING:
                self.open(name)
                shown = self.driver.execute_script(
                    "const root = document.documentElement; return [root.scrollWidth, root.lang, root.dir];"
                )

                self.assertEqual(shown, [320, tag, direction(tag)], name)

    def test_contrast(self) -> None:
        """All text stands out by 4.5 to 1, in light and in dark."""
        for scheme in ("light", "dark"):
            prefer(self.driver, prefers_color_scheme=scheme)
            for name in STAYING:
                self.open(name)
                ratio, text = self.driver.execute_script(CONTRAST)

                self.assertGreaterEqual(ratio, 4.5, f"{name}, {scheme}: {text}")

    def test_picture(self) -> None:
        """Light and dark are different pictures, and neither is empty."""
        pictures = set()
        for scheme in ("light", "dark"):
            prefer(self.driver, prefers_color_scheme=scheme)
            self.open("signin")
            pictures.add(self.driver.get_screenshot_as_png())

        self.assertEqual(len(pictures), 2)
        self.assertTrue(all(len(picture) > 5000 for picture in pictures))

    def test_keyboard(self) -> None:
        """One goes through the sign-in form by keyboard in the order one reads it, and Enter sends it."""
        self.open("signin")
        visited = []
        for _ in range(4):
            focused = self.driver.switch_to.active_element
            visited.append(focused.get_attribute("name") or focused.accessible_name)
            focused.send_keys(Keys.TAB)
        self.named("username").send_keys("alice")
        self.named("password").send_keys("wonderland" + Keys.ENTER)

        self.assertEqual(visited, ["username", "password", "Show password", "Sign in"])
        self.assertEqual(self.sent(), [{"csrf": ["csrf-1"], "username": ["alice"], "password": ["wonderland"]}])

    def test_names_for_screen_readers(self) -> None:
        """Fields and buttons have the names that are to be seen."""
        self.open("signin-wrong_credentials")

        self.assertEqual([self.named(n).accessible_name for n in ("username", "password")], ["Username", "Password"])
        self.open("chooser")
        self.assertEqual(self.named("account").accessible_name, "Alice Liddell alice")

    def test_double_click(self) -> None:
        """A double click sends a form once, with the button that was pressed."""
        self.open("consent")
        ActionChains(self.driver).double_click(self.named("allow")).perform()

        self.assertEqual(self.sent(), [{"csrf": ["csrf-3"], "allow": ["1"], **MARKED}])

    def test_leaving_out(self) -> None:
        """One goes through what can be left out by keyboard, hears what each is, and what is unmarked is not sent."""
        self.open("consent")
        box = self.named("scope.groups")
        self.driver.execute_script("arguments[0].focus()", box)
        heard = []
        for _ in MARKED:
            focused = self.driver.switch_to.active_element
            heard.append((focused.get_attribute("name"), focused.accessible_name))
            focused.send_keys(Keys.TAB)
        box.send_keys(Keys.SPACE)
        self.named("allow").send_keys(Keys.ENTER)
        (form,) = self.sent()

        self.assertEqual([name for name, _ in heard], list(MARKED))
        self.assertEqual(heard[0][1], "See which groups you are in")
        self.assertEqual(set(form), {"csrf", "allow", *MARKED} - {"scope.groups"})

    def test_account(self) -> None:
        """Each button of the page of applications says what it is for, and sends that."""
        self.open("account")
        buttons = self.driver.find_elements(By.CSS_SELECTOR, "main button")
        names = [button.accessible_name for button in buttons]
        levels = [heading.tag_name for heading in self.driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3")]
        buttons[1].send_keys(Keys.ENTER)

        self.assertEqual(names[:2], ["Remove access: Notes", "Remove access: gone"])
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual(levels, ["h1", "h2", "h3", "h3", "h2", "h3", "h3", "h3", "h3"])
        self.assertEqual(self.sent(), [{"csrf": ["csrf-6"], "revoke": ["gone"]}])

    def test_going_back(self) -> None:
        """Whoever comes back to a form that was sent can send it again."""
        self.open("consent")
        self.named("deny").click()
        self.sent()
        self.driver.back()
        self.named("allow").click()

        buttons = [sorted(set(form) - set(MARKED)) for form in self.sent()]
        self.assertEqual(buttons, [["csrf", "deny"], ["allow", "csrf"]])

    def test_restored_page(self) -> None:
        """A page that the browser brings back as it was has buttons that work."""
        self.open("consent")
        self.driver.execute_script(
            "const form = document.forms[0];"
            "form.addEventListener('submit', (event) => event.preventDefault()); form.requestSubmit();"
        )
        busy = self.named("allow").get_attribute("aria-disabled")
        self.driver.execute_script("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")

        self.assertEqual((busy, self.named("allow").get_attribute("aria-disabled")), ("true", None))

    def test_show_password(self) -> None:
        """A password can be looked at, and is a password again when it is sent."""
        self.open("signin")
        password = self.named("password")
        password.send_keys("wonderland")
        button = self.driver.find_element(By.CLASS_NAME, "reveal")
        seen = []
        for _ in range(3):
            seen.append((password.get_attribute("type"), button.accessible_name))
            button.click()
        self.driver.execute_script(
            "const form = document.forms[0];"
            "form.addEventListener('submit', (event) => event.preventDefault()); form.noValidate = true;"
            "form.requestSubmit();"
        )

        hidden, shown = ("password", "Show password"), ("text", "Hide password")
        self.assertEqual(seen, [hidden, shown, hidden])
        self.assertEqual(password.get_attribute("type"), "password")

    def test_caps_lock(self) -> None:
        """Whoever types a password with Caps Lock on is told, as long as it is on."""
        self.open("signin")
        password, hint = self.named("password"), self.driver.find_element(By.ID, "capslock")
        said = []
        for on in (False, True, False):
            self.driver.execute_script(CAPS, password, on)
            said.append(hint.text)

        self.assertEqual(said, ["", "Caps Lock is on.", ""])
        self.assertEqual(hint.get_attribute("role"), "status")
        # What is not there before can not be heard when it comes.
        self.assertEqual(hint.value_of_css_property("display"), "block")

    def test_nothing_typed(self) -> None:
        """What is missing is said beside its field in the words of the page, one is taken there, and typing ends it."""
        self.open("signin")
        self.driver.find_element(By.CSS_SELECTOR, "button.main").click()
        missing_username, missing_password = (SIGN_IN_FAULTS[SignInFault(f"missing_{name}")] for name in BOTH)
        said, place = self.said(), self.driver.switch_to.active_element.get_attribute("name")
        described = [self.named(name).get_attribute("aria-describedby") for name in BOTH]
        self.named("username").send_keys("alice")
        left, invalid = self.said(), self.named("username").get_attribute("aria-invalid")
        self.named("password").send_keys("wonderland" + Keys.ENTER)

        self.assertEqual((said, place), ([missing_username, missing_password], "username"))
        self.assertEqual(described, ["username-missing", "password-missing capslock"])
        self.assertEqual((left, invalid), ([missing_password], None))
        self.assertEqual(self.sent(), [{"csrf": ["csrf-1"], "username": ["alice"], "password": ["wonderland"]}])

    def said(self) -> list[str]:
        """Return what is said beside fields."""
        return [note.text for note in self.driver.find_elements(By.CSS_SELECTOR, ".field > [role=alert]")]

    def test_reduced_motion(self) -> None:
        """Nothing moves for those who do not want it."""
        prefer(self.driver, prefers_reduced_motion="reduce")
        self.open("signin")
        button = self.driver.find_element(By.CSS_SELECTOR, "button.main")

        self.assertEqual(button.value_of_css_property("transition-duration"), "0s")

    def test_injected_script(self) -> None:
        """A script that gets into a page in spite of everything does not run: it has no nonce."""
        self.open("signin")
        self.driver.execute_script(
            "const script = document.createElement('script'); script.textContent = 'document.title = \"taken\"';"
            "document.body.append(script);"
            "const button = document.createElement('i'); button.setAttribute('onclick', 'document.title = \"taken\"');"
            "document.body.append(button); button.click();"
        )

        self.assertEqual(self.driver.title, "Sign in")
        self.assertTrue(any("Content Security Policy" in line for line in complaints(self.driver)))


class FormTargetTests(BrowserCase):
    """Where a form may lead. ``localhost`` and ``127.0.0.1`` are two sites to a browser."""

    if missing():
        skip = missing()

    def go(self, *targets: str) -> str:
        """Allow on the consent page, be sent to another site and on to a third, and return where one ends."""
        self.server.form_targets = targets
        self.server.on_post = lambda request: HttpResponse.redirect(self.server.url("/next"), status=303)
        onward = {
            "/next": self.server.url("/callback", host="localhost"),
            "/callback": self.server.url("/signed_out", host="app.localhost"),
        }

        def respond(request: HttpRequest) -> HttpResponse:
            if request.path in onward:
                return HttpResponse.redirect(onward[request.path])
            return self.server.answer(request)

        self.server.respond = respond
        self.said: list[str] = []
        self.open("consent")
        self.named("allow").click()
        patient(self.driver).until(self.has_ended)
        return str(self.driver.current_url)

    def has_ended(self, driver: Chrome) -> bool:
        """Tell whether the browser is where it was sent in the end, or has said that it will not go there."""
        self.said += complaints(driver)
        return self.is_blocked or str(driver.current_url).endswith("/signed_out")

    @property
    def is_blocked(self) -> bool:
        """Whether the browser has complained about where a form leads."""
        return any("form-action" in line for line in self.said)

    def test_scheme(self) -> None:
        """Where a scheme is allowed, an application may send people on to any of its hosts."""
        self.assertEqual(self.go("http:"), self.server.url("/signed_out", host="app.localhost"))

    def test_forbidden(self) -> None:
        """A form ends nowhere else, not even by a redirect of a redirect."""
        for targets in (("https:",), (self.server.url("", host="localhost"),), ()):
            self.assertNotIn("localhost", self.go(*targets))
            self.assertTrue(self.is_blocked)


class WithoutScriptTests(BrowserCase):
    """Everything works without script."""

    if missing():
        skip = missing()
    javascript = False

    def test_no_script(self) -> None:
        """The browser of these tests really runs none."""
        self.driver.get("data:text/html,<title>no</title><script>document.title='yes'</script>")

        self.assertEqual(self.driver.title, "no")

    def test_sign_in(self) -> None:
        """One can sign in."""
        self.open("signin")
        self.named("username").send_keys("alice")
        self.named("password").send_keys("wonderland")
        self.driver.find_element(By.CSS_SELECTOR, "button.main").click()

        self.assertEqual(self.sent(), [{"csrf": ["csrf-1"], "username": ["alice"], "password": ["wonderland"]}])

    def test_empty_fields(self) -> None:
        """The browser itself asks for what is missing."""
        self.open("signin")
        self.driver.find_element(By.CSS_SELECTOR, "button.main").click()

        self.assertEqual(self.server.posts, [])

    def test_buttons(self) -> None:
        """Every button of the other pages sends its name."""
        for name, button, value in (
            ("chooser", "account", "alice"),
            ("chooser", "other", "1"),
            ("consent", "allow", "1"),
            ("consent", "deny", "1"),
            ("welcome", "signout", "1"),
            ("goodbye", "signout", "1"),
            ("goodbye", "stay", "1"),
            ("account", "revoke", "notes"),
            ("account", "end", "s-2"),
        ):
            self.server.posts.clear()
            self.open(name)
            self.named(button).click()
            (form,) = self.sent()

            sent = sorted(set(form) - set(MARKED))
            self.assertEqual((sent, form[button]), (sorted(["csrf", button]), [value]), name)
            self.assertEqual(set(MARKED) <= set(form), name == "consent", name)
