"""The signing keys of an installation as they lie there: which is active, which wait, which were replaced, since when.

The layout is Konnect's, with plain files alone:

    signing.pem -> keys/2026-11-26.pem   what ``signing_private_key`` names; the key behind it signs
    keys/2026-11-26.pem                  a key; all in this folder, ``validation_keys_path``, are published
    keys/2026-11-26.dates                what happened to it and when, as far as our own commands did it

A key without dates is as good as any. Its file says since when it is there, the link since when the one behind it
signs; whether it was behind the link before, nobody can tell, so it is taken for that if it is older than the link.
Changing all this is `konnectd.config.key_changes`, what is due is `konnectd.protocol.key_rotation`.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, field, frozen

from konnectd.config.keys import read_key
from konnectd.config.read_keys import ReadKeys
from konnectd.jose.keys import PrivateKey, PublicKey
from konnectd.protocol.key_rotation import DatedKey

#: What the name of a file of dates ends in.
DATES = ".dates"
#: What the names of key files end in.
KEY_SUFFIXES = frozenset({".pem", ".json"})
_LONGEST_DATES = 4096
_EVENTS = ("published", "activated", "replaced")
_DATE_LINE = re.compile(r"(published|activated|replaced) = (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@frozen(kw_only=True)
class Dates:
    """What is written about a key, each in seconds since the epoch; None for what is not."""

    published: int | None = None
    activated: int | None = None
    replaced: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Dates":
        """Read what `to_text` wrote; lines that are not understood say nothing."""
        found = {}
        for line in text.splitlines():
            match = _DATE_LINE.fullmatch(line)
            if match is None:
                continue
            try:
                moment = datetime.strptime(match[2], _FORM).replace(tzinfo=UTC)
            except ValueError:
                continue
            found[match[1]] = int(moment.timestamp())
        return cls(**found)

    def to_text(self) -> str:
        """Write it, a line for each."""
        moments = zip(_EVENTS, (self.published, self.activated, self.replaced), strict=True)
        return "".join(f"{name} = {shown_time(moment)}\n" for name, moment in moments if moment is not None)


@frozen(kw_only=True)
class FoundKey:
    """A key in a file.

    Attributes:
        path: of the file.
        public: its public half.
        private: None when only the public half is there.
        dated: what happened to it.
        dates: what is written of that.
    """

    path: Path
    public: PublicKey
    private: PrivateKey | None = field(repr=False)
    dated: DatedKey
    dates: Dates = field(factory=Dates)


@frozen(kw_only=True)
class SigningLink:
    """A symbolic link that says which key signs.

    Attributes:
        path: of the link.
        target: where it leads, as written.
        name: of the file it leads to.
        since: when it was made, in seconds since the epoch.
    """

    path: Path
    target: str
    name: str
    since: int


@frozen(kw_only=True)
class KeyFolder:
    """All keys that are configured.

    Attributes:
        folder: where those are that can be changed; None when there is no such folder.
        links: to keys in the folder.
        keys: those that sign first, in their order, then the others by name.
        faults: what is wrong with files, in words for operators, by path.
    """

    folder: Path | None
    links: tuple[SigningLink, ...]
    keys: tuple[FoundKey, ...] = field(repr=False)
    faults: Mapping[Path, str]

    @property
    def dated(self) -> tuple[DatedKey, ...]:
        """What happened to the keys."""
        return tuple(key.dated for key in self.keys)

    def find(self, kid: str) -> FoundKey | None:
        """Return a key by its id."""
        return next((key for key in self.keys if key.dated.kid == kid), None)

    def link_of(self, key: FoundKey) -> SigningLink | None:
        """Return the link behind which a key signs."""
        return next((link for link in self.links if self._is_behind(link, key)), None)

    def _is_behind(self, link: SigningLink, key: FoundKey) -> bool:
        """Tell whether a link leads to a key."""
        return self.folder is not None and key.path == self.folder / link.name


def read_folder(
    signing: Iterable[Path], folder: Path | None, signing_kid: str = "", known: ReadKeys | None = None
) -> KeyFolder:
    """Read all keys; nothing is raised for what is wrong with single files.

    Args:
        signing: the files that sign, or links to them, the active one first.
        folder: of further keys.
        signing_kid: what the first one is called instead of its own name; empty for none.
        known: keys that need not be understood again.
    """
    faults: dict[Path, str] = {}
    paths = tuple(signing)
    links = tuple(link for link in (_link(path, folder) for path in paths) if link is not None)
    behind = {link.name: link for link in links}
    keys: list[FoundKey] = []
    linked = {link.path for link in links}
    kinds: set[str] = set()
    for number, path in enumerate(paths):
        if path not in linked:
            key = _listed(path, signing_kid if number == 0 else "", kinds, faults, known)
            keys += [key] if key is not None else []
    if folder is not None:
        # A key that is listed by itself may lie in the folder too; it is one key.
        listed = {key.dated.kid for key in keys}
        found = _in_folder(folder, behind, max((link.since for link in links), default=0), faults, known)
        keys += [key for key in found if key.dated.kid not in listed]
    return KeyFolder(folder=folder, links=links, keys=_sorted(keys, links, folder), faults=faults)


def shown_time(moment: int) -> str:
    """Write a moment (seconds since the epoch) for people and files, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime(_FORM)


