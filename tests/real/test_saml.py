"""People who sign in at SimpleSAMLphp, and out again, at the daemon: by HTTP as browsers do it, and in Chromium."""

import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
import yaml
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HTML_TYPE, HttpRequest, HttpResponse
from tests.real.daemon import daemon, free_port
from tests.real.person import Page, Person
from tests.real.proxy_servers import HOST, proxy
from tests.real.proxy_servers import missing as missing_proxy
from tests.real.simplesaml import PASSWORD, SKIP, ServiceProvider, SimpleSaml
from tests.support.browser import browser, complaints, missing
from tests.support.files import write
from tests.support.keys import quick_hash
from tests.support.page_server import PageServer
from tests.support.requests import CHALLENGE, VERIFIER
from tests.support.saml_provider import saml_key

IDENTIFIER = "/signin/v1/identifier"
USERS = [{"username": name, "password": quick_hash("x")} for name in ("alice", "bob")]


class SamlCase(SynchronousTestCase):
    """Both daemons, and an application."""

    skip = SKIP
    #: By which name browsers know the identity provider.
    idp_host = "localhost"
    #: Where the daemon is for browsers; empty for its own address.
    issuer = ""

    def setUp(self) -> None:
        """Start them, and let them know each other."""
        self.saml = SimpleSaml(saml_key(around=int(time.time())), self.idp_host)
        self.addCleanup(self.saml.stop)
        server = self.enterContext(PageServer())
        server.respond = self.be_the_application
        self.app = server.url("", "localhost")
        port = free_port()
        self.iss = self.issuer or f"http://localhost:{port}"
        base = f"{self.iss}{IDENTIFIER}"
        self.saml.know(
            ServiceProvider(
                entity_id=f"{base}/saml2/metadata", consumer=f"{base}/saml2/acs", logout=f"{base}/_/saml2/slo"
            )
        )
        registration = {"clients": [self.client()], "authorities": [self.entry()]}
        words = (
            f"--iss={self.iss}",
            "--trusted-proxy=127.0.0.1",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump(registration))}",
            f"--file-users={write(self, 'users.yaml', json.dumps({'users': USERS}))}",
            "file",
        )
        self.op = self.enterContext(daemon(*words, port=port))
        self.person = Person(self.app)

    def client(self) -> dict[str, object]:
        """Return the application's entry."""
        return {
            "id": "mail",
            "trusted": True,
            "application_type": "native",
            "redirect_uris": [f"{self.app}/cb"],
            "post_logout_redirect_uris": [f"{self.app}/bye"],
        }

    def entry(self) -> dict[str, object]:
        """Return the authority's entry."""
        return {
            "id": "corp",
            "name": "Corporate sign-in",
            "authority_type": "saml2",
            "default": True,
            "trusted": True,
            "metadata_endpoint": self.saml.metadata_endpoint,
            "identity_claim_name": "uid",
            "end_session_enabled": True,
        }

    def be_the_application(self, request: HttpRequest) -> HttpResponse:
        """Answer as an application does."""
        page = b"<!DOCTYPE html><title>The application</title><main>Here you are.</main>"
        return HttpResponse(headers=((b"Content-Type", HTML_TYPE),), body=page)

    def request(self, **changes: str) -> str:
        """Return the address where the application sends people."""
        query = {
            "client_id": "mail",
            "redirect_uri": f"{self.app}/cb",
            "response_type": "code",
            "scope": "openid profile",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return f"{self.iss}{IDENTIFIER}/_/authorize?{urlencode(query)}"


class PersonTests(SamlCase):
    """Somebody with a browser without scripts, who presses every button."""

    def sign_in(self, name: str = "alice", **changes: str) -> Page:
        """Come from the application, sign in there, and be sent on."""
        self.person.open(self.request(**changes), typed=True)
        self.person.submit(username=name, password=PASSWORD)
        return self.person.submit()

    def brought(self, page: Page) -> dict[str, str]:
        """Return what the application is told."""
        self.assertEqual(page.url.partition("?")[0], f"{self.app}/cb", self.op.log)
        return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}

    def id_token(self, code: str) -> str:
        """Return what the application gets for a code."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "mail",
            "redirect_uri": f"{self.app}/cb",
            "code": code,
            "code_verifier": VERIFIER,
        }
        answer = requests.post(self.op.url("/konnect/v1/token"), form, timeout=20).json()
        return str(answer["id_token"])

    def test_sign_in(self) -> None:
        """The application gets its code, and the next time without a question."""
        first = self.brought(self.sign_in())
        second = self.brought(self.person.open(self.request(prompt="none"), typed=True))

        self.assertEqual(("code" in first, "code" in second), (True, True))

    def test_form_again(self) -> None:
        """The form that brought somebody in brings nobody in a second time."""
        self.person.open(self.request(), typed=True)
        answer = self.person.submit(username="alice", password=PASSWORD)
        self.brought(self.person.submit())
        self.person.here = answer
        page = self.person.submit()

        self.assertTrue(page.url.startswith(self.op.url(IDENTIFIER)), page.url)

    def test_other_browser(self) -> None:
        """An answer in the hands of somebody else signs nobody in."""
        self.person.open(self.request(), typed=True)
        answer = self.person.submit(username="alice", password=PASSWORD)
        other = Person(self.app)
        other.here = answer
        page = other.submit()

        self.assertEqual((page.status, other.holds("KKT")), (400, False))

    def test_unknown(self) -> None:
        """Somebody who is nobody here is told so."""
        page = self.sign_in("stranger")

        self.assertEqual(page.status, 200)
        self.assertIn("authority_unknown_user", self.op.log)

    def test_prove_it_again(self) -> None:
        """Who has to prove it again is asked there again."""
        self.brought(self.sign_in())
        page = self.person.open(self.request(prompt="login"), typed=True)

        self.assertIn("password", page.fields)

    def test_sign_out(self) -> None:
        """Who signs out here is signed out there, and comes back to the application."""
        hint = self.id_token(self.brought(self.sign_in())["code"])
        query = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": f"{self.app}/bye", "state": "s"})
        page = self.person.open(self.op.url(f"{IDENTIFIER}/_/endsession?{query}"), typed=True)

        self.assertEqual(page.url, f"{self.app}/bye?state=s")
        self.assertIn("SingleLogoutService", " ".join(page.hops))
        self.assertIn("password", self.person.open(self.request(), typed=True).fields)

    def test_sign_out_there(self) -> None:
        """Who signs out there is signed out here, and ends there."""
        self.brought(self.sign_in())
        page = self.person.open(self.saml.initiated_logout, typed=True)
        silent = self.brought(self.person.open(self.request(prompt="none"), typed=True))

        self.assertEqual((page.status, urlsplit(page.url).port), (200, self.saml.port))
        self.assertEqual(silent["error"], "login_required")

    def test_metadata(self) -> None:
        """What we say of ourselves is there for everybody."""
        page = self.person.open(self.op.url(f"{IDENTIFIER}/saml2/metadata"), typed=True)

        self.assertEqual((page.status, page.header("content-type")), (200, "application/samlmetadata+xml"))

    def test_ready(self) -> None:
        """The operator is told at start that it is there."""
        self.person.open(self.request(), typed=True)

        self.assertIn("authority corp is ready: identity provider", self.op.log)


class ChromiumTests(SamlCase):
    """Somebody with a real browser."""

    if missing():
        skip = missing()

    def sign_in(self, *flags: str) -> Chrome:
        """Come from the application, sign in there, and be sent on."""
        driver = self.enterContext(browser(*flags))
        driver.get(self.request())
        driver.find_element(By.NAME, "username").send_keys("alice")
        driver.find_element(By.NAME, "password").send_keys(PASSWORD + "\n")
        WebDriverWait(driver, 20).until(lambda seen: seen.current_url.startswith(f"{self.app}/cb"))
        return driver

    def test_there_and_back(self) -> None:
        """One signs in and out, and the browser has nothing to complain of."""
        driver = self.sign_in()

        self.assertIn("code=", driver.current_url)
        self.assertEqual([line for line in complaints(driver) if not line.startswith(self.saml.base)], [])
        driver.get(self.saml.initiated_logout)
        driver.get(self.request(prompt="none"))
        self.assertIn("error=login_required", driver.current_url)


class CrossSiteTests(ChromiumTests):
    """The same, where the identity provider is another site for the browser, and we are behind a proxy with TLS."""

    idp_host = "127.0.0.1"
    issuer = f"https://{HOST}"
    if missing_proxy("nginx"):
        skip = missing_proxy("nginx")

    def sign_in(self, *flags: str) -> Chrome:
        """Come by the proxy."""
        front = self.enterContext(proxy("nginx", self.op.port))
        there = f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{front.port}"
        return super().sign_in("--ignore-certificate-errors", there, *flags)
