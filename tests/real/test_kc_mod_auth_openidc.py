"""A relying party nobody here wrote signs people of a groupware server in: Apache with mod_auth_openidc."""

from collections.abc import Mapping
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.real import apache
from tests.real.apache import Application, environment
from tests.real.daemon import free_port
from tests.real.installation import provider
from tests.real.kopano_server import KopanoProcess
from tests.real.person import Page, Person
from tests.support.files import folder

PROTECTED = "/protected/"


class Case(SynchronousTestCase):
    """A groupware server that takes the provider's tokens, the provider, Apache, and a person."""

    skip = apache.SKIP

    def setUp(self) -> None:
        """Start everything."""
        port = free_port()
        self.server = KopanoProcess("--sso-issuer", f"http://localhost:{port}")
        self.addCleanup(self.server.remove)
        self.application = Application()
        clients = [self.application.client("client_secret_basic")]
        running = provider(folder(self), clients, self.variables(), "--log-level=debug", backend="kc", port=port)
        self.provider = self.enterContext(running)
        self.enterContext(
            apache.apache(self.application, self.provider.url(), scope="openid profile email offline_access")
        )
        self.person = Person()

    def variables(self) -> Mapping[str, str]:
        """Return how the server is reached."""
        return {"KOPANO_SERVER_DEFAULT_URI": self.server.unix_uri}

    def visit(self, path: str = PROTECTED) -> Page:
        """Type the address of one of Apache's pages."""
        return self.person.open(self.application.url(path), typed=True)

    def sign_in(self, username: str = "alice", password: str = "alice-secret") -> Page:
        """Go to the protected page and sign in."""
        self.visit()
        return self.person.submit(username=username, password=password)


class UnixTests(Case):
    """Over a unix socket, with sessions of people."""

    def test_signs_in(self) -> None:
        """The application gets to know who it is, how they are called and their address."""
        refused = self.sign_in(password="wrong")
        page = self.sign_in()
        known = environment(page)

        self.assertIn("Username or password is not right", refused.text)
        expected = {
            "REMOTE_USER": "alice",
            "OIDC_CLAIM_iss": self.provider.url(),
            "OIDC_CLAIM_name": "Alice Anderson",
            "OIDC_CLAIM_given_name": "Alicia",
            "OIDC_CLAIM_family_name": "Andersson",
            "OIDC_CLAIM_email": "alice@example.test",
            "OIDC_CLAIM_email_verified": "1",
        }
        self.assertEqual({name: known.get(name) for name in expected}, expected)

    def test_goes_on(self) -> None:
        """When the groupware server forgets everybody, tokens are refreshed and people stay signed in."""
        token = environment(self.sign_in())["OIDC_access_token"]
        self.server.forget()
        back = quote(self.application.url(PROTECTED), safe="")
        refreshed = self.visit(f"/protected/redirect_uri?refresh={back}&access_token={token}")
        self.server.stop()
        self.server.start()
        self.person.forget("127.0.0.1")
        again = self.visit()

        self.assertNotEqual(environment(refreshed)["OIDC_access_token"], token)
        self.assertEqual(environment(again)["REMOTE_USER"], "alice")
        self.assertNotIn("alice-secret", self.provider.log)


class TcpTests(UnixTests):
    """Over TCP."""

    def variables(self) -> Mapping[str, str]:
        """Return how the server is reached."""
        return {"KOPANO_SERVER_DEFAULT_URI": self.server.uri}


class CertificateTests(UnixTests):
    """Over TLS, with the session of a service that has a certificate."""

    def variables(self) -> Mapping[str, str]:
        """Return how the server is reached."""
        files = self.server.certificates
        return {
            "KOPANO_SERVER_DEFAULT_URI": self.server.tls_uri,
            "KOPANO_CLIENT_CERTIFICATE": str(files.certificate("client")),
            "KOPANO_CLIENT_PRIVATE_KEY": str(files.key("client")),
            "KC_TLS_CACERT": str(files.certificate("ca")),
        }
