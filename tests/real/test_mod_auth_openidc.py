"""A relying party nobody here wrote signs people of a real directory in: Apache with mod_auth_openidc."""

from collections.abc import Mapping
from urllib.parse import parse_qs, quote, urlsplit

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from tests.real import apache, slapd
from tests.real.apache import Application, environment
from tests.real.apache_server import HOST, read_environment
from tests.real.installation import Directory, provider
from tests.real.person import Page, Person
from tests.support.browser import browser, complaints, missing, patient
from tests.support.files import folder

ALICE = {"username": "alice", "password": "wonderland"}
PROTECTED, PUBLIC = "/protected/", "/public/"


class Case(SynchronousTestCase):
    """A directory, a provider, Apache, and a person who has been nowhere yet."""

    skip = slapd.SKIP or apache.SKIP
    #: How Apache authenticates at the token endpoint.
    method = "client_secret_basic"
    #: How it is registered to do so.
    registered_method = "client_secret_basic"

    def setUp(self) -> None:
        """Start everything."""
        self.directory = self.enterContext(Directory.start())
        self.application = Application()
        clients = [self.application.client(self.registered_method)]
        words = ("--log-level=debug", "--request-log")
        self.provider = self.enterContext(provider(folder(self), clients, self.variables(), *words))
        self.apache = self.enterContext(apache.apache(self.application, self.provider.url(), self.method))
        self.person = Person()

    def variables(self) -> Mapping[str, str]:
        """Return how the directory is reached."""
        return self.directory.by_ldaps()

    def visit(self, path: str = PROTECTED) -> Page:
        """Type the address of one of Apache's pages."""
        return self.person.open(self.application.url(path), typed=True)

    def sign_in(self, **words: str) -> Page:
        """Go to the protected page and sign in; alice unless told otherwise."""
        self.visit()
        return self.person.submit(**(words or ALICE))

    def refresh(self, access_token: str) -> Page:
        """Have Apache get new tokens with its refresh token, and come back to the protected page."""
        back = quote(self.application.url(PROTECTED), safe="")
        return self.visit(f"/protected/redirect_uri?refresh={back}&access_token={access_token}")

    def is_at_provider(self, page: Page) -> bool:
        """Tell whether somebody is asked to sign in."""
        return page.url.startswith(self.provider.url("/signin/v1/identifier")) and "password" in page.fields


