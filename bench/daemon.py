"""The daemon under measure: its files, a client that signs in once, and the requests of each endpoint."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import yaml
from argon2 import PasswordHasher
from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.load import Answer, Load, get, post
from bench.processes import Server, free_port

_CLIENT, _SECRET, _CALLBACK = "bench", "bench-secret", "https://client.example.com/callback"
PASSWORD = "wonderland"  # noqa: S105 - made for the bench
#: The people: so many that nobody comes to have more grants than are kept, as nobody does in real life.
HOUSE = ("alice", *(f"person{number}" for number in range(1_000)))
_BASIC = "Authorization: Basic " + b64encode(f"{_CLIENT}:{_SECRET}".encode()).decode()
_INNER = "/signin/v1/identifier/_/"
_SCOPE = "openid profile email offline_access"
_AUTHORIZE = (
    _INNER
    + "authorize?"
    + urlencode(
        {
            "client_id": _CLIENT,
            "response_type": "code",
            "scope": _SCOPE,
            "redirect_uri": _CALLBACK,
            "state": "a1b2c3d4e5f6",
            "nonce": "n0n1n2n3n4n5",
        },
        quote_via=quote,
    )
)
DISCOVERY = get("/.well-known/openid-configuration")
JWKS = get("/konnect/v1/jwks.json")


@frozen
class Files:
    """What the daemon reads at start."""

    folder: Path
    key: rsa.RSAPrivateKey

    @classmethod
    def write(cls, folder: Path) -> "Files":
        """Make keys, users and clients. In ``users.yaml`` is one person, in ``house.yaml`` there are many."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "bench.pem").write_bytes(pem)
        (folder / "secret").write_bytes(bytes(range(32)))
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        secret = cheap.hash(PASSWORD)
        people = [
            {"username": name, "password": secret, "email": f"{name}@example.com", "name": name.title()}
            for name in HOUSE
        ]
        (folder / "users.yaml").write_text(yaml.safe_dump({"users": people[:1]}))
        (folder / "house.yaml").write_text(yaml.safe_dump({"users": people}))
        client = {"id": _CLIENT, "secret": _SECRET, "trusted": True, "redirect_uris": [_CALLBACK]}
        (folder / "clients.yaml").write_text(yaml.safe_dump({"clients": [client]}))
        for file in folder.iterdir():
            file.chmod(0o600)
        return cls(folder, key)

    @property
    def house(self) -> tuple[str, str]:
        """How a daemon is started that knows many people."""
        return f"--file-users={self.folder / 'house.yaml'}", "file"

    def arguments(self, port: int, *backend: str) -> list[str]:
        """Return how the daemon is started."""
        return [
            "-m",
            "konnectd.cli",
            "serve",
            f"--iss=http://localhost:{port}",
            f"--listen=127.0.0.1:{port}",
            f"--signing-private-key={self.folder / 'bench.pem'}",
            f"--encryption-secret={self.folder / 'secret'}",
            f"--identifier-registration-conf={self.folder / 'clients.yaml'}",
            "--log-level=warn",
            *(backend or (f"--file-users={self.folder / 'users.yaml'}", "file")),
        ]


@define
class Daemon:
    """A running daemon, and browsers in which people are signed in."""

    server: Server
    load: Load
    cookies: list[str] = field(factory=list)

    @classmethod
    def start(cls, files: Files, *backend: str) -> "Daemon":
        """Start it and open connections."""
        port = free_port()
        server = Server.start(files.arguments(port, *backend), port, files.folder / "daemon.log")
        return cls(server, Load(port))

    def stop(self) -> None:
        """End it."""
        self.load.close()
        self.server.stop()

    def sign_in(self, *names: str) -> None:
        """Sign people in as a browser does."""
        self.cookies = [self._sign_in(name) for name in names]

    def _sign_in(self, username: str) -> str:
        """Sign somebody in and return the logon cookie."""
        page = self._one(get(_INNER + "signin"))
        form_cookie = page.header(b"set-cookie").decode().partition(";")[0]
        text = page.body.decode()
        csrf = unescape(_found(r'name="csrf"[^>]*value="([^"]+)"', text))
        action = unescape(_found(r'<form[^>]*action="([^"]+)"', text))
        body = urlencode({"csrf": csrf, "username": username, "password": PASSWORD})
        answer = self._one(post(action, body, f"Cookie: {form_cookie}"))
        cookie = answer.header(b"set-cookie").decode().partition(";")[0]
        if answer.status != 303 or not cookie.startswith("KKT="):
            raise RuntimeError("nobody was signed in")
        return cookie

    def sign_in_requests(self, *names: str) -> list[bytes]:
        """Return the request of a sign-in for each of some people, to be sent again and again."""
        page = self._one(get(_INNER + "signin"))
        form_cookie = page.header(b"set-cookie").decode().partition(";")[0]
        text = page.body.decode()
        csrf = unescape(_found(r'name="csrf"[^>]*value="([^"]+)"', text))
        action = unescape(_found(r'<form[^>]*action="([^"]+)"', text))
        bodies = (urlencode({"csrf": csrf, "username": name, "password": PASSWORD}) for name in names)
        return [post(action, body, f"Cookie: {form_cookie}") for body in bodies]

    def authorize(self, count: int) -> list[str]:
        """Return codes of that many authorization requests with a living logon, everybody having a turn."""
        requests = cycle([get(_AUTHORIZE, f"Cookie: {cookie}") for cookie in self.cookies])
        return [_code(answer) for answer in self.load.run(islice(requests, count))]

    def redeem(self, codes: list[str]) -> list[str]:
        """Return the access tokens of some codes."""
        return [_token(answer, "access_token") for answer in self.load.run(_redemptions(codes))]

    def refresh_token(self) -> str:
        """Return a refresh token."""
        (code,) = self.authorize(1)
        return _token(self._one(next(_redemptions([code]))), "refresh_token")

    def refresh(self, count: int) -> int:
        """Refresh that many times, each time with the token of the answer before, and return how often that was."""
        token = self.refresh_token()
        for _ in range(count):
            token = _token(self._one(_refresh_request(token)), "refresh_token")
        return count

    def _one(self, request: bytes) -> Answer:
        """Send one request."""
        return next(self.load.run(iter([request])))


def _redemptions(codes: list[str]) -> Iterator[bytes]:
    """Yield the token request of each code."""
    for code in codes:
        body = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": _CALLBACK})
        yield post("/konnect/v1/token", body, _BASIC)


def _refresh_request(token: str) -> bytes:
    """Return the token request of a refresh token."""
    return post("/konnect/v1/token", urlencode({"grant_type": "refresh_token", "refresh_token": token}), _BASIC)


def userinfo_request(token: str) -> bytes:
    """Return a userinfo request."""
    return get("/konnect/v1/userinfo", f"Authorization: Bearer {token}")


def _code(answer: Answer) -> str:
    """Return the code of an authorization response."""
    query = parse_qs(urlsplit(answer.header(b"location").decode()).query)
    if answer.status != 302 or "code" not in query:
        raise RuntimeError(f"no code but {answer.status} {answer.header(b'location')!r}")
    return query["code"][0]


def _token(answer: Answer, name: str) -> str:
    """Return a token of a token response."""
    if answer.status != 200:
        raise RuntimeError(f"no token but {answer.status} {answer.body!r}")
    token: str = json.loads(answer.body)[name]
    return token


def _found(pattern: str, text: str) -> str:
    """Return what stands somewhere in a page."""
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"not on the page: {pattern}")
    return match[1]
