"""How a session with a Kopano server begins.

There are three ways to sign in, and they are different classes because mixing them up lets people in without their
password. A server that is asked over a unix socket looks at the uid of whoever asks unless a flag forbids it; and one
that is asked with a client certificate looks at neither flags nor password.

* `PersonLogon` and `PasswordCheck` check a person's password. The flag is always set, and nothing can unset it. With
  `PasswordProbe` a daemon finds out whether the server does look at passwords.
* `ServiceLogon` is the service account's. It lets the server look at uid and certificate, and is made from an account
  that the operator has configured.
* `TokenLogon` shows a token of ours instead of a password.

Which of them goes over which connection is decided in `_kopano_client`, where each client takes its own kinds only.
"""

from base64 import b64encode
from typing import ClassVar, final

from attrs import field, frozen

import konnectd
from konnectd.backends._kopano_answers import LogonAnswer, PasswordAnswer, User
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import UnsendableError
from konnectd.backends._kopano_soap import SYSTEM, check_name, check_password, success
from konnectd.backends._kopano_xml import envelope, leaf

#: Longest token, in characters.
LONGEST_TOKEN = 16 * 1024

#: Session ids of 64 bits, entry ids for several servers, and Unicode, without which servers refuse to talk at all. A
#: client that leaves out a fourth (0x0100) gets its answers in one piece instead of in chunks.
_CAPABILITIES = 0x0010 | 0x0040 | 0x0200
#: Do not look at the uid of whoever asks.
_NO_UID = 0x0001
#: Check, and register no session.
_NO_SESSION = 0x0002

_CLIENT = "konnect"
_TOKEN_KIND = "KCOIDC"  # noqa: S105 - says what follows
#: Servers want to be told, and take whatever they can not read for new enough.
_CLIENT_VERSION = "8"


