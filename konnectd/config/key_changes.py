"""Changes to the signing keys: each can be repeated, and one that is cut off in the middle leaves a set that works.

What makes a set work is the link and the files behind it, and those change in one step each. Dates are written after
what they tell of; where one is missing, `konnectd.config.key_folder` concludes it to the later side. The daemon reads
keys when it is told to, so a change counts from then on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, field, frozen

from konnectd.config.key_folder import DATES, Dates, FoundKey, KeyFolder, SigningLink, read_folder
from konnectd.config.key_settings import KeySettings
from konnectd.config.read_keys import ReadKeys
from konnectd.config.safe_folder import Owner, SafeFolder, UnsafeError, opened
from konnectd.jose.export import to_private_pem, to_public_pem
from konnectd.jose.keys import check_kid, check_method, generate
from konnectd.protocol.key_rotation import KeyState, Rules, waiting

#: How many keys one day may bring.
_MOST_OF_A_DAY = 100
#: What makes a key of each kind.
METHOD_OF = {"RSA": "PS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class RefusedError(Exception):
    """A change is not made, in words for operators."""


@frozen(kw_only=True)
class KeyChanges:
    """The keys of an installation, while nobody else changes them.

    Attributes:
        settings: name them.
        folder: where they are, open.
        now: seconds since the epoch.
        known: keys that need not be understood again.
    """

    settings: KeySettings
    folder: SafeFolder
    now: int
    known: ReadKeys = field(factory=ReadKeys, repr=False, eq=False)

    @classmethod
    @contextmanager
    def begin(cls, settings: KeySettings, now: int, known: ReadKeys | None = None) -> Iterator["KeyChanges"]:
        """Open the folder and keep other commands out of it.

        Args:
            settings: name the keys.
            now: seconds since the epoch.
            known: keys that were read before.

        Raises:
            RefusedError: the keys do not lie so that they can be changed.
            UnsafeError: the folder is not safe, or another command is at work.
        """
        path = settings.validation_keys_path
        if path is None or not settings.signing_private_key:
            raise RefusedError(
                "signing_private_key and validation_keys_path have to be set, the first to a symbolic link to a file in"
                " the second; konnectd setup makes both"
            )
        with opened(path, owner_of(path)) as folder, folder.alone():
            yield cls(settings=settings, folder=folder, now=now, known=ReadKeys(known))

    def read(self) -> KeyFolder:
        """Return the keys as they are now."""
        settings = self.settings
        paths, folder = settings.signing_private_key, settings.validation_keys_path
        return read_folder(paths, folder, settings.signing_kid, self.known)

    def new(self, name: str = "", method: str = "") -> tuple[FoundKey, bool]:
        """Make a key and publish it; one that waits already is enough, unless another one is asked for by name.

        Args:
            name: its key id; empty for the date.
            method: what it shall sign by; empty for what the active one does.

        Returns:
            the key, and whether it was made now.

        Raises:
            RefusedError: the name is taken by a key of another kind, or can not be one.
            OSError: it can not be written.
        """
        found = self.read()
        model = find_model(found, self.settings, method)
        method = method or METHOD_OF[model.dated.kind]
        if not name:
            follower = waiting(model.dated, found.dated)
            known = found.find(follower.kid) if follower is not None else None
            if known is not None:
                return known, False
        kid = _checked_name(name) if name else self._date()
        key = generate(method, kid)
        owner, mode = _like(model.path)
        made = self.folder.write_new(f"{kid}.pem", to_private_pem(key), owner, mode)
        if made:
            self._note(Path(f"{kid}.pem"), Dates(published=self.now))
        there = self.read().find(kid)
        if there is None or there.private is None or method not in there.public.algorithms:
            raise RefusedError(f"{self.folder.path / kid}.pem is there already, and is no private key for {method}")
        return there, made

    def activate(self, kid: str, rules: Rules, *, force: bool = False) -> FoundKey | None:
        """Let a key sign.

        Args:
            kid: its key id.
            rules: how long it has to be published before.
            force: do not wait for that.

        Returns:
            the key in whose place it signs now; None if it did already.

        Raises:
            RefusedError: there is no such key, it can not sign here, or it is too early.
            UnsafeError: the link is not where it can be changed safely.
            OSError: it can not be changed.
        """
        found = self.read()
        key = _find(found, kid)
        if key.dated.active:
            return None
        link, before = self._place_for(found, key)
        wait = rules.usable_at(key.dated) - self.now
        if wait > 0 and not force:
            raise RefusedError(
                f"{kid} is published too short a time: clients that have kept the key set would refuse its tokens."
                f" Wait {_span(wait)}, or use --force"
            )
        if before.dates.activated is None:
            self._note(before.path, evolve(before.dates, activated=before.dated.since))
        # The way it is written stays as it was: relative, or through another name of the folder.
        target = os.path.join(os.path.dirname(link.target), key.path.name)  # noqa: PTH118, PTH120 - text of a link
        with opened(link.path.parent, owner_of(link.path.parent)) as place:
            place.relink(link.path.name, target)
        self._note(
            before.path, Dates(published=before.dated.published_at, activated=before.dated.since, replaced=self.now)
        )
        self._note(key.path, Dates(published=key.dated.published_at, activated=self.now))
        return before

    def retire(self, kid: str, rules: Rules, *, force: bool = False) -> FoundKey:
        """Take a key away for good, and return what it was.

        Args:
            kid: its key id.
            rules: how long it has to stay.
            force: do not wait for that.

        Raises:
            RefusedError: there is no such key, it signs, or it is too early.
            OSError: it can not be taken away.
        """
        found = self.read()
        key = _find(found, kid)
        if key.dated.active:
            raise RefusedError(f"{kid} signs; let another key sign first (konnectd keys activate)")
        if key.path.parent != self.folder.path:
            raise RefusedError(f"{kid} is not in {self.folder.path}; take {key.path} out of signing_private_key")
        ends = rules.removable_at(key.dated)
        if not force and ends is None:
            raise RefusedError(
                f"the ids of clients that registered themselves are signed too, perhaps by {kid}, and are good for"
                " ever; those clients would be unknown. Use --force if there are none"
            )
        if not force and ends is not None and ends > self.now:
            raise RefusedError(
                f"tokens that {kid} has signed may be good for {_span(ends - self.now)} more, and would be refused."
                " Wait, or use --force if it was stolen"
            )
        self.folder.remove(key.path.name)
        self.folder.remove(key.path.with_suffix(DATES).name)
        return key

    def keep_public(self, kid: str) -> None:
        """Keep of a key that was replaced its public half alone.

        Raises:
            RefusedError: there is no such key, it may sign again, or its file has another form.
            OSError: it can not be written.
        """
        key = _find(self.read(), kid)
        if key.dated.state is not KeyState.RETIRED or key.path.suffix != ".pem":
            raise RefusedError(f"{kid} keeps its private half")
        owner, mode = _like(key.path)
        self.folder.replace(key.path.name, to_public_pem(key.public), owner, mode)

    def _place_for(self, found: KeyFolder, key: FoundKey) -> tuple[SigningLink, FoundKey]:
        """Return the link that can lead to a key, and the key it leads to.

        Raises:
            RefusedError: there is none.
        """
        kid = key.dated.kid
        if key.private is None:
            raise RefusedError(f"of {kid} there is only the public half, which can not sign")
        if self.settings.signing_kid:
            raise RefusedError("signing_kid gives one id to every key that signs; take it out of the configuration")
        if key.path.stem != kid:
            raise RefusedError(f"{key.path} has the id {kid}; rename it to {kid}{key.path.suffix}")
        for other in found.keys:
            link = found.link_of(other) if other.dated.active and other.dated.kind == key.dated.kind else None
            if link is not None:
                self._check_form(link, key)
                return link, other
        raise RefusedError(
            f"no key of the kind of {kid} ({key.dated.kind}) signs by way of a symbolic link into"
            f" {self.folder.path}. To change the kind, write the new key and its signing_method into the configuration"
        )

    def _check_form(self, link: SigningLink, key: FoundKey) -> None:
        """Refuse a key that could not be read through a link.

        Raises:
            RefusedError: what is read as PEM is none, or the other way round.
        """
        if (link.path.suffix == ".json") != (key.path.suffix == ".json"):
            raise RefusedError(f"{link.path} and {key.path} have to end alike, both in .json or neither")
        if link.path == self.settings.signing_private_key[0] and key.private is not None:
            try:
                check_method(self.settings.signing_method, (key.private,))
            except ValueError as error:
                raise RefusedError(str(error)) from error

    def _note(self, path: Path, dates: Dates) -> None:
        """Write what happened to a key, as readable as the key itself: for its owner."""
        name = path.with_suffix(DATES).name
        owner, _ = _like(self.folder.path / path.name)
        self.folder.replace(name, dates.to_text().encode(), owner, 0o644)

    def _date(self) -> str:
        """Return today's date as a name that is free."""
        day = datetime.fromtimestamp(self.now, UTC).strftime("%Y-%m-%d")
        for number in range(1, _MOST_OF_A_DAY):
            name = day if number == 1 else f"{day}-{number}"
            if self.folder.state(f"{name}.pem") is None and self.folder.state(f"{name}.json") is None:
                return name
        raise RefusedError(f"there are {_MOST_OF_A_DAY - 1} keys of today already; give the new one a name")


