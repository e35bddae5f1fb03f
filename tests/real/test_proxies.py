"""The examples of proxies in the manual: each in front of the daemon, at a root and below a path."""

import json
import socket
import subprocess
import sys
from threading import Thread
from urllib.parse import urlencode

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import ROOT, Daemon, daemon, free_port
from tests.real.person import FORM, Page
from tests.real.proxied_person import BROWSER, CLAIMS, ProxiedPerson
from tests.real.proxy_servers import HOST, Proxy, missing, proxy
from tests.support.files import folder
from tests.support.keys import quick_hash
from tests.support.redirects import answer_of
from tests.support.requests import CHALLENGE, VERIFIER

CALLBACK = "http://127.0.0.1/callback"
PASSWORD = "wonderland"
#: What Konnect's own example passes on, below the path that all is below.
PATHS = (
    "/konnect/v1/jwks.json",
    "/konnect/v1/token",
    "/konnect/v1/userinfo",
    "/konnect/v1/static",
    "/konnect/v1/session",
    "/konnect/v1/register",
    "/signin/v1/identifier",
    "/signin/v1/identifier/_/authorize",
    "/signin/v1/static/x",
)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ExampleCase(SynchronousTestCase):
    """One example. This class itself has none, and is left out."""

    example = ""
    base = ""
    #: Further words for the daemon.
    words: tuple[str, ...] = ()
    #: What it wants to hear from this machine before anything else.
    header = b""

    @property
    def issuer(self) -> str:
        """The issuer of the example."""
        return f"https://{HOST}{self.base}"

    def daemon(self) -> Daemon:
        """Run the daemon that belongs to the example."""
        place = folder(self)
        users, clients = place / "users.yaml", place / "clients.yaml"
        users.write_text(yaml.safe_dump({"users": [{"username": "alice", "password": quick_hash(PASSWORD)}]}))
        client = {"id": "app", "trusted": True, "application_type": "native", "redirect_uris": [CALLBACK]}
        clients.write_text(yaml.safe_dump({"clients": [client]}))
        for file in (users, clients):
            file.chmod(0o600)
        flags = (f"--iss={self.issuer}", f"--uri-base-path={self.base}", "--trusted-proxy=127.0.0.1")
        more = ("--log-level=debug", "--request-log", f"--identifier-registration-conf={clients}")
        return self.enterContext(
            daemon(*flags, *more, f"--file-users={users}", *self.words, "file", header=self.header)
        )

    def person(self) -> ProxiedPerson:
        """Return somebody who comes by the proxy, with the daemon behind it."""
        self.running = self.daemon()
        return ProxiedPerson(self.proxy(self.running.port), CALLBACK)

    def proxy(self, upstream: int) -> Proxy:
        """Run the proxy."""
        return self.enterContext(proxy(self.example, upstream))

    def ask(self, person: ProxiedPerson, **changes: str) -> Page:
        """Send somebody to the authorization endpoint."""
        values = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile"}
        values |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s", **changes}
        return person.open(f"https://{HOST}{self.base}/signin/v1/identifier/_/authorize?{urlencode(values)}")