@final
@frozen
class ServiceAccount:
    """Who the service is, as the operator has configured it.

    Attributes:
        password: empty for SYSTEM, which signs in by its uid or its certificate.
    """

    username: str = field(converter=check_name)
    password: str = field(repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a password that can not be sent, and to have none.

        Raises:
            UnsendableError: it is refused.
        """
        if self.password or self.username.upper() != SYSTEM:
            check_password(self.password)


def _check_person(name: str) -> str:
    """Return a login name that can be a person's.

    Raises:
        UnsendableError: it can not be anybody's, or is that of the server's own account.
    """
    if name.strip().upper() == SYSTEM:
        raise UnsendableError("nobody signs in as the server itself")
    return check_name(name)


@final
@frozen
class PasswordCheck:
    """Ask whether a password is a person's, and no more."""

    username: str = field(converter=_check_person)
    password: str = field(converter=check_password, repr=False)
    method: ClassVar[str] = "logon"
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password."""
        return (self.password,)

    def encode(self) -> bytes:
        """Write the request."""
        return _logon(self.username, self.password, _NO_UID | _NO_SESSION)

    def read(self, content: bytes) -> PasswordAnswer:
        """Read the answer, as `Call` has it."""
        return PasswordAnswer.read(success(self.method, {"logonResponse"}, content))


@final
@frozen
class PasswordProbe:
    """Try a password that nobody has on the service's own account, and be refused if all is well.

    Attributes:
        password: by chance.
    """

    account: ServiceAccount
    password: str = field(converter=check_password, repr=False)
    method: ClassVar[str] = "logon"
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """Both passwords, although one is not sent."""
        return (self.password, self.account.password)

    def encode(self) -> bytes:
        """Write the request."""
        return _logon(self.account.username, self.password, _NO_UID | _NO_SESSION)

    def read(self, content: bytes) -> PasswordAnswer:
        """Read the answer, as `Call` has it."""
        return PasswordAnswer.read(success(self.method, {"logonResponse"}, content))


@final
@frozen
class PersonLogon:
    """Sign a person in with their password, in a session of their own."""

    username: str = field(converter=_check_person)
    password: str = field(converter=check_password, repr=False)
    method: ClassVar[str] = "logon"
    # What a second try leaves behind is a session that nobody knows and that ends by itself.
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password."""
        return (self.password,)

    def encode(self) -> bytes:
        """Write the request."""
        return _logon(self.username, self.password, _NO_UID)

    def read(self, content: bytes) -> LogonAnswer:
        """Read the answer, as `Call` has it."""
        return LogonAnswer.read(success(self.method, {"logonResponse"}, content))


@final
@frozen
class OwnUser:
    """Ask a session that a person's own logon has just begun whose it is.

    This is the one call without an entry id. In any other session it would answer about whoever that session is of, so
    it is made of the answer to a logon and of nothing else, and no client of a service makes it.
    """

    logon: LogonAnswer
    method: ClassVar[str] = "getUser"
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The session."""
        return (str(self.logon.session.number),)

    def encode(self) -> bytes:
        """Write the request."""
        return envelope(self.method, leaf("sUserId", ""), leaf("ulSessionId", self.logon.session.number))

    def read(self, content: bytes) -> User:
        """Read the answer, as `Call` has it."""
        return User.read(success(self.method, {"getUserResponse"}, content))


@final
@frozen
class ServiceLogon:
    """Sign the service in, by certificate, by uid or by password, whichever the server looks at first."""

    account: ServiceAccount
    method: ClassVar[str] = "logon"
    repeatable: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password."""
        return (self.account.password,)

    def encode(self) -> bytes:
        """Write the request."""
        return _logon(self.account.username, self.account.password, 0)

    def read(self, content: bytes) -> LogonAnswer:
        """Read the answer, as `Call` has it."""
        return LogonAnswer.read(success(self.method, {"logonResponse"}, content))


def _check_token(token: str) -> str:
    """Return a token that can be sent.

    Raises:
        UnsendableError: it is empty, too long, or no compact token.
    """
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise UnsendableError(f"a token must have 1 to {LONGEST_TOKEN} characters of ASCII")
    return token


@final
@frozen
class TokenLogon:
    """Sign somebody in with an access token that we have made, in a session of their own.

    Attributes:
        entry_id: whose token it has to be; None to take it from the token.
    """

    token: str = field(converter=_check_token, repr=False)
    entry_id: EntryId | None = None
    method: ClassVar[str] = "ssoLogon"
    repeatable: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token, as it is and as it is sent."""
        return (self.token, self._input())

    def encode(self) -> bytes:
        """Write the request. The empty user to act as, and the version, have to be there."""
        return envelope(
            self.method,
            leaf("szUsername", str(self.entry_id or "")),
            leaf("lpInput", self._input()),
            leaf("szImpersonateUser", ""),
            leaf("clientCaps", _CAPABILITIES),
            leaf("szClientApp", _CLIENT),
            leaf("szClientAppVersion", konnectd.__version__),
            leaf("clientVersion", _CLIENT_VERSION),
            leaf("ulSessionId", 0),
        )

    def read(self, content: bytes) -> LogonAnswer:
        """Read the answer, as `Call` has it."""
        return LogonAnswer.read(success(self.method, {"ssoLogonResponse"}, content))

    def _input(self) -> str:
        """Return the token as it is sent."""
        return b64encode(f"{_TOKEN_KIND}{self.token}".encode("ascii")).decode("ascii")


def _logon(username: str, password: str, flags: int) -> bytes:
    """Write a logon. The empty user to act as has to be there, or uid and certificate are not looked at."""
    return envelope(
        "logon",
        leaf("szUsername", username),
        leaf("szPassword", password),
        leaf("szImpersonateUser", ""),
        leaf("ulCapabilities", _CAPABILITIES),
        leaf("ulFlags", flags),
        leaf("szClientApp", _CLIENT),
        leaf("szClientAppVersion", konnectd.__version__),
    )
