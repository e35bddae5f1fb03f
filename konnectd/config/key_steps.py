"""The steps of a rotation, done one by one as `konnectd.protocol.key_rotation` has planned them, and taken back.

Whoever calls this has begun to change the keys (`konnectd.config.key_changes.KeyChanges`): a command, or the daemon.
"""

from collections.abc import Iterator
from enum import StrEnum

from attrs import frozen

from konnectd.config.key_changes import KeyChanges
from konnectd.config.key_folder import FoundKey
from konnectd.protocol.key_rotation import Activate, Publish, Retire, Rules, Step, Strip, plan


class KeyChange(StrEnum):
    """What was done with a key."""

    PUBLISHED = "published"
    ACTIVATED = "activated"
    STRIPPED = "stripped"
    RETIRED = "retired"


@frozen(kw_only=True)
class Done:
    """A step that was done.

    Attributes:
        change: what it was.
        kid: of the key.
        instead_of: the id of the key whose place it takes; empty when it takes none.
        usable_at: when it may begin to sign, in seconds since the epoch; 0 where that is not in question.
    """

    change: KeyChange
    kid: str
    instead_of: str = ""
    usable_at: int = 0


def rotate(changes: KeyChanges, rules: Rules) -> Iterator[Done]:
    """Do what is due, and yield each step when it is done.

    Args:
        changes: of an installation nobody else changes meanwhile.
        rules: how long everything takes.

    Raises:
        RefusedError: something may not be done.
        UnsafeError: the link is not where it can be changed safely.
        OSError: a file can not be changed.
    """
    for step in plan(changes.read().dated, rules, changes.now):
        yield _perform(changes, step, rules)


def take_back(changes: KeyChanges, done: Done, rules: Rules) -> None:
    """Undo a step after which keys could not be used; a key that lost its private half, or is gone, was not in use.

    Raises:
        RefusedError: it can not be undone any more.
        UnsafeError: the link is not where it can be changed safely.
        OSError: a file can not be changed.
    """
    match done.change:
        case KeyChange.PUBLISHED:
            changes.retire(done.kid, rules)
        case KeyChange.ACTIVATED:
            changes.activate(done.instead_of, rules, force=True)
        case KeyChange.STRIPPED | KeyChange.RETIRED:
            pass


def _perform(changes: KeyChanges, step: Step, rules: Rules) -> Done:
    """Do one step."""
    match step:
        case Publish(like=like):
            key, _ = changes.new(method=_method_like(changes, like.kid))
            usable_at = rules.usable_at(key.dated)
            return Done(change=KeyChange.PUBLISHED, kid=key.dated.kid, usable_at=usable_at)
        case Activate(key=dated, instead_of=before):
            changes.activate(dated.kid, rules)
            return Done(change=KeyChange.ACTIVATED, kid=dated.kid, instead_of=before.kid)
        case Strip(key=dated):
            changes.keep_public(dated.kid)
            return Done(change=KeyChange.STRIPPED, kid=dated.kid)
        case Retire(key=dated):
            changes.retire(dated.kid, rules)
            return Done(change=KeyChange.RETIRED, kid=dated.kid)


def _method_like(changes: KeyChanges, kid: str) -> str:
    """Return a method that a key signs by, which tells of which kind a new one has to be."""
    key: FoundKey | None = changes.read().find(kid)
    return key.public.algorithms[0] if key is not None else ""
