"""``konnectd keys``: what signing keys there are, and their rotation, step by step or as a timer wants it."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from konnectd.commands.words import FAULTY, MISUSED, OK, Words, asks_for_help, complain, misused, shown, usage
from konnectd.config.key_changes import KeyChanges, RefusedError
from konnectd.config.key_folder import FoundKey, kind_of, read_folder, shown_time
from konnectd.config.key_rotation_options import ahead, span
from konnectd.config.key_settings import KeySettings, read_key_settings
from konnectd.config.key_steps import Done, KeyChange, rotate
from konnectd.config.safe_folder import UnsafeError
from konnectd.jose.keys import METHODS
from konnectd.option import ConfigErrors, Option, one_of, switch
from konnectd.protocol.key_rotation import KeyState, Rules

#: What has to be done after each change.
_RELOAD = "Reload konnectd now, so that it knows (systemctl reload, or SIGHUP)."


OWN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="ahead",
        help="How long a key is published before it signs, such as 2d or 12h. Default: what key_rotation_ahead says.",
        parse=ahead,
        default=0,
        metavar="SPAN",
    ),
    Option(
        name="every",
        help="With rotate: how long a key signs before another one takes its place, such as 90d. Default:"
        " what key_rotation says; one of the two is required there.",
        parse=span,
        default=0,
        metavar="SPAN",
    ),
    Option(
        name="method",
        help="With new: what the key shall sign by; a key of this kind has to sign already. Default: what signs first.",
        parse=one_of(*METHODS),
        default="",
        metavar="ALG",
    ),
    Option(
        name="force",
        help="With activate and retire: do it although it is too early. Tokens will be refused.",
        parse=switch,
        default=False,
        metavar="",
    ),
    Option(name="json", help="With list: print JSON.", parse=switch, default=False, metavar=""),
)
SYNOPSIS = "konnectd keys list | new [KID] | activate KID | retire KID | rotate --every=SPAN [options]"
_PURPOSE = (
    "Shows and rotates the keys that sign. list shows them; new makes one and publishes it; activate lets it sign;"
    " retire takes one away; rotate does what is due of all this, and is made for a timer. Each can be repeated."
)
_FURTHER = (
    "Of the options of konnectd serve, --config, those about keys and those about the life of tokens can be given."
    " signing_private_key has to be a symbolic link to a file in validation_keys_path; konnectd setup makes both."
)
#: How many words follow each of the commands: at least, and at most.
_COMMANDS: Mapping[str, tuple[int, int]] = {
    "list": (0, 0),
    "new": (0, 1),
    "activate": (1, 1),
    "retire": (1, 1),
    "rotate": (0, 0),
}
Lines: TypeAlias = Iterator[str]


@frozen(kw_only=True)
class Call:
    """One call of the command.

    Attributes:
        name: what is to be done.
        kid: of the key it is about; empty for none.
        settings: name the keys.
        rules: how long everything takes.
        method: of a new key; empty for that of the active one.
        force: it does not matter how long everything takes.
        now: seconds since the epoch.
    """

    name: str
    kid: str
    settings: KeySettings
    rules: Rules
    method: str
    force: bool
    now: int

    def change(self) -> Lines:
        """Do it, and say line by line what was done.

        Raises:
            RefusedError: it may not be done.
            UnsafeError: the folder is not safe, or another command is at work.
            OSError: a file can not be changed.
        """
        work: Mapping[str, Callable[[KeyChanges], Lines]] = {
            "new": self._new,
            "activate": self._activate,
            "retire": self._retire,
            "rotate": self._rotate,
        }
        with KeyChanges.begin(self.settings, self.now) as changes:
            yield from work[self.name](changes)

    def _new(self, changes: KeyChanges) -> Lines:
        """Make a key."""
        key, made = changes.new(self.kid, self.method)
        usable = shown_time(self.rules.usable_at(key.dated))
        if made:
            yield f"{key.dated.kid}: made and published in {key.path}"
            yield f"{_RELOAD} From {usable} on: konnectd keys activate {key.dated.kid}"
        else:
            yield f"{key.dated.kid}: is there already, and may sign from {usable} on"

    def _activate(self, changes: KeyChanges) -> Lines:
        """Let a key sign."""
        before = changes.activate(self.kid, self.rules, force=self.force)
        if before is None:
            yield f"{self.kid}: signs already"
            return
        yield f"{self.kid}: signs now, in the place of {before.dated.kid}"
        yield _RELOAD
        replaced = changes.read().find(before.dated.kid)
        if replaced is not None:
            yield f"{before.dated.kid}: stays published; may go {_when(self.rules.removable_at(replaced.dated))}"

    def _retire(self, changes: KeyChanges) -> Lines:
        """Take a key away."""
        key = changes.retire(self.kid, self.rules, force=self.force)
        yield f"{self.kid}: taken away, {key.path} is deleted"
        yield _RELOAD

    def _rotate(self, changes: KeyChanges) -> Lines:
        """Do what is due."""
        done = False
        for step in rotate(changes, self.rules):
            done = True
            yield _told(step)
        yield _RELOAD if done else "nothing is due"


def _told(done: Done) -> str:
    """Say what was done."""
    match done.change:
        case KeyChange.PUBLISHED:
            return f"{done.kid}: made and published"
        case KeyChange.ACTIVATED:
            return f"{done.kid}: signs now, in the place of {done.instead_of}"
        case KeyChange.STRIPPED:
            return f"{done.kid}: only its public half is kept"
        case KeyChange.RETIRED:
            return f"{done.kid}: taken away"


def run(argv: Sequence[str], environ: Mapping[str, str], now: Callable[[], float] = time.time) -> int:
    """Do what the words say, and return the exit status.

    Args:
        argv: the words after the command.
        environ: the environment variables.
        now: returns seconds since the epoch.
    """
    if asks_for_help(argv):
        sys.stdout.write(usage(SYNOPSIS, _PURPOSE, OWN_OPTIONS, _FURTHER))
        return OK
    try:
        words = Words.parse(argv, OWN_OPTIONS)
        name, kid, flags = _subcommand(words.rest)
        settings = read_key_settings(flags, environ)
    except ConfigErrors as error:
        return misused("keys", error)
    except ValueError as error:
        complain("keys", str(error))
        return MISUSED
    rules = Rules(
        ahead=_whole(words.own["ahead"]) or settings.rotation.key_rotation_ahead,
        period=_whole(words.own["every"]) or settings.rotation.key_rotation,
        token_life=settings.token_life,
    )
    if name == "rotate" and not rules.period:
        complain("keys", "rotate needs --every=SPAN, such as --every=90d")
        return MISUSED
    if name == "list":
        return _list(settings, rules, as_json=bool(words.own["json"]))
    call = Call(
        name=name,
        kid=kid,
        settings=settings,
        rules=rules,
        method=str(words.own["method"]),
        force=bool(words.own["force"]),
        now=int(now()),
    )
    return _change(call)


def _change(call: Call) -> int:
    """Make a change and tell of it."""
    try:
        for line in call.change():
            sys.stdout.write(f"{shown(line)}\n")
    except (RefusedError, UnsafeError) as error:
        complain("keys", str(error))
        return FAULTY
    except OSError as error:
        complain("keys", f"{error.filename or 'a file'} can not be changed: {error.strerror}")
        return FAULTY
    return OK


def _whole(value: object) -> int:
    """Return a number that was parsed as one."""
    return value if isinstance(value, int) else 0


def _subcommand(rest: Sequence[str]) -> tuple[str, str, tuple[str, ...]]:
    """Split what is to be done, and the key it is about, from flags of the daemon.

    Raises:
        ValueError: it is not said what is to be done, or too much is said.
    """
    begin = next((number for number, word in enumerate(rest) if word in _COMMANDS), None)
    if begin is None:
        raise ValueError(f"what is to be done? Usage: {SYNOPSIS}")
    name, after = rest[begin], list(rest[begin + 1 :])
    least, most = _COMMANDS[name]
    kid = after.pop(0) if most and after and not after[0].startswith("-") else ""
    if least and not kid:
        raise ValueError(f"{name} needs the id of a key; konnectd keys list shows them")
    return name, kid, (*rest[:begin], *after)


def _list(settings: KeySettings, rules: Rules, *, as_json: bool) -> int:
    """Print the keys; the exit status tells whether all files can be read."""
    found = read_folder(settings.signing_private_key, settings.validation_keys_path, settings.signing_kid)
    if as_json:
        keys = [_document(key, rules) for key in found.keys]
        faults = [{"file": str(path), "problem": problem} for path, problem in found.faults.items()]
        sys.stdout.write(json.dumps({"keys": keys, "faults": faults}, indent=2) + "\n")
    else:
        if not found.keys and not found.faults:
            complain("keys", "no keys are configured; konnectd setup makes one")
        for row in _table([_cells(key, rules) for key in found.keys]):
            sys.stdout.write(f"{shown(row)}\n")
        for path, problem in found.faults.items():
            complain("keys", f"{path}: {problem}")
    return FAULTY if found.faults else OK


def _document(key: FoundKey, rules: Rules) -> Mapping[str, object]:
    """Return what there is to say about a key, for programs."""
    ends = rules.removable_at(key.dated)
    return {
        "kid": key.dated.kid,
        "kind": kind_of(key.public),
        "bits": getattr(key.public.key, "key_size", None),
        "algorithms": list(key.public.algorithms),
        "state": key.dated.state.value,
        "since": shown_time(key.dated.since),
        "may_sign_from": shown_time(rules.usable_at(key.dated)),
        "may_go": None if ends is None else shown_time(ends),
        "private": key.private is not None,
        "certain": key.dated.certain,
        "file": str(key.path),
    }


def _cells(key: FoundKey, rules: Rules) -> tuple[str, ...]:
    """Return what there is to say about a key, for people."""
    dated, size = key.dated, getattr(key.public.key, "key_size", 0)
    kind = f"RSA {size}" if dated.kind == "RSA" else dated.kind
    state = dated.state.value if key.private is not None or dated.active else f"{dated.state.value}, public half"
    note = ""
    match dated.state:
        case KeyState.PUBLISHED:
            note = f"may sign from {shown_time(rules.usable_at(dated))}"
        case KeyState.RETIRED:
            note = f"may go {_when(rules.removable_at(dated))}"
        case KeyState.ACTIVE:
            pass
    return (dated.kid, kind, state, f"since {shown_time(dated.since)}", note)


def _when(moment: int | None) -> str:
    """Say when something may happen."""
    return "never by itself: clients have registered themselves" if moment is None else f"from {shown_time(moment)} on"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows whose columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
