"""A proxy nobody here wrote recognizes people, and konnectd believes it: Apache with basic authentication."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import yaml
from argon2 import PasswordHasher
from twisted.trial.unittest import SynchronousTestCase

from tests.real.apache_server import Apache, Place, missing, serving
from tests.real.daemon import Daemon, daemon
from tests.real.person import Page, Person
from tests.support.files import folder
from tests.support.redirects import answer_of
from tests.support.requests import CHALLENGE

CALLBACK = "http://127.0.0.1/callback"
PEOPLE = {"alice": "of the proxy", "jürgen": "straße", "carol": "not in our file"}

_DIRECTIVES = """\
LoadModule auth_basic_module /usr/lib/apache2/modules/mod_auth_basic.so
LoadModule authn_file_module /usr/lib/apache2/modules/mod_authn_file.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPreserveHost On
AllowEncodedSlashes NoDecode
ProxyPass / http://127.0.0.1:{port}/
{before}
<Location /signin/v1/>
  AuthType Basic
  AuthName konnectd
  AuthBasicProvider file
  AuthUserFile {passwords}
  Require valid-user
</Location>
"""
#: What the manual says.
RIGHT = """\
RequestHeader unset X-Forwarded-User early
<Location /signin/v1/>
  RequestHeader set X-Forwarded-User "expr=%{REMOTE_USER}"
  RequestHeader unset Authorization
</Location>
"""
#: What goes wrong: the name is put beside what came.
WRONG = """\
<Location /signin/v1/>
  RequestHeader add X-Forwarded-User "expr=%{REMOTE_USER}"
</Location>
"""


class ProxiedPerson(Person):
    """A person whose browser sends the password of the proxy, and whatever else they like."""

    def __init__(self, username: str, *, also: str = "") -> None:
        """Know somebody's password, and claim to be somebody else as well."""
        super().__init__(CALLBACK)
        pair = f"{username}:{PEOPLE[username]}".encode()
        self.extra = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        if also:
            self.extra["X-Forwarded-User"] = also

    def _headers(self, method: str, url: str, origin: Page) -> dict[str, str]:
        """Return the headers of a request."""
        return {**super()._headers(method, url, origin), **self.extra}


def _digest(password: str) -> str:
    """Return what Apache's file of passwords has for one."""
    return b64encode(sha1(password.encode()).digest()).decode()  # noqa: S324 - Apache's simplest form, for a test


class ProxyCase(SynchronousTestCase):
    """The daemon with people in a file, behind Apache that knows some people."""

    skip = missing("proxy", "apache2")
    #: How Apache says who is there.
    before = RIGHT
    #: Whom the daemon trusts.
    trusted: tuple[str, ...] = ("--trusted-proxy=127.0.0.1",)

    def setUp(self) -> None:
        """Start everything."""
        self.place = Place()
        self.files = folder(self)
        self.daemon = self.enterContext(self._daemon())
        self.apache = self.enterContext(self._apache())

    @contextmanager
    def _daemon(self) -> Iterator[Daemon]:
        """Run the daemon, under the name that Apache has."""
        users = self.files / "users.yaml"
        unused = PasswordHasher(time_cost=1).hash("nobody types this")
        people = [{"username": name, "password": unused, "name": name.title()} for name in ("alice", "jürgen")]
        users.write_text(yaml.safe_dump({"users": people}, allow_unicode=True), "utf-8")
        clients = self.files / "clients.yaml"
        client = {"id": "app", "trusted": True, "application_type": "native", "redirect_uris": [CALLBACK]}
        clients.write_text(yaml.safe_dump({"clients": [client]}))
        for file in (users, clients):
            file.chmod(0o600)
        words = (f"--iss={self.place.url('')}", f"--identifier-registration-conf={clients}", *self.trusted)
        flags = ("--log-level=debug", "--request-log", f"--file-users={users}")
        with daemon(*words, *flags, "file") as running:
            yield running

    @contextmanager
    def _apache(self) -> Iterator[Apache]:
        """Run Apache."""
        # Its children run as somebody else and read it, which they could not in a folder of the test's.
        outside = Path(self.enterContext(TemporaryDirectory(prefix="passwords-")))
        outside.chmod(0o755)
        passwords = outside / "passwords"
        passwords.write_text(
            "".join(f"{name}:{{SHA}}{_digest(password)}\n" for name, password in PEOPLE.items()), "utf-8"
        )
        passwords.chmod(0o644)
        text = _DIRECTIVES.format(port=self.daemon.port, passwords=passwords, before=self.before)
        with serving(self.place, "proxy", {"unused": ""}, text) as running:
            yield running

    def ask(self, person: Person, **changes: str) -> Page:
        """Send somebody's browser to the authorization endpoint, by way of Apache."""
        values = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
        values |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return person.open(self.place.url("/signin/v1/identifier/_/authorize?") + urlencode({**values, **changes}))


class SignInTests(ProxyCase):
    """As the manual says."""

    def test_no_page(self) -> None:
        """Who has told Apache who they are gets to the application by the first request, silently as well."""
        for changes in ({}, {"prompt": "none"}):
            page = self.ask(ProxiedPerson("alice"), **changes)
            self.assertIn("code", answer_of(page.url), changes)

    def test_letters_of_all_alphabets(self) -> None:
        """A name that is not ASCII arrives whole."""
        page = ProxiedPerson("jürgen").open(self.place.url("/signin/v1/welcome"))

        self.assertIn("Jürgen", page.text)

    def test_smuggled(self) -> None:
        """What a browser says of itself is taken away by Apache."""
        page = ProxiedPerson("jürgen", also="alice").open(self.place.url("/signin/v1/welcome"))

        self.assertEqual(("Jürgen" in page.text, "Alice" in page.text), (True, False))

    def test_stranger(self) -> None:
        """Whom Apache knows and we do not gets the sign-in page, and the log says so."""
        page = self.ask(ProxiedPerson("carol"))

        self.assertIn("password", page.fields)
        self.assertTrue(self.daemon.said("'carol' is there, whom the backend does not know"))

    def test_address(self) -> None:
        """The request log has the address of the browser, which Apache says."""
        person = ProxiedPerson("alice")
        person.extra["X-Forwarded-For"] = "198.51.100.9"
        self.ask(person)
        line = self.daemon.said("/authorize 302")

        # Apache adds whom it was asked by, which is this machine, and so trusted itself.
        self.assertIn("198.51.100.9", line)


class WrongProxyTests(ProxyCase):
    """A proxy that adds the name to what came from the browser."""

    before = WRONG

    def test_refused(self) -> None:
        """Nobody gets in as whom they like: the request is refused, and the log says what to change."""
        page = self.ask(ProxiedPerson("jürgen", also="alice"))

        self.assertEqual(page.status, 400)
        self.assertTrue(self.daemon.said("X-Forwarded-User"))


class UntrustedTests(ProxyCase):
    """The same proxy, without a word of the operator's."""

    trusted = ()

    def test_not_believed(self) -> None:
        """It is not believed, though it is on this very machine."""
        self.assertIn("password", self.ask(ProxiedPerson("alice")).fields)
