"""Decisions in the log: one line for each refused request, with a reference, and at level debug for the others as well.

The line is a sentence with all facts in it, so that it says the same in every kind of log; `konnectd.explain` reads it
again. No flow writes to the log: it adds what it knows to its error, and this is told here, once.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, assert_never

from attrs import evolve, field, frozen
from twisted.logger import Logger

from konnectd.flows.recognized import Doubt
from konnectd.happenings import Rejected
from konnectd.http import HttpResponse
from konnectd.interfaces import BackendUnavailableError, SessionLostError
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.reason import Reason
from konnectd.protocol.reasons import SESSION_LOST, UNAVAILABLE, reason_of
from konnectd.protocol.trail import Trail, plain_words
from konnectd.web.forms import FormRefusedError

log = Logger(namespace="konnectd.web")

#: What a path may be longer than, but not a line of the log, in characters.
_LONGEST_PATH = 100
_SERVER_ERRORS = 500


class Answered(StrEnum):
    """What a request was answered with."""

    PAGE = "page"
    JSON = "json"
    REDIRECT = "redirect"
    SIGN_IN = "sign-in"
    CHOOSER = "chooser"
    CONSENT = "consent"

    @classmethod
    def by(cls, answer: HttpResponse) -> "Answered":
        """Tell a page from what programs read."""
        kind = dict(answer.headers).get(b"Content-Type", b"")
        return cls.PAGE if kind.startswith(b"text/html") else cls.JSON


@frozen
class Notes:
    """Tells of requests whose answer is not made from an error by the edge.

    Attributes:
        reference: makes a name for one line.
        every: tell of requests that were granted, too; false costs them nothing but to look here.
        counted: whether anybody counts or keeps records of what requests came of; false costs as little.
    """

    reference: Callable[[], str]
    every: bool = False
    counted: bool = True
    _told: set[Doubt] = field(factory=set, init=False, repr=False, eq=False)

    def wants(self, error: OAuthError) -> bool:
        """Tell whether an error is to be told of.

        Silent renewals are refused as often as they are granted, so they have to be as cheap where nobody is curious.
        """
        return self.every or not reason_of(error.code, error.description).everyday

    def redirected(self, at: str, error: OAuthError, status: int) -> Rejected:
        """Tell of an error that the browser carries to a client."""
        return refused(at, error, self.reference(), status=status, answered=Answered.REDIRECT)

    def granted(self, at: str, trail: Trail, answered: Answered) -> None:
        """Tell of a request that is not refused, or not yet."""
        told = evolve(trail, at=at, answered=answered)
        log.debug("answered: [{reference}] {trail}", reference=self.reference(), trail=told.to_text())

    def sign_in_refused(self, at: str, client_id: str, backend: str) -> None:
        """Tell what the backend said of a name and a password, of which nothing is told.

        Args:
            at: the name of the route.
            client_id: of the application that waits; empty for none.
            backend: its word for the reason.
        """
        trail = Trail(client=client_id, backend=backend)
        _tell(at, trail, reason_of("", backend), backend.replace("_", " "), self.reference(), 303, Answered.SIGN_IN)

    def not_recognized(self, doubt: Doubt, username: str) -> None:
        """Tell that nobody is signed in whom a trusted proxy has recognized; that nobody ever can be, once."""
        match doubt:
            case Doubt.STRANGER:
                text = "a trusted proxy says that {user!r} is there, whom the backend does not know or lets in"
                log.warn(text, user=username)
            case Doubt.NO_NAMES:
                if doubt not in self._told:
                    self._told.add(doubt)
                    log.warn(
                        "a trusted proxy says who is there, but the backend can not find people by name: they get the "
                        "sign-in page"
                    )
            case never:
                assert_never(never)


def refused(at: str, error: Exception, reference: str, *, status: int, answered: Answered) -> Rejected:
    """Tell of a request that is refused, and return what happened for those who count.

    What an operator must look at is a warning: something behind us does not answer. What happens every day is for the
    curious. Descriptions of broken rules are our own words; what an adapter says of a service behind us, and why, is
    for the operator alone.

    Args:
        at: the name of the route.
        error: why; one that a face was found for.
        reference: what is in the answer as well, where that has room for it.
        status: the HTTP status.
        answered: how it was told.
    """
    match error:
        case OAuthError(code=code, description=description):
            trail = evolve(error.trail or Trail(), error=str(code))
            return _tell(at, trail, reason_of(code, description), description, reference, status, answered)
        case FormRefusedError(kind=kind):
            reason = reason_of("", str(kind))
            return _tell(at, Trail(), reason, reason.why, reference, status, answered)
        case SessionLostError():
            return _tell(at, Trail(), SESSION_LOST, str(error), reference, status, answered)
        case BackendUnavailableError():
            words = f"{error} ({error.__cause__!r})" if error.__cause__ is not None else str(error)
            return _tell(at, Trail(), UNAVAILABLE, words, reference, status, answered)
        case _:
            return _tell(at, Trail(), reason_of("", ""), type(error).__name__, reference, status, answered)


def nothing_there(reference: str, path: str) -> None:
    """Tell of an address that leads nowhere.

    Only its path is told, cut short: a query carries codes.
    """
    log.info(
        "refused: there is nothing at this address [{reference}] {trail}",
        reference=reference,
        trail=Trail(at="-", answered=Answered.PAGE, status="404", reason="not-found").to_text(),
        path=path[:_LONGEST_PATH],
    )


def _tell(
    at: str, trail: Trail, reason: Reason, words: str, reference: str, status: int, answered: Answered
) -> Rejected:
    """Write the line."""
    emit: Any = log.debug if reason.everyday else log.info
    # Of one person's lost session nobody has to be told who runs the daemon, whatever the status.
    if (status >= _SERVER_ERRORS and reason is not SESSION_LOST) or reason is UNAVAILABLE:
        emit = log.warn
    told = evolve(trail, at=at, answered=answered, status=str(status), reason=reason.name)
    emit(
        "refused: {words} [{reference}] {trail}",
        words=plain_words(words),
        reference=reference,
        trail=told.to_text(),
    )
    return rejected(reason, told, reference)


def rejected(reason: Reason, trail: Trail, reference: str = "") -> Rejected:
    """Return what those who count are told of a request that is refused."""
    return Rejected(
        reason=reason.name,
        error=trail.error,
        reference=reference,
        client=trail.client,
        grant_type=trail.grant_type,
        everyday=reason.everyday,
    )