class Examples:
    """What is tried with each example."""

    class Any(ExampleCase):
        """What holds for all, whether they look into requests or not."""

        def test_sign_in(self) -> None:
            """Somebody signs in, and the application gets a code, tokens and what it may know, by way of the proxy."""
            person = self.person()
            metadata = json.loads(person.call(f"{self.base}/.well-known/openid-configuration").body)
            self.ask(person)
            code = answer_of(person.submit(username="alice", password=PASSWORD).url)["code"]
            form = {"grant_type": "authorization_code", "client_id": "app", "redirect_uri": CALLBACK, "code": code}
            body = urlencode({**form, "code_verifier": VERIFIER}).encode()
            path = metadata["token_endpoint"].removeprefix(f"https://{HOST}")
            tokens = json.loads(person.call(path, body, Content_Type=FORM).body)
            path = metadata["userinfo_endpoint"].removeprefix(f"https://{HOST}")
            known = person.call(path, Authorization=f"Bearer {tokens['access_token']}")

            self.assertEqual((metadata["issuer"], known.status), (self.issuer, 200))
            self.assertIn("sub", json.loads(known.body))

        def test_nobody_says_who_they_are(self) -> None:
            """What a browser says about who it is does not sign it in, though the proxy is trusted."""
            self.assertIn("password", self.ask(self.person()).fields)

        def test_address(self) -> None:
            """The log of requests has the address of the browser, not what it says, and not that of the proxy."""
            self.ask(self.person())
            line = self.running.said("/authorize 302")

            self.assertIn(f"ms {BROWSER}", line)

        def test_long_address(self) -> None:
            """An address of 8 kB arrives whole."""
            person = self.person()
            path = f"{self.base}/signin/v1/welcome?x="
            page = person.call(path + "y" * (8192 - len(path)))

            self.assertEqual(page.status, 302)

        def test_long_redirect(self) -> None:
            """An answer whose head has an address of nearly 8 kB comes back whole."""
            state = "s" * 7700
            answer = answer_of(self.ask(self.person(), state=state, prompt="none").url)

            self.assertEqual(answer["state"], state)

        def test_paths(self) -> None:
            """Everything arrives at the daemon that Konnect's example passes on."""
            person = self.person()
            ours = {path: person.call(self.base + path).header("X-Content-Type-Options") for path in PATHS}

            self.assertEqual(ours, dict.fromkeys(PATHS, "nosniff"))

    class Reading(Any):
        """What holds for those that look into requests."""

        def test_other_paths(self) -> None:
            """Nothing else can be reached: not the health check, and not the root."""
            person = self.person()
            found = {path: person.call(path) for path in ("/health-check", "/metrics", "/", f"{self.base}/x")}

            self.assertEqual({path: page.status for path, page in found.items()}, dict.fromkeys(found, 404))
            self.assertEqual({page.header("X-Content-Type-Options") for page in found.values()}, {""})

        def test_metadata_of_authorization_servers(self) -> None:
            """Clients that look for the other kind of metadata find it where RFC 8414 has it."""
            page = self.person().call(f"/.well-known/oauth-authorization-server{self.base}")

            self.assertEqual(json.loads(page.body)["issuer"], self.issuer)

        def test_stripped(self) -> None:
            """No spelling of the header that names somebody gets past it, and the address is the browser's alone."""
            port = free_port()
            heard: list[bytes] = []
            with socket.create_server(("127.0.0.1", port)) as server:
                Thread(target=_record, args=(server, heard), daemon=True).start()
                person = ProxiedPerson(self.proxy(port))
                person.open(f"https://{HOST}{self.base}/signin/v1/welcome")
            (head,) = [each for each in heard if b"/signin/v1/welcome" in each]
            names = {line.partition(b":")[0].lower().replace(b"_", b"-") for line in head.split(b"\r\n")[1:]}
            addresses = [line for line in head.lower().split(b"\r\n") if line.startswith(b"x-forwarded-for:")]

            self.assertNotIn(b"x-forwarded-user", {name for name in names if _has_value(head, name)})
            self.assertEqual(addresses, [f"x-forwarded-for: {BROWSER}".encode()])


def _has_value(head: bytes, name: bytes) -> bool:
    """Tell whether a header, in any spelling, is there and not empty."""
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return any(key.lower().replace(b"_", b"-") == name and value.strip() for key, _, value in lines)


def _record(server: socket.socket, heard: list[bytes]) -> None:
    """Keep the heads of requests, and answer them."""
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        with peer:
            peer.settimeout(5)
            heard.append(peer.recv(65536))
            peer.sendall(_ANSWER)


class ApacheTests(Examples.Reading):
    """Apache at a root."""

    skip = missing("apache")
    example = "apache"


class ApachePathTests(Examples.Reading):
    """Apache below a path."""

    skip = missing("apache")
    example, base = "apache-path", "/sso"


class NginxTests(Examples.Reading):
    """nginx at a root."""

    skip = missing("nginx")
    example = "nginx"


class NginxPathTests(Examples.Reading):
    """nginx below a path."""

    skip = missing("nginx")
    example, base = "nginx-path", "/sso"


class HaproxyTests(Examples.Reading):
    """HAProxy at a root."""

    skip = missing("haproxy")
    example = "haproxy"


class HaproxyPathTests(Examples.Reading):
    """HAProxy below a path."""

    skip = missing("haproxy")
    example, base = "haproxy-path", "/sso"


class CaddyTests(Examples.Reading):
    """Caddy at a root."""

    skip = missing("caddy")
    example = "caddy"


class CaddyPathTests(Examples.Reading):
    """Caddy below a path."""

    skip = missing("caddy")
    example, base = "caddy-path", "/sso"


class HaproxyTcpTests(Examples.Any):
    """HAProxy that passes connections on unread, and says whose they are by the PROXY protocol."""

    skip = missing("haproxy")
    example = "haproxy-tcp"
    words = ("--proxy-protocol",)
    header = b"PROXY UNKNOWN\r\n"

    def test_claims_arrive_and_count_for_nothing(self) -> None:
        """What a browser says does arrive, and is not believed although the proxy is."""
        person = self.person()
        page = person.call(f"{self.base}/signin/v1/welcome", None, X_Forwarded_User=CLAIMS["X-Forwarded-User"])

        self.assertEqual(page.status, 302)

    def test_own_health_check(self) -> None:
        """The command that asks for its health says what the daemon wants to hear from this machine."""
        port = self.daemon().port
        command = (sys.executable, "-m", "konnectd.cli", "healthcheck", f"--hostname=127.0.0.1:{port}")
        status = [
            subprocess.run((*command, *more), cwd=ROOT, check=False, capture_output=True).returncode
            for more in ((), ("--proxy-protocol",))
        ]

        self.assertEqual(status, [1, 0])

    def test_health(self) -> None:
        """HAProxy's own checks find the daemon well, and the log has nothing to say about them."""
        self.person().call("/health-check")

        self.assertEqual([line for line in self.running.log.splitlines() if "closed a connection" in line], [])