def kind_of(key: PublicKey) -> str:
    """Return what keys have in common that can take each other's place."""
    return key.curve or key.kty


def _link(path: Path, folder: Path | None) -> SigningLink | None:
    """Return a path that is a symbolic link to a key in the folder; None for anything else."""
    if folder is None:
        return None
    try:
        target, since = os.readlink(path), int(path.lstat().st_mtime)  # noqa: PTH115 - the text of the link is wanted
    except OSError:
        return None
    leads_to = path.parent / target
    # Not `Path.resolve`, which raises RuntimeError in a loop.
    if os.path.realpath(leads_to.parent) != os.path.realpath(folder):
        return None
    return SigningLink(path=path, target=target, name=leads_to.name, since=since)


def _listed(path: Path, kid: str, kinds: set[str], faults: dict[Path, str], known: ReadKeys | None) -> FoundKey | None:
    """Read a signing key that is no link into the folder; the first of its kind signs."""
    try:
        key = read_key(path, kid, known=known)
        moment = int(path.stat().st_mtime)
    except (ValueError, OSError) as error:
        faults[path] = str(error)
        return None
    if not isinstance(key, PrivateKey):
        faults[path] = "this is a public key; signing needs the private one"
        return None
    kind = kind_of(key.public)
    active = kind not in kinds
    kinds.add(kind)
    dated = DatedKey(kid=key.kid, kind=kind, published_at=moment, active=active, certain=False)
    return FoundKey(path=path, public=key.public, private=key, dated=dated)


def _in_folder(
    folder: Path,
    behind: Mapping[str, SigningLink],
    linked_at: int,
    faults: dict[Path, str],
    known: ReadKeys | None,
) -> Iterator[FoundKey]:
    """Yield the keys of the folder by name.

    Args:
        folder: where they are.
        behind: the links, by the name of the file they lead to.
        linked_at: when the last one of them was made.
        faults: takes what is wrong.
        known: keys that need not be understood again.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix in KEY_SUFFIXES)
    except OSError as error:
        faults[folder] = f"can not be read as a folder: {error.strerror}"
        return
    for name in names:
        path = folder / name
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("is no file")  # noqa: TRY301 - told like what else may be wrong with it
            key = read_key(path, follow=False, known=known)
        except OSError as error:
            faults[path] = f"can not be read: {error.strerror}"
            continue
        except ValueError as error:
            faults[path] = str(error)
            continue
        dates = _dates(path)
        public = key.public if isinstance(key, PrivateKey) else key
        yield FoundKey(
            path=path,
            public=public,
            private=key if isinstance(key, PrivateKey) else None,
            dated=evolve(
                _dated(public, dates, int(found.st_mtime), behind.get(name), linked_at),
                private=isinstance(key, PrivateKey),
            ),
            dates=dates,
        )


def _dated(key: PublicKey, dates: Dates, made: int, link: SigningLink | None, linked_at: int) -> DatedKey:
    """Say what happened to a key; what is not written is concluded from the files."""
    published = made if dates.published is None else dates.published
    if link is not None:
        activated = link.since if dates.activated is None or dates.replaced is not None else dates.activated
        return DatedKey(
            kid=key.kid, kind=kind_of(key), published_at=min(published, activated), active_at=activated, active=True
        )
    replaced = dates.replaced
    if replaced is None and (dates.activated is not None or (dates.published is None and made <= linked_at)):
        replaced = linked_at
    return DatedKey(
        kid=key.kid,
        kind=kind_of(key),
        published_at=published,
        active_at=dates.activated,
        replaced_at=replaced,
        certain=dates.activated is not None or dates.published is not None,
    )


def _dates(path: Path) -> Dates:
    """Read what is written about a key."""
    try:
        with path.with_suffix(DATES).open("rb") as file:
            return Dates.parse(file.read(_LONGEST_DATES).decode("utf-8", "replace"))
    except OSError:
        return Dates()


def _sorted(keys: Iterable[FoundKey], links: tuple[SigningLink, ...], folder: Path | None) -> tuple[FoundKey, ...]:
    """Put those that sign first."""
    order = {link.name: number for number, link in enumerate(links)} if folder is not None else {}
    return tuple(sorted(keys, key=lambda key: (not key.dated.active, order.get(key.path.name, 0), key.dated.kid)))
