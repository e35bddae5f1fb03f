"""Making external authorities of entries, by the file of their kind."""

from collections.abc import Iterable, Mapping
from types import ModuleType

from twisted.logger import Logger

from konnectd import loader
from konnectd.authority import Ask, Authority, AuthorityTools, Heard, Question
from konnectd.authority_entry import AuthorityEntry
from konnectd.interfaces import Clock, Entropy, FetchError, Store

PACKAGE = "konnectd.authorities"

log = Logger(namespace="konnectd")


def find_kind(name: str) -> ModuleType:
    """Return the file of a kind.

    Raises:
        LookupError: there is none.
    """
    return loader.load(PACKAGE, name)


def build_authorities(
    entries: Iterable[AuthorityEntry], tools: AuthorityTools, kept: Iterable[Authority] = ()
) -> Mapping[str, Authority]:
    """Make an authority of each entry, by its id.

    Args:
        entries: in the order of the operator.
        tools: what they may use.
        kept: those there were before; the one of an equal entry goes on, with all that it has fetched.
    """
    before = list(kept)
    found: dict[str, Authority] = {}
    for entry in entries:
        same = next((authority for authority in before if authority.entry == entry), None)
        found[entry.authority_id] = same or find_kind(entry.kind).build(entry, tools)
    return found


def make_authorities(
    entries: Iterable[AuthorityEntry],
    kept: Iterable[Authority],
    base: str,
    clock: Clock,
    entropy: Entropy,
    store: Store,
    ask: Ask | None,
) -> Mapping[str, Authority]:
    """Make an authority of each entry, by its id, with what all of them may use; see `AuthorityTools`."""
    tools = AuthorityTools(base=base, clock=clock, entropy=entropy, store=store, ask=ask or ask_nobody, warn=_warn)
    return build_authorities(entries, tools, kept)


def _warn(text: str) -> None:
    """Log what an operator should look at."""
    log.warn("{advice}", advice=text)


async def ask_nobody(question: Question) -> Heard:  # noqa: ARG001 - as the interface has it
    """Refuse, for who has no network. It is a `konnectd.authority.Ask`.

    Raises:
        FetchError: always.
    """
    raise FetchError("there is no network here")
