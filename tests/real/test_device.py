"""Sign-in of a device with a real browser: by keyboard, and without scripts."""

import json
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.device import GRANT_TYPE
from tests.real.daemon import daemon, free_port
from tests.support.browser import browser, complaints, missing, patient
from tests.support.files import write
from tests.support.keys import quick_hash

PATIENCE = 15
USERS = "users:\n  - username: alice\n    password: {password}\n    name: Alice\n"
TV = {"id": "tv", "name": "Living room TV", "grant_types": [GRANT_TYPE]}


class DeviceTests(SynchronousTestCase):
    """The daemon, a device, and a browser beside it."""

    if missing():
        skip = missing()

    def setUp(self) -> None:
        """Start the daemon, and let the device begin."""
        port = free_port()
        users = write(self, "users.yaml", USERS.format(password=json.dumps(quick_hash("wonderland"))))
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump({'clients': [TV]}))}",
            f"--file-users={users}",
            "file",
        )
        self.op = self.enterContext(daemon(*words, port=port))
        self.told = self.ask("device_authorization", client_id="tv", scope="openid profile")

    def ask(self, endpoint: str, **values: str) -> Mapping[str, object]:
        """Ask as the device does."""
        url, body = self.op.url(f"/konnect/v1/{endpoint}"), urlencode(values).encode()
        try:
            with urlopen(url, body, timeout=PATIENCE) as answer:
                told: dict[str, object] = json.load(answer)
        except HTTPError as error:
            with error:
                told = json.load(error)
        return told

    def poll(self) -> Mapping[str, object]:
        """Ask for tokens."""
        code = str(self.told["device_code"])
        return self.ask("token", client_id="tv", grant_type=GRANT_TYPE, device_code=code)

    def wait_for(self, driver: Chrome, title: str) -> None:
        """Wait until a page is there."""
        patient(driver).until(lambda driver: title in driver.title)

    def test_by_keyboard(self) -> None:
        """Somebody who types the short address, signs in, and uses nothing but keys, allows it."""
        driver = self.enterContext(browser())
        driver.get(str(self.told["verification_uri"]))
        self.press(driver, "alice", Keys.TAB, "wonderland", Keys.ENTER)
        self.wait_for(driver, "Sign in a device")
        self.press(driver, str(self.told["user_code"]).lower(), Keys.ENTER)
        self.wait_for(driver, "Living room TV")
        self.press(driver, Keys.TAB, Keys.TAB, Keys.ENTER)
        self.wait_for(driver, "Your device is signed in")

        self.assertIn("id_token", self.poll())
        self.assertEqual(complaints(driver), [])

    def press(self, driver: Chrome, *keys: str) -> None:
        """Press keys, wherever the cursor is."""
        ActionChains(driver).send_keys(*keys).perform()

    def test_without_scripts(self) -> None:
        """The code is in the address; everything else is as before, and nothing is allowed by itself."""
        driver = self.enterContext(browser(javascript=False))
        driver.get(str(self.told["verification_uri_complete"]))
        for name, text in (("username", "alice"), ("password", "wonderland")):
            driver.find_element(By.ID, name).send_keys(text)
        driver.find_element(By.CSS_SELECTOR, "button.main").click()
        self.wait_for(driver, "Sign in a device")
        typed = driver.find_element(By.ID, "user_code").get_attribute("value")  # type: ignore[no-untyped-call]
        pending = self.poll()
        driver.find_element(By.CSS_SELECTOR, "button.main").click()
        self.wait_for(driver, "Living room TV")
        driver.find_element(By.NAME, "deny").click()
        self.wait_for(driver, "not signed in")

        self.assertEqual(typed, self.told["user_code"])
        self.assertEqual((pending["error"], self.poll()["error"]), ("authorization_pending", "access_denied"))
