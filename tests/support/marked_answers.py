"""What a daemon says, listened to: every secret that is given out is known from then on, whatever gives it out."""

import json
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from attrs import frozen

from tests.support.connection import Heard
from tests.support.fakes import claims_of
from tests.support.marks import Marks
from tests.support.markup import answerable

#: What may be told to nobody, in no answer: those who ask know it, and others must not.
NEVER = frozenset(
    {
        *("password", "client secret", "initial access token", "encryption secret", "signing key", "client's key"),
        *("pairwise salt", "code_verifier", "password of the store", "password of the backend", "cookie of others"),
    }
)
#: Members of answers and parameters of addresses that are secrets.
_SECRET = {
    *("access_token", "refresh_token", "code", "device_code", "user_code", "client_secret"),
    *(
        "registration_access_token",
        "request_uri",
        "interaction",
        "retry",
        "konnect",
        "ticket",
        "csrf",
        "sealed_request",
    ),
}
_TOKENS = frozenset({"access_token", "id_token", "refresh_token", "logout_token"})


@frozen(kw_only=True)
class Told:
    """One answer.

    Attributes:
        asked: method and path.
    """

    asked: str
    answer: Heard

    @property
    def is_error(self) -> bool:
        """Whether it says that something is wrong, be it here or at a client."""
        return self.answer.status >= 400 or "error" in dict(_pairs(self.answer.header("Location")))

    @property
    def content(self) -> bytes:
        """Everything but cookies, which are for those who keep them."""
        lines = (f"{name}: {value}" for name, value in self.answer.headers if name.lower() != "set-cookie")
        return "\n".join(lines).encode() + b"\n\n" + self.answer.body


def learn(marks: Marks, answer: Heard) -> None:
    """Know of every secret in an answer."""
    for kind, secret in (*_cookies(answer), *_pairs(answer.header("Location")), *_of_body(answer)):
        if kind in _TOKENS:
            marks.add_token(kind, secret)
            if kind == "id_token" and secret.count(".") == 2:
                marks.add("sid", str(claims_of(secret).get("sid", "")))
        elif kind in _SECRET or kind.startswith("cookie "):
            marks.add("client secret" if kind == "client_secret" else kind, secret)
        if kind == "user_code":
            marks.add(kind, secret.replace("-", ""))


def _cookies(answer: Heard) -> Iterator[tuple[str, str]]:
    """Yield what a browser is to keep."""
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(value)
            except CookieError:
                continue
            yield from ((f"cookie {name}", morsel.value) for name, morsel in jar.items())


def _pairs(location: str) -> Iterator[tuple[str, str]]:
    """Yield what stands in an address, and in the addresses in it."""
    parts = urlsplit(location)
    for name, value in (*parse_qsl(parts.query), *parse_qsl(parts.fragment)):
        yield name, value
        if value.startswith(("https://", "http://")):
            yield from _pairs(value)


def _of_body(answer: Heard) -> Iterator[tuple[str, str]]:
    """Yield what stands in JSON, or in the fields of a page."""
    kind = answer.header("Content-Type")
    if kind.startswith("application/json") and answer.body:
        said = json.loads(answer.body)
        if isinstance(said, dict):
            yield from ((name, value) for name, value in said.items() if isinstance(value, str))
    elif kind.startswith("text/html"):
        for element in answerable(answer.body):
            if element.name == "input":
                yield element.attributes.get("name", ""), element.attributes.get("value", "")
            elif element.name == "form":
                yield from _pairs(element.attributes.get("action", ""))
