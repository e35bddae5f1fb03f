"""Users from a YAML file, for small installations and for trying things out.

The file is read once, at start. A person signs in with the user name or, if nobody else has the same one, with the
email address; case and the way accents are composed do not matter.

The subject is the user name exactly as the file has it, unless the entry says ``subject``: so a person who gets
another user name keeps their accounts at every client when the old name is kept there. It is not the ``uuid``, because
giving somebody one later would change who they are.
"""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from konnectd.backends._file_users import OPTION, FileUser, parse_users, sign_in_name
from konnectd.backends._passwords import PasswordChecker, ThreadedChecker, dummy_hash
from konnectd.interfaces import LogonAnswer, RefusalReason, Refused
from konnectd.option import ConfigError, ConfigErrors, Option
from konnectd.protocol import standard_claims
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, GROUPS, NUMERIC_ID, PROFILE, RAW_SUBJECT, UNIQUE_ID

__all__ = ["OPTIONS", "FileBackend", "FileUser", "build", "build_from"]

OPTIONS: tuple[Option, ...] = (
    Option(
        name="file-users",
        help="YAML file with the users. See docs/operate/file-users.md.",
        env=("FILE_USERS",),
        metavar="FILE",
        section="File",
    ),
)

log = Logger()


class FileBackend:
    """People whose entries and password hashes are known from the start."""

    name = "identifier-file"

    def __init__(self, users: Iterable[FileUser], checker: PasswordChecker) -> None:
        """Index the people by all that they are found by.

        Args:
            users: with distinct user names and subjects.
            checker: where passwords are checked.
        """
        self._checker = checker
        self._by_id: dict[str, FileUser] = {}
        self._by_name: dict[str, FileUser] = {}
        self._by_email: dict[str, list[FileUser]] = {}
        for user in users:
            self._by_id[user.end_user.user_id] = user
            self._by_name[sign_in_name(user.end_user.username)] = user
            if user.end_user.email:
                self._by_email.setdefault(sign_in_name(user.end_user.email), []).append(user)
        self._dummy_hash = dummy_hash(user.password_hash for user in self._by_id.values() if user.password_hash)
        people = [user.end_user for user in self._by_id.values()]
        further = tuple(dict.fromkeys(name for person in people for name in person.further))
        self.claims = ("name", "family_name", "given_name", "email", "email_verified", *further)
        self.scopes = (
            PROFILE,
            EMAIL,
            *standard_claims.opened_by(further),
            GROUPS,
            RAW_SUBJECT,
            *((UNIQUE_ID,) if any(person.unique_id for person in people) else ()),
            *((NUMERIC_ID,) if any(person.numeric_id is not None for person in people) else ()),
        )

    async def check(self) -> None:
        """Do nothing: reading the file was the check."""

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person; None when they are not in the file any more or disabled."""
        user = self._by_id.get(user_id)
        return None if user is None or user.disabled else user.end_user

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name or address means; None for nobody, for several, and for who is disabled."""
        candidates = self._find_by_name(username)
        return await self.find(candidates[0].end_user.user_id) if len(candidates) == 1 else None

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name or address and a password; whoever it is, one hash is checked.

        Raises:
            BackendUnavailableError: too many passwords are waiting to be checked.
        """
        if not password:
            return Refused(RefusalReason.EMPTY_PASSWORD)
        candidates = self._find_by_name(username)
        user = candidates[0] if len(candidates) == 1 else None
        password_hash = user.password_hash if user is not None else ""
        matched = await self._checker.matches(password_hash or self._dummy_hash, password)
        if user is None and candidates:
            log.warn("several people have the address {user!r}; none of them can sign in with it", user=username)
            return Refused(RefusalReason.AMBIGUOUS)
        if user is None:
            return Refused(RefusalReason.UNKNOWN_USER)
        if not matched or not password_hash:
            return Refused(RefusalReason.WRONG_PASSWORD, principal=user.end_user.subject)
        # Only who knows the password may move the log to say that the account is disabled.
        if user.disabled:
            log.info("sign-in of {user!r} refused: the account is disabled", user=user.end_user.username)
            return Refused(RefusalReason.DISABLED, principal=user.end_user.subject)
        return user.end_user

    async def close(self) -> None:
        """Let go of the threads."""
        await self._checker.close()

    def _find_by_name(self, username: str) -> list[FileUser]:
        """Return whom a typed name may mean; a user name goes before an address."""
        name = sign_in_name(username)
        user = self._by_name.get(name)
        return self._by_email.get(name, []) if user is None else [user]


def build(options: Mapping[str, Any], reactor: Any, *, insecure: bool = False) -> FileBackend:  # noqa: ANN401, ARG001 - loader contract
    """Read the file and make the backend.

    Raises:
        ConfigErrors: there is no such file, or everything that is wrong in it.
    """
    path = options.get(OPTION)
    if not path:
        raise ConfigErrors([ConfigError(OPTION, "is needed: the path of the file with the users")])
    return build_from(parse_users(_read(Path(path)), str(path)), reactor)


def build_from(users: Iterable[FileUser], reactor: Any) -> FileBackend:  # noqa: ANN401 - Twisted's reactor
    """Make the backend from users that are in no file."""
    return FileBackend(users, ThreadedChecker(reactor))


def _read(path: Path) -> str:
    """Return the text of the file, and warn when everybody on the machine can read the hashes in it.

    Raises:
        ConfigErrors: it can not be read.
    """
    try:
        text = path.read_text("utf-8")
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigErrors([ConfigError(OPTION, f"can not be read: {error.strerror}", str(path))]) from error
    except UnicodeDecodeError as error:
        raise ConfigErrors([ConfigError(OPTION, "is not UTF-8 text", str(path))]) from error
    if mode & stat.S_IROTH:
        log.warn("everybody on this machine can read the password hashes in {path}", path=str(path))
    return text