class SignInTests(Case):
    """From a protected page to signing in, and back."""

    def test_sent_to_the_provider(self) -> None:
        """Who is not signed in is sent to sign in, with a challenge for the code."""
        page = self.visit()
        sent = parse_qs(urlsplit(page.hops[-1]).query)

        self.assertTrue(self.is_at_provider(page))
        self.assertIn("Apache", page.text)
        self.assertEqual((sent["response_type"], sent["code_challenge_method"]), (["code"], ["S256"]))

    def test_claims(self) -> None:
        """The application gets to know who it is, how they are called, their address and their groups."""
        page = self.sign_in()
        known = environment(page)

        self.assertEqual((page.status, page.url), (200, self.application.url(PROTECTED)))
        expected = {
            "REMOTE_USER": "alice",
            "AUTH_TYPE": "openid-connect",
            "OIDC_CLAIM_iss": self.provider.url(),
            "OIDC_CLAIM_aud": apache.CLIENT_ID,
            "OIDC_CLAIM_name": "Alice",
            "OIDC_CLAIM_given_name": "Alice",
            "OIDC_CLAIM_email": "alice@example.org",
            "OIDC_CLAIM_email_verified": "0",
            "OIDC_CLAIM_groups": "Inner, Circle;readers",
            "OIDC_CLAIM_amr": "pwd",
        }
        self.assertEqual({name: known.get(name) for name in expected}, expected)

    def test_letters_of_all_alphabets(self) -> None:
        """Names and passwords that are not ASCII arrive whole in the directory and in the application."""
        known = environment(self.sign_in(username="jürgen", password="straße"))

        self.assertEqual((known["REMOTE_USER"], known["OIDC_CLAIM_name"]), ("jürgen", "Jürgen"))

    def test_wrong_password_first(self) -> None:
        """A wrong password is told and lets nobody in; the right one then leads back as if nothing had been."""
        refused = self.sign_in(username="alice", password="looking-glass")
        outside = self.visit()
        page = self.sign_in()

        self.assertTrue(self.is_at_provider(refused))
        self.assertIn("Username or password is not right", refused.text)
        self.assertEqual(refused.fields["password"], "")
        self.assertTrue(self.is_at_provider(outside))
        self.assertEqual(environment(page)["REMOTE_USER"], "alice")

    def test_single_sign_on(self) -> None:
        """Who is signed in at the provider is let in everywhere without being asked."""
        self.sign_in()
        self.person.forget(HOST)
        page = self.visit()

        self.assertEqual(environment(page)["REMOTE_USER"], "alice")
        self.assertTrue(any(hop.startswith(self.provider.url()) for hop in page.hops))

    def test_groups_decide(self) -> None:
        """Apache lets members of a group in, and nobody else."""
        self.sign_in()

        self.assertEqual(environment(self.visit("/readers/"))["REMOTE_USER"], "alice")
        self.assertEqual(self.visit("/strangers/").status, 401)

    def test_log(self) -> None:
        """The most talkative log has neither the password nor the code nor a token nor a secret in it."""
        page = self.sign_in(**ALICE)
        known = environment(page)
        code = parse_qs(urlsplit(page.hops[-1]).query)["code"][0]
        secret = {
            "password": ALICE["password"],
            "service password": slapd.SERVICE_PASSWORD,
            "client secret": apache.CLIENT_SECRET,
            "code": code,
            "access token": known["OIDC_access_token"],
            "refresh token": known["OIDC_refresh_token"],
        }
        self.provider.said("/konnect/v1/token")

        self.assertEqual([name for name, value in secret.items() if value in self.provider.log], [])


class RefreshTests(Case):
    """Tokens that are renewed while nobody looks."""

    def test_refresh(self) -> None:
        """Apache gets a new access token with its refresh token, and the person stays where they were."""
        before = environment(self.sign_in())["OIDC_access_token"]
        page = self.refresh(before)
        after = environment(page)

        self.assertEqual((page.url, after["REMOTE_USER"]), (self.application.url(PROTECTED), "alice"))
        self.assertNotEqual(after["OIDC_access_token"], before)


class GoneTests(Case):
    """People who are removed or disabled while they are signed in."""

    def assert_out(self, access_token: str, **words: str) -> None:
        """Check that nothing works any more for who was signed in: neither renewal nor a new code nor the password."""
        renewed = self.refresh(access_token)
        self.person.forget(HOST)
        again = self.visit()
        refused = self.person.submit(**words)

        self.assertIn("error_code=refresh_failed", renewed.url)
        self.assertTrue(self.is_at_provider(again))
        self.assertTrue(self.is_at_provider(refused))
        self.assertFalse(self.person.holds("mod_auth_openidc_session"))

    def test_deleted(self) -> None:
        """Who is removed from the directory gets no refreshed token and no new code, and can not sign in."""
        self.directory.add("brief", "candle")
        known = environment(self.sign_in(username="brief", password="candle"))
        self.directory.delete("brief")

        self.assertEqual(known["REMOTE_USER"], "brief")
        self.assert_out(known["OIDC_access_token"], username="brief", password="candle")

    def test_disabled(self) -> None:
        """Nor does who is disabled there."""
        known = environment(self.sign_in(username="windows", password="gates"))
        self.directory.change("windows", "userAccountControl: 514")

        self.assertEqual(known["REMOTE_USER"], "windows")
        self.assert_out(known["OIDC_access_token"], username="windows", password="gates")

    def test_locked(self) -> None:
        """Nor does whom the password policy has locked out."""
        known = environment(self.sign_in())
        self.directory.change("alice", "pwdAccountLockedTime: 000001010000Z")

        self.assertEqual(known["REMOTE_USER"], "alice")
        self.assert_out(known["OIDC_access_token"], **ALICE)


