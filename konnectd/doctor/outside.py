"""The issuer from the outside in: what an application and a browser see at the address that everybody knows.

It is asked from this machine, so what stands in between is what stands between this machine and its own address.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from attrs import frozen

from konnectd.config.settings import Settings
from konnectd.doctor import certificates
from konnectd.doctor.finding import Finding, fault, good, hint, warning
from konnectd.doctor.probe import Answer, Asks, NoAnswerError, UntrustedError
from konnectd.jose.keys import KeyRing

_ISSUER, _CLOCK, _KEYS, _PROXY = "issuer", "clock", "published keys", "proxy"
_REDIRECTS = range(300, 400)
_OK, _BAD, _UNAUTHORIZED, _BAD_METHOD = 200, 400, 401, 405
#: How far two clocks may be apart, in seconds: tokens of the future are refused by many beyond a minute.
_CLOSE, _FAR = 5, 50
_RELOAD = (
    "Reload konnectd on all machines, or restart it where systemd hands keys over; if several answer, give them the"
    " same keys."
)


@frozen(kw_only=True)
class Outside:
    """Looks at an issuer.

    Attributes:
        keys: those of the configuration; None when they can not be read.
        now: returns seconds since the epoch.
    """

    settings: Settings
    probe: Asks
    keys: KeyRing | None
    now: Callable[[], int]

    async def look(self) -> list[Finding]:
        """Look at everything; where the first question gets no answer, that is all there is to say."""
        url = f"{self.settings.iss.rstrip('/')}{self.settings.paths.discovery}"
        try:
            answer = await self.probe.get(url)
        except UntrustedError:
            return [await self._untrusted(url)]
        except NoAnswerError as error:
            return [self._unreachable(str(error))]
        found = [*(certificates.judge(answer.tls, self.now()) if answer.tls is not None else [])]
        found += self._discovery(answer, url)
        found += self._clock(answer)
        if any(finding.about == _ISSUER and finding.level == "fault" for finding in found):
            return found
        return [*found, *await self._published_keys(), *await self._paths(), *await self._sign_in_page()]

    async def _untrusted(self, url: str) -> Finding:
        """Look at the certificate that is not trusted."""
        tls = await self.probe.look(url)
        return certificates.judge_untrusted(tls, urlsplit(url).hostname or "", self.now())

    def _unreachable(self, why: str) -> Finding:
        """Say that nobody answers."""
        return fault(
            _ISSUER,
            f"{self.settings.iss} {why}",
            cause="The proxy is not running, the name leads to another machine, a firewall is in between, or this"
            " network can not reach its own public address (hairpin NAT).",
            mend="Look where the name leads from here (getent hosts) and from outside. If only this machine can not"
            " reach it, let the name lead to the proxy's inner address in /etc/hosts or the local DNS.",
        )

    def _discovery(self, answer: Answer, url: str) -> list[Finding]:
        """Look at the metadata."""
        if answer.status in _REDIRECTS:
            target = answer.header("location").partition("?")[0][:200] or "nowhere"
            return [
                fault(
                    _ISSUER,
                    f"{url} answers with a redirect to {target}",
                    cause="The proxy sends everybody to another name or scheme; applications do not follow that.",
                    mend="Make the issuer identifier the address that answers, or let the proxy pass this one on.",
                )
            ]
        if answer.status != _OK:
            return [
                fault(
                    _ISSUER,
                    f"{url} answers with status {answer.status}",
                    cause="The proxy does not pass this path on, or passes it on to something else; at 502 to 504"
                    " it does not reach konnectd.",
                    mend="Pass it on as docs/operate/proxy.md shows. Below a path, the proxy has to map it.",
                )
            ]
        metadata = _object(answer.body)
        if metadata is None:
            return [
                fault(
                    _ISSUER,
                    f"{url} answers something that is no JSON ({answer.header('content-type')[:80] or 'no type'})",
                    cause="Something else answers: a default site, a sign-in page of the proxy, another application.",
                    mend="Pass the path on to konnectd, and let the proxy ask nobody to sign in for it.",
                )
            ]
        return list(self._metadata(metadata))

    def _metadata(self, metadata: Mapping[str, object]) -> Iterator[Finding]:
        """Look at what the metadata says."""
        issuer = metadata.get("issuer")
        if issuer != self.settings.iss:
            yield fault(
                _ISSUER,
                f"the issuer that answers is {str(issuer)[:200]!r}, and not {self.settings.iss!r}",
                cause=_difference(str(issuer), self.settings.iss),
                mend="Write the same oidc_issuer_identifier everywhere, letter by letter, and restart; or mend the"
                " proxy if another provider answers.",
            )
            return
        yield good(_ISSUER, f"{self.settings.iss} answers")
        jwks_uri = self.settings.origin + self.settings.paths.jwks
        if metadata.get("jwks_uri") != jwks_uri:
            yield warning(
                _ISSUER,
                f"the metadata says jwks_uri {str(metadata.get('jwks_uri'))[:200]!r}, and not {jwks_uri!r}",
                cause="The daemon that answers was started with other options, such as another uri_base_path.",
                mend="Restart it with the configuration that was looked at here.",
            )

    def _clock(self, answer: Answer) -> list[Finding]:
        """Compare the clock of this machine with that of who answered."""
        try:
            there = parsedate_to_datetime(answer.header("date")).timestamp()
        except (ValueError, TypeError, OverflowError):
            return [hint(_CLOCK, "the answer has no date, so the clocks were not compared")]
        apart = abs(self.now() - int(there))
        if apart <= _CLOSE:
            return [good(_CLOCK, "this machine and the one that answers have the same time")]
        say = fault if apart > _FAR else warning
        return [
            say(
                _CLOCK,
                f"this machine and the one that answers are {apart} seconds apart",
                cause="One of the clocks is wrong. Tokens are refused as too early or too late.",
                mend="Run a time service on both (systemd-timesyncd, chrony): timedatectl shows whether it works.",
            )
        ]

    async def _published_keys(self) -> list[Finding]:
        """Compare the keys that are published with those of the configuration."""
        url = self.settings.origin + self.settings.paths.jwks
        try:
            answer = await self.probe.get(url)
        except NoAnswerError as error:
            return [fault(_KEYS, f"{url} {error}", cause="The proxy does not pass it on.", mend=_pass_on(url))]
        document = _object(answer.body)
        keys = document.get("keys") if document is not None else None
        if answer.status != _OK or not isinstance(keys, list):
            says = f"{url} answers with status {answer.status}, and no set of keys"
            return [fault(_KEYS, says, cause="The proxy does not pass it on.", mend=_pass_on(url))]
        if self.keys is None or not self.settings.signing_private_key:
            return [hint(_KEYS, "not compared: there are no signing keys in the configuration that can be read")]
        return [self._compared({str(key.get("kid")): key for key in keys if isinstance(key, dict)}, self.keys)]

    def _compared(self, published: Mapping[str, Mapping[str, object]], ring: KeyRing) -> Finding:
        """Compare what is published with what should be."""
        different = [kid for kid, key in ring.by_kid.items() if not _same(published.get(kid), key.to_jwk())]
        if ring.active.kid in different:
            return fault(
                _KEYS,
                f"the active key {ring.active.kid} is not published",
                cause="The daemon that answers has other keys: it was not reloaded after a change, or reads another"
                " configuration.",
                mend=_RELOAD,
            )
        if different:
            return warning(
                _KEYS,
                f"not published: {', '.join(different)[:200]}",
                cause="The daemon was not reloaded since they were made.",
                mend=_RELOAD,
            )
        return good(_KEYS, f"the active key {ring.active.kid} and {len(ring.by_kid) - 1} others are published")

    async def _paths(self) -> list[Finding]:
        """Look whether the proxy passes on every path, by what only we would answer there."""
        paths = self.settings.paths
        wanted = ((paths.userinfo, _UNAUTHORIZED), (paths.token, _BAD_METHOD), (paths.authorize, _BAD))
        lost = []
        for path, status in wanted:
            try:
                answer = await self.probe.get(self.settings.origin + path)
            except NoAnswerError as error:
                lost.append(f"{path} {error}")
                continue
            if answer.status != status or answer.header("x-content-type-options") != "nosniff":
                lost.append(f"{path} answers with status {answer.status}, and not {status}")
        if not lost:
            return [good(_PROXY, "token, userinfo and authorization endpoint are passed on")]
        return [
            fault(
                _PROXY,
                "; ".join(lost),
                cause="The proxy does not pass these paths on, rewrites them, or answers itself.",
                mend=f"Pass on everything below {paths.userinfo.removesuffix('userinfo')} and {paths.pages} as it is,"
                " without decoding or rewriting; see docs/operate/proxy.md.",
            )
        ]

    async def _sign_in_page(self) -> list[Finding]:
        """Look at the page where people sign in: its cookies, and what the proxy adds."""
        if not self.settings.own_pages:
            return [hint(_PROXY, "the sign-in page is somebody else's, and was not looked at")]
        url = f"{self.settings.origin}{self.settings.paths.inner}signin"
        try:
            answer = await self.probe.get(url)
        except NoAnswerError as error:
            return [fault(_PROXY, f"{url} {error}", cause="The proxy does not pass it on.", mend=_pass_on(url))]
        if answer.status != _OK:
            says = f"{url} answers with status {answer.status}"
            return [fault(_PROXY, says, cause="The proxy does not pass it on.", mend=_pass_on(url))]
        return [*self._cookies(answer), *self._headers(answer)]

    def _cookies(self, answer: Answer) -> Iterator[Finding]:
        """Look at the cookies of the sign-in page."""
        cookies = answer.headers.get("set-cookie", ())
        attributes = [{part.strip().lower() for part in cookie.split(";")[1:]} for cookie in cookies]
        if not cookies:
            yield fault(
                _PROXY,
                "the sign-in page sets no cookie",
                cause="The proxy takes Set-Cookie away, or keeps the page in its cache.",
                mend="Let Set-Cookie through, and cache nothing that does not ask for it.",
            )
        elif self.settings.secure_cookies and not all("secure" in found for found in attributes):
            yield fault(
                _PROXY,
                "a cookie of the sign-in page is without Secure",
                cause="The proxy rewrites cookies.",
                mend="Take rules for cookies out of the proxy (proxy_cookie_flags, ProxyPassReverseCookie...).",
            )
        else:
            yield good(_PROXY, "the sign-in page comes through, with its cookie")

    def _headers(self, answer: Answer) -> Iterator[Finding]:
        """Look at what the proxy should add, and what it should not."""
        if len(answer.headers.get("content-security-policy", ())) > 1:
            yield warning(
                _PROXY,
                "the sign-in page has two Content-Security-Policy headers",
                cause="The proxy adds one of its own; both count, and pages may not work.",
                mend="Leave the one that konnectd sends.",
            )
        if self.settings.secure_cookies and not answer.header("strict-transport-security"):
            yield hint(
                _PROXY,
                "there is no Strict-Transport-Security",
                cause="A browser's first visit can be led to http by somebody in between.",
                mend="Let the proxy add: Strict-Transport-Security: max-age=31536000",
            )


def _pass_on(url: str) -> str:
    """Say what to do about a path that does not come through."""
    return f"Pass {urlsplit(url).path} on to konnectd; see docs/operate/proxy.md."


def _object(body: bytes) -> Mapping[str, object] | None:
    """Read a JSON object; None for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _same(published: Mapping[str, object] | None, key: Mapping[str, object]) -> bool:
    """Tell whether a published key is one of ours."""
    return published is not None and all(published.get(name) == value for name, value in key.items())


def _difference(there: str, here: str) -> str:
    """Say in what two issuers differ, in the ways that happen."""
    if there.rstrip("/") == here.rstrip("/"):
        return "They differ in the slash at the end; applications compare letter by letter."
    if there.lower() == here.lower():
        return "They differ in capital letters; applications compare letter by letter."
    if urlsplit(there)[1:] == urlsplit(here)[1:]:
        return "They differ in http and https."
    return "The daemon that answers was started with another issuer, or the proxy leads to another provider."
