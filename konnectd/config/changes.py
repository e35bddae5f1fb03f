"""What a reload has changed, for the log and for the audit log: clients and keys by their ids, nothing more."""

from collections.abc import Mapping

from attrs import frozen

from konnectd.config.contents import Contents
from konnectd.jose.keys import KeyRing

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
#: What a key does: it signs where nobody asks for another algorithm, or tokens of it count.
SIGNS, PUBLISHED = "signs", "published"
#: How many ids are told in one line.
_MOST_SHOWN = 10


@frozen(kw_only=True)
class Changes:
    """What is not as before.

    Attributes:
        clients: added, removed or changed, by client id.
        keys: what each does now that did something else before, or was another key, by key id.
    """

    clients: Mapping[str, str]
    keys: Mapping[str, str]

    @classmethod
    def between(cls, old: Contents, new: Contents) -> "Changes":
        """Compare what counted with what counts."""
        return cls(clients=_clients(old, new), keys=_keys(old.keys, new.keys))


def _clients(old: Contents, new: Contents) -> dict[str, str]:
    """Compare the clients of the file."""
    before, now = old.registry.by_id, new.registry.by_id
    found = {client_id: ADDED for client_id in now if client_id not in before}
    found |= {client_id: REMOVED for client_id in before if client_id not in now}
    found |= {client_id: CHANGED for client_id in now if client_id in before and before[client_id] != now[client_id]}
    return found


def _keys(old: KeyRing, new: KeyRing) -> dict[str, str]:
    """Compare the keys."""
    before, now = dict(_states(old)), dict(_states(new))
    found = {kid: state[0] for kid, state in now.items() if before.get(kid) != state}
    return found | {kid: REMOVED for kid in before if kid not in now}


def _states(ring: KeyRing) -> list[tuple[str, tuple[str, str]]]:
    """Return what each key does, and which key it is, by key id."""
    return [(kid, (SIGNS if kid == ring.active.kid else PUBLISHED, key.thumbprint)) for kid, key in ring.by_kid.items()]


def shown(changes: Mapping[str, str]) -> str:
    """Return changes as one line has them; all of them as a number, if they are many."""
    if not changes:
        return "as before"
    words = [f"{name} {what}" for name, what in list(changes.items())[:_MOST_SHOWN]]
    more = len(changes) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")