def _find(found: KeyFolder, kid: str) -> FoundKey:
    """Return a key by its id.

    Raises:
        RefusedError: there is none.
    """
    key = found.find(kid)
    if key is None:
        known = ", ".join(key.dated.kid for key in found.keys) or "none"
        raise RefusedError(f"there is no key {kid}; there is {known}")
    return key


def find_model(found: KeyFolder, settings: KeySettings, method: str) -> FoundKey:
    """Return the key that a new one is made like: of its kind and for the same people.

    Args:
        found: the keys there are.
        settings: name them.
        method: what a new one shall sign by; empty for what the first one does.

    Raises:
        RefusedError: there is none.
    """
    behind = [key for key in found.keys if key.dated.active and found.link_of(key) is not None]
    if not behind:
        raise RefusedError(
            f"{settings.signing_private_key[0]} is no symbolic link to a key in {settings.validation_keys_path}."
            " Move the key there, put a link in its place, and reload konnectd; see docs/operate/keys.md"
        )
    model = next((key for key in behind if method in key.public.algorithms), behind[0])
    if model.path.suffix == ".json":
        raise RefusedError(
            f"{model.path} is a JSON Web Key, and what is made here is PEM; put a key behind a link that ends in .pem"
        )
    return model


def _checked_name(name: str) -> str:
    """Return a name that can be that of a file and a key id.

    Raises:
        RefusedError: it can not.
    """
    if not set(name) <= _CHARACTERS or name.startswith((".", "-")):
        raise RefusedError("a name has letters, digits and -._ only, and begins with a letter, a digit or _")
    try:
        return check_kid(name)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _like(path: Path) -> tuple[Owner, int]:
    """Return whose a new file has to be, and who may read it, for those who read another one to read it too.

    Only root can give files away; what anybody else makes is theirs.

    Raises:
        OSError: that one can not be looked at.
    """
    found = path.lstat()
    mode = 0o600 | (found.st_mode & 0o040)
    return Owner(found.st_uid, found.st_gid) if os.geteuid() == 0 else Owner.myself(), mode


def owner_of(path: Path) -> Owner | None:
    """Return whose a folder is; that one may be trusted with it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Owner(found.st_uid, found.st_gid)


def _span(seconds: int) -> str:
    """Write a span for people."""
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{-(-seconds // size)} {name}"
    return f"{seconds} seconds"


__all__ = ["KeyChanges", "RefusedError", "UnsafeError"]
