"""The file of users: YAML to values, with every fault found and the line it stands in.

Nothing here opens the file, and nothing that is reported repeats a password or a hash.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import yaml
from attrs import field, frozen

from konnectd.backends._passwords import check_hash, hash_password
from konnectd.option import ConfigError, ConfigErrors, switch
from konnectd.protocol import standard_claims
from konnectd.protocol.end_user import EndUser

OPTION = "file_users"
#: Longest name, address or identifier, in characters.
LONGEST_TEXT = 255
#: Largest file, in characters; some ten thousand users.
LARGEST_FILE = 8 * 1024 * 1024
_ADDRESS = "address"

Value = TypeVar("Value")


@frozen
class FileUser:
    """A person of the file.

    Attributes:
        end_user: who they are.
        password_hash: argon2id; empty if no password lets them in.
        disabled: may not sign in for now, and nobody is told why.
    """

    end_user: EndUser
    password_hash: str = field(default="", repr=False)
    disabled: bool = False

    @classmethod
    def with_password(cls, end_user: EndUser, password: str) -> "FileUser":
        """Make one with a password in plain text, for users that are in no file."""
        return cls(end_user, hash_password(password))


def sign_in_name(text: str) -> str:
    """Return what is compared of a name or address: without outer blanks, case and ways to compose a character."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def parse_users(text: str, path: str) -> tuple[FileUser, ...]:
    """Read the whole file.

    Raises:
        ConfigErrors: everything that is wrong with it.
    """
    faults = _Faults(path)
    users: list[tuple[yaml.Node, FileUser]] = []
    for node in _user_nodes(text, faults):
        user = _UserReader(node, faults).read()
        if user is not None:
            users.append((node, user))
    _check_distinct(users, faults)
    faults.raise_all()
    return tuple(user for _, user in users)


class _Faults:
    """What was found wrong so far."""

    def __init__(self, path: str) -> None:
        """Begin with none."""
        self._path = path
        self._found: list[tuple[int, ConfigError]] = []

    def add(self, line: int, problem: str) -> None:
        """Keep a fault; lines count from one."""
        self._found.append((line, ConfigError(OPTION, problem, f"{self._path}:{line}")))

    def raise_all(self) -> None:
        """End reading if there was any.

        Raises:
            ConfigErrors: all faults, in the order of the file.
        """
        if self._found:
            raise ConfigErrors(fault for _, fault in sorted(self._found, key=lambda found: found[0]))


def _line(node: yaml.Node) -> int:
    """Return where a node begins."""
    return int(node.start_mark.line) + 1


def _user_nodes(text: str, faults: _Faults) -> list[yaml.MappingNode]:
    """Return the entries of the list ``users``."""
    root = _compose(text, faults)
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        faults.add(_line(root), "must be a mapping with the one key users")
        return []
    listed: yaml.Node | None = None
    for key, value in root.value:
        if key.value == "users" and listed is None:
            listed = value
        else:
            faults.add(_line(key), "only users may stand here, once")
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        faults.add(_line(listed or root), "users must be a list with at least one user")
        return []
    for node in listed.value:
        if not isinstance(node, yaml.MappingNode):
            faults.add(_line(node), "each user must be a mapping that begins with username")
    return [node for node in listed.value if isinstance(node, yaml.MappingNode)]


def _compose(text: str, faults: _Faults) -> yaml.Node | None:
    """Read YAML without making anything of it; aliases stay what they are, so nothing can grow."""
    if len(text) > LARGEST_FILE:
        faults.add(1, f"is larger than {LARGEST_FILE} characters")
        return None
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # Its full text would quote the file, and with it hashes.
        faults.add(mark.line + 1 if mark else 1, f"is no YAML: {error.problem or error.context}")
        return None
    except (yaml.YAMLError, RecursionError):
        faults.add(1, "is no YAML: it has characters that are not allowed, or is too deep")
        return None
    if root is None:
        faults.add(1, "is empty")
    return root


