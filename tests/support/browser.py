"""A real browser for tests: headless Chromium with an empty profile, driven through WebDriver."""

import shutil
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--force-device-scale-factor=1",
    "--lang=en",
)
#: How long a page may take on a machine that is busy, in seconds.
PATIENCE = 15.0
#: Chromium's way to say that a content setting is off.
BLOCKED = 2


def missing() -> str:
    """Return why there is no browser on this machine, or nothing when there is one."""
    absent = [program for program in ("chromium", "chromedriver") if shutil.which(program) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


@contextmanager
def browser(*further: str, javascript: bool = True, width: int = 1280, height: int = 800) -> Iterator[Chrome]:
    """Start a browser and end it again, profile included.

    Args:
        further: flags of its own.
        javascript: whether it runs scripts.
        width: of its window.
        height: of its window.
    """
    profile = tempfile.mkdtemp(prefix="konnectd-browser-")
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, *further, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    if not javascript:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": BLOCKED})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        driver.set_page_load_timeout(20)
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def patient(driver: Chrome) -> WebDriverWait[Chrome]:
    """Wait for something, past one page's end and the next one's beginning.

    Between the two the browser refuses questions about either in words of its own, which Selenium has no name for.
    """
    return WebDriverWait(driver, PATIENCE, poll_frequency=0.05, ignored_exceptions=(WebDriverException,))


def page_of(driver: Chrome) -> WebElement:
    """Return what tells this page from the next one."""
    return driver.find_element(By.TAG_NAME, "html")


def next_page(driver: Chrome, before: WebElement) -> None:
    """Wait until the page is another one."""
    patient(driver).until(lambda driver: page_of(driver) != before)


def resize(driver: Chrome, width: int, height: int, *, mobile: bool = False) -> None:
    """Give the page exactly this much room, which a window with its smallest width does not."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(driver: Chrome, **features: str) -> None:
    """Set media features such as ``prefers_color_scheme="dark"``."""
    values = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": values})


def without_scripts(driver: Chrome, *, blocked: bool = True) -> None:
    """Have files with scripts not arrive, so that a page that sends itself stays; or arrive again."""
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*.js"] if blocked else []})


def complaints(driver: Chrome) -> list[str]:
    """Return what the browser wrote to its console since the last time."""
    return [str(entry["message"]) for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]  # untyped


def screenshot(driver: Chrome, file: Path) -> None:
    """Write a picture of what is to be seen."""
    file.write_bytes(driver.get_screenshot_as_png())


def whole_page(driver: Chrome) -> bytes:
    """Return a picture of a page from its top to its end, which may be further down than the screen."""
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    return b64decode(taken["data"])
