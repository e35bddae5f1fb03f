"""Every way through the pages in a real browser: with scripts, without them, and by keyboard alone.

The daemon is the real one, and so are the addresses that applications send people to. Signing in a device, and what
happens in frames, have tests of their own.
"""

import json
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import yaml
from selenium.webdriver import Chrome
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HTML_TYPE, HttpRequest, HttpResponse
from tests.real.daemon import Daemon, daemon, free_port
from tests.real.hands import Hand, Keyboard, Mouse, Person
from tests.support.browser import browser, complaints, missing
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.page_server import PageServer
from tests.support.requests import CHALLENGE

INNER = "/signin/v1/identifier/_/"
PEOPLE = {"alice": "wonderland", "bob": "builder"}


class FlowCase:
    """The daemon, an application of the house, one that needs consent, and somebody in front of a browser."""

    javascript: ClassVar[bool] = True
    hand: ClassVar[Callable[[Chrome], Hand]] = Mouse

    def setUp(self) -> None:
        """Start everything."""
        server = self.enterContext(PageServer())
        server.respond = self.be_the_application
        self.app = server.url("", "localhost")
        common = {
            "application_type": "native",
            "redirect_uris": [f"{self.app}/cb"],
            "post_logout_redirect_uris": [f"{self.app}/bye"],
        }
        clients = [{"id": "mail", "trusted": True, **common}, {"id": "notes", "name": "Notes & more", **common}]
        users = [{"username": name, "password": quick_hash(word)} for name, word in PEOPLE.items()]
        port = free_port()
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump({'clients': clients}))}",
            f"--file-users={write(self, 'users.yaml', json.dumps({'users': users}))}",
            "file",
        )
        self.op: Daemon = self.enterContext(daemon(*words, port=port))
        self.person = Person(self.enterContext(browser(javascript=self.javascript)), type(self).hand)

    def be_the_application(self, request: HttpRequest) -> HttpResponse:
        """Answer as an application does."""
        page = b"<!DOCTYPE html><title>The application</title><main>Here you are.</main>"
        return HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=page)

    def open(self, page: str, **query: str) -> str:
        """Open an address of the daemon, and return the title of the page one ends at."""
        self.person.driver.get(f"{self.op.url(INNER + page)}?{urlencode(query)}")
        return self.person.title

    def ask(self, client_id: str, **changes: str) -> str:
        """Come from an application, and return the title of the page one ends at."""
        good = {
            "client_id": client_id,
            "redirect_uri": f"{self.app}/cb",
            "response_type": "code",
            "scope": "openid profile groups",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return self.open("authorize", **{**good, **changes})

    def press(self, selector: str) -> str:
        """Press something, and return the title of the page that comes."""
        self.person.press(selector)
        return self.person.title

    def sign_in(self, username: str = "alice", password: str = "") -> str:
        """Fill in the form, and return the title of the page that comes."""
        self.person.sign_in(username, password or PEOPLE[username])
        return self.person.title

    def brought(self) -> dict[str, str]:
        """Return what the application is told, at whose callback one is."""
        parts = urlsplit(self.person.url)
        self.assertEqual(f"{parts.scheme}://{parts.netloc}{parts.path}", f"{self.app}/cb")
        return {name: values[0] for name, values in parse_qs(parts.query).items()}

    def test_every_flow(self) -> None:
        """One gets through, and the browser has nothing to complain of; each flow begins with nobody signed in."""
        for flow in (
            self.application_of_the_house,
            self.application_that_needs_consent,
            self.without_application,
            self.leaving_an_application,
        ):
            flow()
            self.person.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

            self.assertEqual(complaints(self.person.driver), [], flow.__name__)

    def application_of_the_house(self) -> None:
        """One signs in once, and is asked again only where the application wants that."""
        self.assertEqual(self.ask("mail"), "Sign in")
        self.assertEqual(self.sign_in(password="looking-glass"), "Not signed in: Sign in")
        self.assertEqual(self.sign_in(), "The application")
        self.assertIn("code", self.brought())

        self.assertEqual(self.ask("mail"), "The application")
        self.assertIn("code", self.brought())
        self.ask("mail", prompt="none")
        self.assertIn("code", self.brought())

        self.assertEqual(self.ask("mail", prompt="login"), "Sign in")
        self.sign_in()
        self.assertIn("code", self.brought())

        self.assertEqual(self.ask("mail", prompt="select_account"), "Choose an account")
        self.press("[name=account]")
        self.assertIn("code", self.brought())
        self.ask("mail", prompt="select_account")
        self.assertEqual(self.press("[name=other]"), "Sign in")
        self.sign_in("bob")
        self.assertIn("code", self.brought())

    def application_that_needs_consent(self) -> None:
        """One is asked what it may do and can leave something out; who denies is believed."""
        asks = "Notes & more asks for access"
        self.ask("notes", prompt="none")
        self.assertEqual(self.brought()["error"], "login_required")

        self.assertEqual((self.ask("notes"), self.sign_in()), ("Sign in", asks))
        self.press("[name=deny]")
        self.assertEqual(self.brought()["error"], "access_denied")
        self.ask("notes", prompt="none")
        self.assertIn(self.brought()["error"], {"interaction_required", "consent_required"})

        self.assertEqual(self.ask("notes"), asks)
        self.person.tick("scope.groups")
        self.press("[name=allow]")
        self.assertIn("code", self.brought())

        self.assertEqual(self.ask("notes", prompt="consent"), asks)
        self.press("[name=allow]")
        self.assertIn("code", self.brought())

    def without_application(self) -> None:
        """Who comes alone signs in, looks around, thinks again about signing out, and signs out."""
        self.assertEqual(self.open("signin"), "Sign in")
        self.assertEqual(self.sign_in(), "You are signed in")
        self.assertEqual(self.press("a.button"), "Your applications and sessions")
        self.assertEqual(self.press("a.button"), "You are signed in")

        self.assertEqual(self.open("goodbye"), "Sign out?")
        self.assertEqual(self.press("[name=stay]"), "You are signed in")
        self.assertEqual(self.press("[name=signout]"), "You are signed out")
        self.assertEqual(self.open("welcome"), "Sign in")

    def leaving_an_application(self) -> None:
        """An application that asks to sign somebody out has to wait for their word, and they come back to it."""
        back = {"client_id": "notes", "post_logout_redirect_uri": f"{self.app}/bye", "state": "s"}
        self.ask("mail")
        self.sign_in()
        self.assertEqual(self.open("endsession", **back), "Sign out?")
        self.assertIn("Notes & more", self.person.text)
        self.press("[name=signout]")
        self.assertEqual(self.person.url, f"{self.app}/bye?state=s")

        self.assertEqual(self.open("goodbye", **back), "You are signed out")
        self.press("a.button")
        self.assertEqual(self.person.url.partition("?")[0], f"{self.app}/bye")


class WithScriptsTests(FlowCase, SynchronousTestCase):
    """What most people have."""

    if missing():
        skip = missing()


class WithoutScriptsTests(FlowCase, SynchronousTestCase):
    """A browser that runs no script."""

    if missing():
        skip = missing()
    javascript = False


class KeyboardTests(FlowCase, SynchronousTestCase):
    """Somebody who has nothing but Tab, Enter and Space, and sees at every step where they are."""

    if missing():
        skip = missing()
    hand = Keyboard
