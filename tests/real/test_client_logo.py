"""The logo of a client, from a real server over TLS, through the real daemon, into a real browser."""

import json
from urllib.parse import urlencode

import yaml
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import daemon, free_port
from tests.real.slapd import write_certificates
from tests.real.tls_server import TlsServer
from tests.support.browser import browser, complaints, missing
from tests.support.files import folder, write
from tests.support.keys import quick_hash
from tests.support.logos import PNG
from tests.support.requests import CALLBACK, CHALLENGE

CLIENT_ID = "notes & more"
USERS = "users:\n  - username: alice\n    password: {password}\n"
#: Returns the width of the application's logo as its client drew it.
DRAWN_WIDTH = "return document.querySelector('.app-logo img').naturalWidth"
#: Returns what can be seen of it: the size of its box, and of what is in there.
SIZES = """
const size = (name) => { const e = document.querySelector(name); return [e.offsetWidth, e.offsetHeight]; };
return [size(".app-logo"), size(".app-logo img")];
"""


def answer(content: bytes) -> bytes:
    """Return an answer of a careless server: it says that everything is text."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


class LogoTests(SynchronousTestCase):
    """The sign-in page of a client with a logo."""

    if missing():
        skip = missing()

    def setUp(self) -> None:
        """Start the client's server, the daemon and a browser."""
        place, port = folder(self), free_port()
        write_certificates(place)
        self.server = TlsServer(place)
        self.addCleanup(self.server.stop)
        client = {
            "id": CLIENT_ID,
            "name": "Notes",
            "redirect_uris": [CALLBACK],
            "logo_uri": f"https://localhost:{self.server.port}/logo",
        }
        users = write(self, "users.yaml", USERS.format(password=json.dumps(quick_hash("wonderland"))))
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump({'clients': [client]}))}",
            f"--file-users={users}",
            "--fetch-allow=127.0.0.1",
            "file",
        )
        # The server's certificate is signed by an authority that only its folder knows.
        trusting = {"SSL_CERT_FILE": str(place / "ca.pem")}
        self.daemon = self.enterContext(daemon(*words, port=port, environ=trusting))
        self.browser = self.enterContext(browser())

    def open(self) -> int:
        """Open the sign-in page and return how wide the logo was drawn; 0 when there is none to show."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        self.browser.get(self.daemon.url(f"/signin/v1/identifier/_/authorize?{urlencode(query)}"))
        self.assertEqual(self.browser.find_element(By.TAG_NAME, "h1").text, "Sign in")
        # A browser that opens a page waits for its pictures.
        return int(self.browser.execute_script(DRAWN_WIDTH))

    def test_logo(self) -> None:
        """It is there, in its box; the browser has nothing to complain of, and the client's server saw one request."""
        self.server.answer = answer(PNG)

        self.assertEqual(self.open(), 96)
        self.assertEqual(self.browser.execute_script(SIZES), [[48, 48], [48, 48]])
        self.assertEqual(complaints(self.browser), [])
        self.open()
        (asked,) = self.server.asked
        self.assertTrue(asked.startswith(b"GET /logo HTTP/1.1\r\n"))
        self.assertNotIn(b"Cookie", asked)
        self.assertNotIn(b"Referer", asked)

    def test_no_logo(self) -> None:
        """Where there is no picture, nothing is drawn in its place, and the page keeps the room that it had."""
        self.server.answer = answer(b"<svg/>")

        self.assertEqual(self.open(), 0)
        self.assertEqual(self.browser.execute_script(SIZES), [[48, 48], [0, 0]])
        self.assertEqual(len(self.server.asked), 1)
