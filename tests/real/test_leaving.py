"""Sessions and leaving in a real browser: the page that watches a session, and applications in frames."""

import json
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import yaml
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HTML_TYPE, HttpRequest, HttpResponse
from tests.real.daemon import Daemon, daemon, free_port
from tests.support.browser import browser, complaints, missing, patient
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.page_server import PageServer

PATIENCE = 15
CHECK_SESSION = "/konnect/v1/session/check-session.html"
END_SESSION = "/signin/v1/identifier/_/endsession"
USERS = "users:\n  - username: alice\n    password: {password}\n    name: Alice\n"
#: Asks the page in the frame, and says what it answered, and from where.
ASK = """
const [message, done] = [arguments[0], arguments[arguments.length - 1]];
window.addEventListener("message", (event) => done([event.data, event.origin]), { once: true });
document.getElementById("op").contentWindow.postMessage(message, arguments[1]);
"""
#: Asks twice; whoever is not answered gets only the answer to the second message, which is asked as one may.
ASK_BY_ITSELF = """
const done = arguments[arguments.length - 1];
const heard = [];
window.addEventListener("message", (event) => {
  heard.push(event.data);
  if (event.data === "last") { done(heard); }
});
window.postMessage("client " + "x", "*");
setTimeout(() => window.postMessage("last", "*"), 300);
"""
#: A frame beside the page's, in which a client may have its script.
ASK_BESIDE = """
const [message, target, done] = [arguments[0], arguments[1], arguments[arguments.length - 1]];
window.heard = done;
const frame = document.createElement("iframe");
frame.addEventListener("load", () => frame.contentWindow.run(message, target));
frame.src = "/beside";
document.body.append(frame);
"""
BESIDE = b"""<!DOCTYPE html><title>beside</title><script>
window.run = (message, target) => {
  window.addEventListener("message", (event) => window.parent.heard([event.data, event.origin]), { once: true });
  window.parent.document.getElementById("op").contentWindow.postMessage(message, target);
};
</script>"""