class _UserReader:
    """Reads one entry and keeps its faults."""

    def __init__(self, node: yaml.MappingNode, faults: _Faults) -> None:
        """Collect the members."""
        self._node = node
        self._faults = faults
        self._members: dict[str, yaml.Node] = {}
        self._sound = True
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if name not in _KEYS:
                self._fault(key, f"{name or 'this'} is not a key of a user; known are {', '.join(_KEYS)}")
            elif name in self._members:
                self._fault(key, f"{name} is there twice")
            else:
                self._members[name] = value

    def read(self) -> FileUser | None:
        """Return the person; None when anything was wrong."""
        username = self._get("username", _text, "")
        disabled = self._get("disabled", switch, default=False)
        password_hash = self._get("password", check_hash, "")
        if "username" not in self._members:
            self._fault(self._node, "username is missing")
        if "password" not in self._members and not disabled:
            self._fault(self._node, "password is missing; only a disabled user can be without one")
        subject = self._get("subject", _text, username)
        user = EndUser(
            user_id=subject,
            subject=subject,
            username=username,
            name=self._get("name", _text, ""),
            family_name=self._get("family_name", _text, ""),
            given_name=self._get("given_name", _text, ""),
            email=self._get("email", _address, ""),
            email_verified=self._get("email_verified", switch, default=False),
            numeric_id=self._get("id", _number, None),
            unique_id=self._get("uuid", _text, ""),
            groups=self._groups(),
            further=self._further(),
        )
        return FileUser(user, password_hash, disabled) if self._sound else None

    def _get(self, name: str, parse: Callable[[str], Value], default: Value) -> Value:
        """Return a member, or its default when it is missing or wrong."""
        node = self._members.get(name)
        if node is None:
            return default
        try:
            return parse(_scalar(node))
        except ValueError as error:
            self._fault(node, f"{name} {error}")
            return default

    def _groups(self) -> tuple[str, ...]:
        """Return the names of the groups, each once."""
        node = self._members.get("groups")
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._fault(node, "groups must be a list of names")
            return ()
        found: dict[str, None] = {}
        for item in node.value:
            try:
                found[_text(_scalar(item))] = None
            except ValueError as error:
                self._fault(item, f"a group {error}")
        return tuple(found)

    def _further(self) -> Mapping[str, object]:
        """Return the other standard claims; those of the postal address stand in a mapping of their own."""
        named = {name: node for name, node in self._members.items() if name in standard_claims.NAMES}
        values = {name: self._claim(name, node) for name, node in (*named.items(), *self._address())}
        if standard_claims.VERIFIED in named and standard_claims.NUMBER not in named:
            self._fault(named[standard_claims.VERIFIED], "phone_number_verified does not go without phone_number")
        return standard_claims.gather({name: value for name, value in values.items() if value is not None})

    def _address(self) -> Iterator[tuple[str, yaml.Node]]:
        """Yield the members of the postal address, by the names of claims."""
        node = self._members.get(_ADDRESS)
        if node is not None and not isinstance(node, yaml.MappingNode):
            self._fault(node, "address must be a mapping")
        seen: set[str] = set()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            name = f"{_ADDRESS}.{key.value}"
            if name not in standard_claims.NAMES or name in seen:
                self._fault(key, f"{name} is not known, or is there twice")
            else:
                seen.add(name)
                yield name, value

    def _claim(self, name: str, node: yaml.Node) -> object:
        """Return the value of a claim; None when it is wrong."""
        try:
            return standard_claims.parse(name, _scalar(node))
        except ValueError as error:
            self._fault(node, f"{name} {error}")
            return None

    def _fault(self, node: yaml.Node, problem: str) -> None:
        """Keep a fault."""
        self._sound = False
        self._faults.add(_line(node), problem)


_KEYS = (
    "username",
    "password",
    "subject",
    "name",
    "given_name",
    "family_name",
    "email",
    "email_verified",
    "id",
    "uuid",
    "groups",
    "disabled",
    _ADDRESS,
    *(name for name in standard_claims.NAMES if "." not in name),
)


def _scalar(node: yaml.Node) -> str:
    """Return a scalar as it is written: ``0123`` and ``yes`` are names if a name is what is asked for.

    Raises:
        ValueError: it is a list, a mapping or nothing.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("must be a single value")  # noqa: TRY004 - what the file says is wrong
    if node.tag == "tag:yaml.org,2002:null":
        raise ValueError("has no value; leave the line out")
    return str(node.value)


def _text(text: str) -> str:
    """Return a name.

    Raises:
        ValueError: it is empty, too long, or has blanks around it or characters that can not be shown.
    """
    if not text or text != text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
        raise ValueError(f"must have 1 to {LONGEST_TEXT} printable characters and no blanks around them")
    return text


def _address(text: str) -> str:
    """Return an email address.

    Raises:
        ValueError: it can not be one.
    """
    local, at, domain = _text(text).rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in text):
        raise ValueError("must be an email address")
    return text


def _number(text: str) -> int | None:
    """Return a number.

    Raises:
        ValueError: it is none, is negative or does not fit into 63 bits.
    """
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) >= 2**63:
        raise ValueError("must be a whole number that is not negative")
    return int(text)


def _check_distinct(users: Iterable[tuple[yaml.Node, FileUser]], faults: _Faults) -> None:
    """Refuse two people with one name, subject or id, and a user name that is another's address.

    An address that several people share is no fault: nobody can sign in with it, that is all.
    """
    seen: dict[tuple[str, object], int] = {}
    located = [(_line(node), user.end_user) for node, user in users]
    for line, user in located:
        for kind, value in (
            ("username", sign_in_name(user.username)),
            ("subject", user.subject),
            ("id", user.numeric_id),
            ("uuid", user.unique_id or None),
        ):
            first = seen.setdefault((kind, value), line) if value is not None else line
            if first != line:
                faults.add(line, f"{kind} is the same as that of the user in line {first}, perhaps in other case")
    for line, user in located:
        owner = seen.get(("username", sign_in_name(user.email)), line)
        if user.email and owner != line:
            faults.add(line, f"email is the username of the user in line {owner}")
