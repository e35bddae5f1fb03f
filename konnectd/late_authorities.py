"""What a start has to do with external authorities, at the price of nothing where there are none."""

from typing import TYPE_CHECKING, Any

from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.interfaces import Backend
from konnectd.option import ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from konnectd.authority import Ask, Authority, Heard, Question


def build_ask(settings: Settings, reactor: Any) -> "Ask":  # noqa: ANN401 - Twisted's reactor
    """Return what asks external authorities."""
    made: list[Ask] = []

    async def ask(question: "Question") -> "Heard":
        if not made:
            from konnectd.authority_fetch import AskAuthorities  # noqa: PLC0415 - brings Twisted's HTTP client

            made.append(AskAuthorities.over_network(reactor, insecure=settings.insecure))
        return await made[0](question)

    return ask


def check_ways_in(settings: Settings, contents: Contents | None, backend: Backend | None) -> None:
    """Check whether people can sign in as the operator has it, as far as that is known.

    Raises:
        ConfigErrors: they can not.
    """
    if contents is None or backend is None or not (contents.authorities or settings.disable_local_logon):
        return
    from konnectd.config import authorities  # noqa: PLC0415 - only where there is something to check

    try:
        authorities.check_ways_in(contents.authorities, backend, passwords=not settings.disable_local_logon)
    except ConfigErrors as error:
        raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error


def watch(authorities: "Iterable[Authority]", service: Any) -> None:  # noqa: ANN401 - services carry no types
    """Let authorities be asked when a service starts, and let go of when it ends."""
    found = tuple(authorities)
    if found:
        from konnectd.authority_watch import AuthorityWatch  # noqa: PLC0415 - only where there is something to watch

        watched: Any = AuthorityWatch(found)
        watched.setServiceParent(service)