class LeavingCase(SynchronousTestCase):
    """The daemon, an application with pages of its own, and a browser."""

    if missing():
        skip = missing()

    def setUp(self) -> None:
        """Start everything, all of it on one host: without TLS browsers keep no cookie for another site."""
        self.server = self.enterContext(PageServer())
        self.server.respond = self.respond
        self.opened: list[HttpRequest] = []
        self.app = self.server.url("", "localhost")
        port = free_port()
        client = {
            "id": "watcher",
            "name": "Watcher & co",
            "trusted": True,
            "application_type": "native",
            "redirect_uris": [f"{self.app}/cb"],
            "post_logout_redirect_uris": [f"{self.app}/bye"],
            "frontchannel_logout_uri": f"{self.app}/front",
        }
        users = write(self, "users.yaml", USERS.format(password=json.dumps(quick_hash("wonderland"))))
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump({'clients': [client]}))}",
            f"--file-users={users}",
            "file",
        )
        self.op: Daemon = self.enterContext(daemon(*words, port=port))
        self.driver: Chrome = self.enterContext(browser())

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Be the application."""
        self.opened.append(request)
        if request.path == "/beside":
            return HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=BESIDE)
        page = f'<!DOCTYPE html><title>app</title><iframe id="op" src="{self.op.url(CHECK_SESSION)}"></iframe>'
        return HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=page.encode())

    def authorize(self, **changes: str) -> dict[str, str]:
        """Send the browser to the provider and return what it brings back, signing in when asked to."""
        good = {
            "client_id": "watcher",
            "redirect_uri": f"{self.app}/cb",
            "response_type": "id_token",
            "scope": "openid",
            "nonce": "n",
            "state": "s",
        }
        self.driver.get(f"{self.op.url('/signin/v1/identifier/_/authorize')}?{urlencode({**good, **changes})}")
        if "Sign in" in self.driver.title:
            self.driver.find_element(By.ID, "username").send_keys("alice")
            self.driver.find_element(By.ID, "password").send_keys("wonderland")
            self.driver.find_element(By.CSS_SELECTOR, "button[type=submit].main").click()
        patient(self.driver).until(lambda driver: str(driver.current_url).startswith(f"{self.app}/cb"))
        parts = urlsplit(str(self.driver.current_url))
        return {name: values[0] for name, values in parse_qs(parts.fragment or parts.query).items()}

    def ask(self, message: str, script: str = ASK) -> list[Any]:
        """Ask the page in the frame."""
        self.driver.set_script_timeout(PATIENCE)
        answer: list[Any] = self.driver.execute_async_script(script, message, self.op.url())
        return answer

    def visit(self, host: str = "localhost") -> None:
        """Open the application."""
        self.driver.get(self.server.url("/", host))


class CheckSessionTests(LeavingCase):
    """The page that watches a session."""

    def test_answers(self) -> None:
        """Unchanged while the session goes on, changed after it, an error for what makes no sense; from our origin."""
        state = self.authorize()["session_state"]
        self.visit()
        unchanged = [self.ask(f"watcher {state}") for _ in range(2)]
        beside = self.ask(f"watcher {state}", ASK_BESIDE)
        nonsense = [
            self.ask(message)[0]
            for message in ("", "watcher", f"watcher{state}", f" {state}", f"watcher {state}x", f"other {state}")
        ]
        self.driver.get(self.op.url(END_SESSION))
        self.driver.find_element(By.NAME, "signout").click()
        # The browser would give up the form if it was sent elsewhere at once.
        patient(self.driver).until(lambda driver: "signed out" in driver.title)
        self.visit()
        changed = [self.ask(f"watcher {state}")[0] for _ in range(2)]

        self.assertEqual(unchanged, [["unchanged", self.op.url()]] * 2)
        self.assertEqual(beside, ["unchanged", self.op.url()])
        self.assertEqual(nonsense, ["error"] * 6)
        self.assertEqual(changed, ["changed"] * 2)

    def test_after_a_refusal(self) -> None:
        """What a silent request brings back when nobody is signed in is unchanged until somebody is."""
        state = self.authorize(prompt="none")["session_state"]
        self.visit()
        nobody = self.ask(f"watcher {state}")[0]
        self.authorize()
        self.visit()

        self.assertEqual((nobody, self.ask(f"watcher {state}")[0]), ("unchanged", "changed"))

    def test_foreign_origin(self) -> None:
        """A page of another origin that got hold of a value is told that it errs, whatever the session is."""
        state = self.authorize()["session_state"]
        self.visit("127.0.0.1")

        self.assertEqual(self.ask(f"watcher {state}"), ["error", self.op.url()])

    def test_no_circles(self) -> None:
        """A client whose fresh value does not fit either, with nothing changed, is not sent round and round."""
        first, second = self.authorize()["session_state"], self.authorize()["session_state"]
        self.visit()
        self.driver.delete_all_cookies()
        self.driver.get(self.op.url(CHECK_SESSION))
        self.driver.delete_all_cookies()
        self.visit()
        answers = [self.ask(f"watcher {state}")[0] for state in (first, first, second, second)]

        self.assertEqual(answers, ["changed", "changed", "error", "error"])

    def test_any_client_id(self) -> None:
        """The digest is SHA-256 of UTF-8, whatever is in it and however long it is."""
        self.visit()
        for client in ("a", "a b c", "\u00e9\u20ac\U0001f600", "x" * 55, "x" * 200):
            chance = "A" * 22
            proof = sha256(f"{client} {self.app} {chance}".encode()).hexdigest()[:32]
            digest = sha256(f"{client} {self.app}  {chance}{proof}".encode()).hexdigest()

            self.assertEqual(self.ask(f"{client} {digest}.{chance}{proof}")[0], "unchanged", client)

    def test_by_itself(self) -> None:
        """Opened without a frame around it, it answers nobody, and the browser has nothing to complain of."""
        self.driver.get(self.op.url(CHECK_SESSION))
        heard = self.driver.execute_async_script(ASK_BY_ITSELF)

        self.assertEqual((heard, complaints(self.driver)), (["client x", "last"], []))


class FrontChannelTests(LeavingCase):
    """An application that is told in a frame."""

    def test_on_the_way(self) -> None:
        """It is opened with issuer and session, and the browser then goes on by itself."""
        hint = self.authorize()["id_token"]
        query = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": f"{self.app}/bye", "state": "s"})
        self.driver.get(f"{self.op.url(END_SESSION)}?{query}")
        patient(self.driver).until(lambda driver: "/bye" in str(driver.current_url))
        (front,) = (request for request in self.opened if request.path == "/front")

        self.assertEqual(self.driver.current_url, f"{self.app}/bye?state=s")
        self.assertEqual(sorted(parse_qs(front.query)), ["iss", "sid"])
        self.assertEqual(parse_qs(front.query)["iss"], [self.op.url()])

    def test_page(self) -> None:
        """Who goes nowhere reads which application was asked."""
        hint = self.authorize()["id_token"]
        self.driver.get(f"{self.op.url(END_SESSION)}?{urlencode({'id_token_hint': hint})}")
        text = self.driver.find_element(By.TAG_NAME, "main").text

        self.assertIn("Watcher & co", text)
        self.assertIn("was asked to sign you out", text)
        self.assertEqual([request.path for request in self.opened if request.path == "/front"], ["/front"])
