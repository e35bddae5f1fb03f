"""Sources of people for a marked life, each with the secrets that it brings along, in memory."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from konnectd.backends.kc import build as build_kc
from konnectd.interfaces import LogonAnswer
from tests.support import ldap_people
from tests.support.application_server import Asked
from tests.support.fakes import People
from tests.support.kopano_case import URI, MemoryReactor
from tests.support.marked_house import PASSWORD
from tests.support.marks import Marks, mark
from tests.support.people import ALICE

#: The name at which a mistake in the backend shows.
FAULTY_PERSON = "trouble"
PEOPLE, LDAP, KC, KC_SERVICE, COOKIE = "people", "ldap", "kc", "kc by a service", "cookie"
#: More than a life begins.
_SESSIONS = 400


@frozen(kw_only=True)
class Source:
    """People, and what belongs to them.

    Attributes:
        username: of somebody who is there.
        words: of the command line.
        cookies: of others, which a browser carries.
        turn: lets happen what does not happen at once.
        fall_silent: keeps it from answering from now on.
    """

    backend: Any
    username: str = "alice"
    words: tuple[str, ...] = ()
    cookies: str = ""
    turn: Callable[[], object] = lambda: None
    fall_silent: Callable[[], object]


class FaultyPeople(People):
    """A backend with a mistake that shows when a certain name is tried."""

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Fail for one name."""
        if username == FAULTY_PERSON:
            raise ValueError("a mistake of ours")
        return await super().logon(username, password)


def _people(_marks: Marks) -> Source:
    """Make people without anything behind them."""
    people = FaultyPeople(ALICE, passwords={"alice": PASSWORD})

    def fall_silent() -> None:
        people.silent = True

    return Source(backend=people, fall_silent=fall_silent)


def _ldap(marks: Marks) -> Source:
    """Make people in a directory, which a service may read."""
    secret = mark("password of the service")
    marks.add("password of the backend", secret)
    directory = ldap_people.directory()
    directory.passwords |= {ldap_people.ALICE_DN: PASSWORD, ldap_people.SERVICE: secret}

    def fall_silent() -> None:
        directory.down = True
        directory.drop_all()

    backend = ldap_people.backend({"ldap_bindpw": secret}, one=directory)
    return Source(backend=backend, fall_silent=fall_silent)


def _kc(marks: Marks) -> Source:
    """Make people at a groupware server, where each has a session."""
    return _groupware(marks, {})


def _kc_service(marks: Marks) -> Source:
    """Make people at a groupware server that is asked in the session of a service."""
    secret = mark("password of the groupware service")
    marks.add("password of the backend", secret)
    return _groupware(marks, {"kc_server_username": "svc", "kc_server_password": secret})


def _groupware(marks: Marks, options: Mapping[str, str]) -> Source:
    """Make people at a groupware server."""
    reactor = MemoryReactor()
    server = reactor.server
    server.people.add("marked", PASSWORD, "Marked Person", "marked@example.org")
    service = server.people.by_name("svc")
    if options and service is not None:
        server.people.replace(evolve(service, password=options["kc_server_password"]))
    numbers = [2**62 + number * 1_234_567_891 for number in range(_SESSIONS)]
    server.sessions.next_numbers.extend(numbers)
    marks.add("session of the backend", *map(str, numbers))

    def fall_silent() -> None:
        reactor.endpoint.is_down = True
        server.sessions.forget_all()

    backend = build_kc({"kc_server_uri": URI, **options}, reactor)
    return Source(backend=backend, username="marked", turn=reactor.turn, fall_silent=fall_silent)


def _cookie(marks: Marks) -> Source:
    """Make people whom an application knows by their cookies."""
    ticket = mark("cookie of the application").replace("+", "")
    marks.add("cookie of others", ticket)
    asked = Asked()
    asked.application.say(sub="alice", name="Alice", preferred_username="alice", auth_time=1)

    def fall_silent() -> None:
        asked.application.status = 500
        asked.application.body = ticket.encode()

    return Source(
        backend=asked.backend("app"),
        words=("--sign-in-uri=https://app.example.com/login",),
        cookies=f"app={ticket}",
        turn=lambda: asked.clock.advance(0),
        fall_silent=fall_silent,
    )


SOURCES: Mapping[str, Callable[[Marks], Source]] = {
    PEOPLE: _people,
    LDAP: _ldap,
    KC: _kc,
    KC_SERVICE: _kc_service,
    COOKIE: _cookie,
}
