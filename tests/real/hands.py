"""Ways to use a page: with a mouse, or with nothing but Tab, Enter and Space."""

import time
from collections.abc import Callable
from typing import Protocol

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.support.browser import PATIENCE, next_page, page_of

#: More stops than any page has.
MOST_STOPS = 30
#: Returns why one does not see what has the focus, or nothing when it is on the screen with the line around it, which
#: stands out from the page by 3 to 1.
#: Spec: WCAG 2.2, 2.4.7 (focus visible), 2.4.11 (focus not obscured), 1.4.11 (non-text contrast).
WHY_UNSEEN = """
const e = document.activeElement;
if (!e || e === document.body) return "";
if (!e.matches(":focus-visible")) return "it looks as if it had no focus";
const style = getComputedStyle(e), box = e.getBoundingClientRect();
const line = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset) - 1;
const seen = box.top >= line && box.left >= line && box.bottom + line <= innerHeight && box.right + line <= innerWidth;
const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
};
let ground = e.parentElement;
while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
const [a, b] = [light(style.outlineColor), light(getComputedStyle(ground || document.body).backgroundColor)];
const stands_out = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) >= 3;
if (!seen) return "it is not on the screen";
if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "there is no line around it";
return stands_out ? "" : "the line around it is too pale";
"""


class Hand(Protocol):
    """What somebody can do on a page."""

    def fill(self, element: WebElement, text: str) -> None:
        """Write something into a field, in place of what is there."""

    def press(self, element: WebElement) -> None:
        """Press a button, follow a link, or tick a box."""


class Mouse:
    """Somebody who clicks."""

    def __init__(self, driver: Chrome) -> None:
        """Take a browser."""
        self._driver = driver

    def fill(self, element: WebElement, text: str) -> None:
        """Write something into a field, in place of what is there."""
        element.clear()
        element.send_keys(text)

    def press(self, element: WebElement) -> None:
        """Press a button, follow a link, or tick a box."""
        element.click()


class Keyboard:
    """Somebody who has no mouse, and has to see where they are."""

    def __init__(self, driver: Chrome) -> None:
        """Take a browser, and be in front of it: a window in the background shows no focus."""
        self._driver = driver
        driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})

    def fill(self, element: WebElement, text: str) -> None:
        """Go to a field and type; where Tab leads to, the text is marked, so what was there goes."""
        self._reach(element)
        self._type(text)

    def press(self, element: WebElement) -> None:
        """Go to a button, a link or a box, and press it."""
        self._reach(element)
        self._type(Keys.ENTER if element.tag_name == "a" else Keys.SPACE)

    def _reach(self, element: WebElement) -> None:
        """Press Tab until an element has the focus.

        Raises:
            AssertionError: it never has, or one does not see where the focus is on the way.
        """
        for _ in range(MOST_STOPS):
            self._look()
            if self._driver.switch_to.active_element == element:
                return
            self._type(Keys.TAB)
        raise AssertionError(f"no way leads to {element.get_attribute('outerHTML')}")

    def _look(self) -> None:
        """Make sure that one sees where the focus is; a page that has to scroll for it takes a moment.

        Raises:
            AssertionError: one does not.
        """
        give_up = time.monotonic() + PATIENCE
        while why := self._driver.execute_script(WHY_UNSEEN):
            if time.monotonic() > give_up:
                now = self._driver.switch_to.active_element.get_attribute("outerHTML")
                raise AssertionError(f"one does not see the focus: {why}: {now}")

    def _type(self, keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self._driver).send_keys(keys).perform()


class Person:
    """Somebody in front of a browser."""

    def __init__(self, driver: Chrome, hand: Callable[[Chrome], Hand]) -> None:
        """Sit down."""
        self.driver = driver
        self._hand = hand(driver)

    @property
    def title(self) -> str:
        """What the window is called."""
        return str(self.driver.title)

    @property
    def url(self) -> str:
        """Where the browser is."""
        return str(self.driver.current_url)

    @property
    def text(self) -> str:
        """What is to be read."""
        return self.driver.find_element(By.TAG_NAME, "main").text

    def sign_in(self, username: str, password: str) -> None:
        """Fill in the form and send it."""
        for name, text in (("username", username), ("password", password)):
            self._hand.fill(self.driver.find_element(By.NAME, name), text)
        self.press("button.main")

    def tick(self, name: str) -> None:
        """Tick a box, or untick it."""
        self._hand.press(self.driver.find_element(By.NAME, name))

    def press(self, selector: str) -> None:
        """Press a button or follow a link, and wait until the page is another one."""
        before = page_of(self.driver)
        self._hand.press(self.driver.find_element(By.CSS_SELECTOR, selector))
        next_page(self.driver, before)
