"""``konnectd setup``: the signing key and the encryption secret, made once.

What is there already is looked at and left as it is. The key lies where `konnectd keys` can rotate it: in a folder of
its own, with a symbolic link to it. Every step is one of the file system, and a second run does what a first one, which
was cut off, has not done.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from attrs import frozen

from konnectd.commands.readable import find_obstacles
from konnectd.commands.words import FAULTY, OK, Words, asks_for_help, complain, filled, misused, shown, usage
from konnectd.config.key_folder import DATES, Dates, FoundKey, kind_of, read_folder
from konnectd.config.key_settings import KeySettings, read_key_settings
from konnectd.config.keys import SECRET_SIZE, load_encryption_secret, read_private_key
from konnectd.config.safe_folder import Owner, SafeFolder, UnsafeError, group_name, make, opened, user_name
from konnectd.jose.export import to_private_pem
from konnectd.jose.keys import PrivateKey, generate
from konnectd.option import ConfigErrors, Option

OWN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="user",
        help=(
            "The user the daemon runs as. Files will be theirs, and folders root's, which they may enter; in a folder"
            " of theirs everything is theirs. What they can not read of what is there is told. Without it, everything"
            " is made for whoever calls this."
        ),
        parse=filled,
        metavar="NAME",
    ),
    Option(
        name="folder",
        help="Where to make what the configuration names no place for. Default: /etc/konnectd.",
        parse=lambda text: Path(filled(text)),
        default=Path("/etc/konnectd"),
        metavar="FOLDER",
    ),
)
SYNOPSIS = "konnectd setup [options]"
_PURPOSE = (
    "Makes the key that signs tokens and the secret that protects cookies, at the places that the configuration names,"
    " and says what to write into it. What is there already stays as it is."
)
_FURTHER = (
    "Of the options of konnectd serve, --config and those about keys can be given: --signing-private-key,"
    " --signing-method, --validation-keys-path, --encryption-secret."
)
_LINK, _KEYS, _SECRET = "signing.pem", "keys", "encryption-secret.key"
#: Who may enter folders: with a user, root's are open to that one's group.
_PRIVATE, _OF_GROUP = 0o700, 0o750


class SetupError(Exception):
    """Something is there already that can not be used, in words for operators."""


@frozen(kw_only=True)
class Setup:
    """What is to be made, and where.

    Attributes:
        link: what ``signing_private_key`` names.
        keys: the folder of keys.
        secret_file: the encryption secret.
        method: what the key signs by.
        owner: whose files will be.
        friend: who else may have a say about folders; None for nobody.
    """

    link: Path
    keys: Path
    secret_file: Path
    method: str
    owner: Owner
    friend: Owner | None

    @classmethod
    def of(cls, settings: KeySettings, folder: Path, user: str) -> "Setup":
        """Say what is to be made.

        Args:
            settings: name places; those that are not named are in the folder.
            folder: for what is not named.
            user: who the daemon runs as; empty for whoever we are.

        Raises:
            ValueError: there is no such user.
        """
        link = settings.signing_private_key[0] if settings.signing_private_key else folder / _LINK
        friend = Owner.of(user) if user else None
        return cls(
            link=link.absolute(),
            keys=(settings.validation_keys_path or link.parent / _KEYS).absolute(),
            secret_file=(settings.encryption_secret or folder / _SECRET).absolute(),
            method=settings.signing_method,
            owner=friend or Owner.myself(),
            friend=friend,
        )

    def make(self, now: int) -> Iterator[str]:
        """Make what is not there, and say of each thing whether it was.

        Args:
            now: seconds since the epoch.

        Raises:
            SetupError: something that is there can not be used.
            UnsafeError: a folder is not safe.
            OSError: something can not be made.
        """
        yield from self._make_key(now)
        yield from self._make_secret()

    def _make_key(self, now: int) -> Iterator[str]:
        """Make the signing key, unless there is one where it is looked for."""
        if os.path.lexists(self.link):
            yield self._existing_key()
            return
        with ExitStack() as stack:
            place = self._opened(stack, self.link.parent)
            keys = self._opened(stack, self.keys)
            stack.enter_context(keys.alone())
            yield from self._make_in(place, keys, now)

    def _make_in(self, place: SafeFolder, keys: SafeFolder, now: int) -> Iterator[str]:
        """Make the key in its folder, and the link to it."""
        path = self._left_over()
        if path is None:
            key = generate(self.method, datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d"))
            path = self.keys / f"{key.kid}.pem"
            if not keys.write_new(path.name, to_private_pem(key), self.owner):
                raise SetupError(f"{path} is there already, and is no key that can sign by {self.method}")
            yield f"{path}: made, {_described(key)}, key id {key.kid}"
        else:
            yield f"{path}: is there already and is used, {_described(read_private_key(path))}"
        keys.write_new(path.with_suffix(DATES).name, Dates(published=now, activated=now).to_text().encode(), self.owner)
        inside = path.is_relative_to(self.link.parent)
        target = path.relative_to(self.link.parent) if inside else path
        if not place.link(self.link.name, str(target)):
            raise SetupError(f"{self.link} has just been made by somebody else; run this again")
        yield f"{self.link}: made, leads to {target}"

    def _left_over(self) -> Path | None:
        """Return a key that can sign as it should; one was made before, and the link to it was not."""
        fitting = [key for key in read_folder((), self.keys).keys if self._fits(key)]
        newest = max(fitting, key=lambda key: (key.dated.published_at, key.dated.kid), default=None)
        return newest.path if newest is not None else None

    def _fits(self, key: FoundKey) -> bool:
        """Tell whether a key signs as it should, has not been replaced, and can be read through the link."""
        alike = (key.path.suffix == ".json") == (self.link.suffix == ".json")
        fresh = key.private is not None and key.dates.replaced is None
        return alike and fresh and self.method in key.public.algorithms

    def _existing_key(self) -> str:
        """Say of a key that is there what it is.

        Raises:
            SetupError: it can not sign.
        """
        try:
            key = read_private_key(self.link)
        except ValueError as error:
            raise SetupError(f"{self.link} is there already, and can not be used: {error}") from error
        if self.method not in key.algorithms:
            raise SetupError(
                f"{self.link} is there already, and can not sign by {self.method}; it is {_described(key)}"
            )
        return f"{self.link}: is there already, {_described(key)}, key id {key.kid}"

    def _make_secret(self) -> Iterator[str]:
        """Make the encryption secret, unless there is one."""
        if not os.path.lexists(self.secret_file):
            with ExitStack() as stack:
                place = self._opened(stack, self.secret_file.parent)
                if place.write_new(self.secret_file.name, secrets.token_bytes(SECRET_SIZE), self.owner):
                    yield f"{self.secret_file}: made, {SECRET_SIZE} random bytes"
                    return
        try:
            load_encryption_secret(self.secret_file, warn=lambda _: None)
        except ConfigErrors as error:
            problem = error.faults[0].problem
            raise SetupError(f"is there already, and can not be used: {problem}") from error
        yield f"{self.secret_file}: is there already"

    def _opened(self, stack: ExitStack, path: Path) -> SafeFolder:
        """Open a folder, made before if it is missing."""
        owner = Owner(0, self.friend.gid) if self.friend is not None and os.geteuid() == 0 else Owner.myself()
        make(path, owner, _PRIVATE if self.friend is None else _OF_GROUP, self.friend)
        return stack.enter_context(opened(path, self.friend))

    def obstacles(self) -> Iterator[str]:
        """Yield what the user of the daemon can not read, and how to mend that; owners stay, for who used it before."""
        if self.friend is None:
            return
        # A link in the folder may lead anywhere, and what it leads to need not be meant for this user.
        inside = [key.path for key in read_folder((), self.keys).keys if not key.path.is_symlink()]
        wanted = (self.link, self.keys, *inside, self.secret_file)
        ends = {Path(os.path.realpath(path)) for path in wanted}
        user, group = user_name(self.friend.uid), group_name(self.friend.gid)
        for path in find_obstacles(wanted, self.friend):
            rights, word = "g+rx" if path.is_dir() else "g+r", quote(str(path))
            if path in ends:
                yield f"{path} can not be read by {user}: chgrp {group} {word} && chmod {rights} {word}"
            else:
                yield f"{path} can not be entered by {user}: chmod o+x {word}, or put the files somewhere else"

    def doubts(self) -> Iterator[str]:
        """Yield what somebody should look at: files that others may read."""
        for path in (self.link, self.secret_file):
            try:
                mode = stat.S_IMODE(path.stat().st_mode)
            except OSError:
                continue
            if mode & 0o077 & ~0o040:
                yield f"{path} can be read or changed by others (mode {mode:04o}); chmod 0600 mends that"

    def advice(self, settings: KeySettings) -> Iterator[str]:
        """Yield the lines for the configuration that it does not have."""
        if self.link not in [path.absolute() for path in settings.signing_private_key]:
            yield f"signing_private_key = {self.link}"
        if settings.validation_keys_path is None and self._is_rotatable():
            yield f"validation_keys_path = {self.keys}"
        if settings.encryption_secret is None:
            yield f"encryption_secret_key = {self.secret_file}"

    def _is_rotatable(self) -> bool:
        """Tell whether the key lies as `konnectd keys` needs it."""
        return bool(read_folder((self.link,), self.keys).links)


def _described(key: PrivateKey) -> str:
    """Say what a key is."""
    kind = kind_of(key.public)
    size = getattr(key.key, "key_size", 0)
    return f"{kind} of {size} bits" if kind == "RSA" else kind


def run(argv: Sequence[str], environ: Mapping[str, str], now: int) -> int:
    """Make what is missing, and return the exit status.

    Args:
        argv: the words after the command.
        environ: the environment variables.
        now: seconds since the epoch.
    """
    if asks_for_help(argv):
        sys.stdout.write(usage(SYNOPSIS, _PURPOSE, OWN_OPTIONS, _FURTHER))
        return OK
    try:
        words = Words.parse(argv, OWN_OPTIONS)
        settings = read_key_settings(words.rest, environ, to_make=True)
    except ConfigErrors as error:
        return misused("setup", error)
    try:
        setup = Setup.of(settings, Path(str(words.own["folder"])), str(words.own["user"] or ""))
        for line in setup.make(now):
            sys.stdout.write(f"{shown(line)}\n")
        lines = tuple(setup.advice(settings))
    except (SetupError, UnsafeError, ValueError) as error:
        complain("setup", str(error))
        return FAULTY
    except OSError as error:
        complain("setup", f"{error.filename or 'a file'} can not be made: {error.strerror}")
        return FAULTY
    obstacles = tuple(setup.obstacles())
    for doubt in (*setup.doubts(), *obstacles):
        complain("setup", doubt)
    if lines:
        sys.stdout.write("\nWrite into the configuration:\n\n" + "".join(f"    {line}\n" for line in lines))
    return FAULTY if obstacles else OK
