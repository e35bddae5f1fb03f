"""The plan for logins that begin with a third party: an address is registered and told again."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import error_of, json_of
from tests.support.assembly import Daemon
from tests.support.registering import ON, SelfRegistered, register
from tests.support.requests import CALLBACK

LOGIN = "https://notes.example.org/login"


class InitiateLoginTests(SynchronousTestCase):
    """``oidcc-3rdparty-init-login``. Spec: OIDC Core 4; OIDC Registration 2."""

    def setUp(self) -> None:
        """Begin where everybody may register."""
        self.daemon = Daemon(ON)

    def test_told_again(self) -> None:
        """Registration echoes the address, and so does a look at the registration."""
        app = SelfRegistered.begin(self.daemon, initiate_login_uri=LOGIN)
        read = app.manage("GET")

        self.assertEqual(app.told_at_start["initiate_login_uri"], LOGIN)
        self.assertEqual((read.status, json_of(read)["initiate_login_uri"]), (200, LOGIN))
        self.assertEqual(read.header("Content-Type").partition(";")[0], "application/json")

    def test_http(self) -> None:
        """One without TLS is refused."""
        for uri in ("http://notes.example.org/login", "notes.example.org", "javascript:alert(1)"):
            answer = register(self.daemon, {"redirect_uris": [CALLBACK], "initiate_login_uri": uri})
            with self.subTest(uri=uri):
                self.assertEqual(error_of(answer), (400, "invalid_client_metadata"))