class SignOutTests(Case):
    """Leaving from the application."""

    def leave(self, path: str = PUBLIC) -> Page:
        """Follow the application's link to sign out."""
        return self.person.open(f"{self.application.redirect_uri}?logout={quote(self.application.url(path), safe='')}")

    def test_sign_out(self) -> None:
        """The application's link ends both sessions without a question, and leads back to its public page."""
        self.sign_in()
        page = self.leave()
        after = self.visit()

        self.assertEqual((page.url, page.title), (self.application.url(PUBLIC), "Public page"))
        self.assertTrue(
            any(hop.startswith(self.provider.url("/signin/v1/identifier/_/endsession")) for hop in page.hops)
        )
        self.assertFalse(self.person.holds("KKT"))
        self.assertTrue(self.is_at_provider(after))

    def test_way_back_that_is_not_registered(self) -> None:
        """Apache would lead to any page of its own; the provider leads to registered ones only."""
        self.sign_in()
        page = self.leave("/protected/elsewhere")

        self.assertTrue(page.url.startswith(self.provider.url()))
        self.assertEqual(page.status, 400)


class StartTlsAndPostTests(Case):
    """The other ways: StartTLS to the directory, and the secret in the form."""

    method = registered_method = "client_secret_post"

    def variables(self) -> Mapping[str, str]:
        """Return how the directory is reached."""
        return self.directory.by_starttls()

    def test_sign_in(self) -> None:
        """People are signed in all the same."""
        refused = self.sign_in(username="alice", password="looking-glass")
        page = self.sign_in()

        self.assertTrue(self.is_at_provider(refused))
        self.assertEqual(environment(page)["REMOTE_USER"], "alice")


class OtherMethodTests(Case):
    """A client that authenticates otherwise than it is registered."""

    method = "client_secret_post"

    def test_refused(self) -> None:
        """It gets no tokens, so nobody is let in."""
        page = self.sign_in()

        self.assertTrue(page.url.startswith(self.application.redirect_uri))
        self.assertIn("invalid_client", self.apache.log)
        self.assertFalse(self.person.holds("mod_auth_openidc_session"))


class BrowserTests(Case):
    """The same with a real browser, which knows rules of its own: for cookies, for forms, for what pages may load."""

    skip = slapd.SKIP or apache.SKIP or missing() or None

    def test_sign_in_and_out(self) -> None:
        """A browser signs in from Apache's page, is told of a wrong password, sees its claims, and signs out."""
        driver = self.enterContext(browser())
        wait = patient(driver)
        driver.get(self.application.url(PROTECTED))
        driver.find_element(By.NAME, "username").send_keys("alice")
        driver.find_element(By.NAME, "password").send_keys("looking-glass", Keys.ENTER)
        wait.until(lambda seen: "is not right" in seen.page_source)
        driver.find_element(By.NAME, "password").send_keys("wonderland", Keys.ENTER)
        wait.until(lambda seen: seen.current_url == self.application.url(PROTECTED))
        known = read_environment(driver.page_source)
        driver.get(f"{self.application.redirect_uri}?logout={quote(self.application.url(PUBLIC), safe='')}")
        left = driver.find_element(By.TAG_NAME, "h1").text
        driver.get(self.application.url(PROTECTED))

        self.assertEqual((known["REMOTE_USER"], known["OIDC_CLAIM_groups"]), ("alice", "Inner, Circle;readers"))
        self.assertEqual(left, "Public page")
        self.assertTrue(driver.current_url.startswith(self.provider.url("/signin/v1/identifier")))
        self.assertEqual([line for line in complaints(driver) if "favicon.ico" not in line], [])
