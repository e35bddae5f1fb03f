"""What each call comes to."""

from collections.abc import Callable

from tests.support.kopano import answers, codes
from tests.support.kopano.address_book import resolve_names
from tests.support.kopano.answers import Answer
from tests.support.kopano.entry_ids import EntryId, EntryIdError
from tests.support.kopano.logons import Logons
from tests.support.kopano.people import SYSTEM, People, Person
from tests.support.kopano.requests import Call
from tests.support.kopano.sessions import Peer, Session, Sessions
from tests.support.kopano.settings import Settings


class Calls:
    """Answers calls."""

    def __init__(self, people: People, sessions: Sessions, settings: Settings) -> None:
        """Look at what there is."""
        self._people = people
        self._sessions = sessions
        logons = Logons(people, sessions, settings)
        self._answers: dict[str, Callable[[Call, Peer], Answer]] = {
            "logon": logons.logon,
            "ssoLogon": logons.sso_logon,
            "logoff": self._logoff,
            "resolveUsername": self._resolve_username,
            "getUser": self._get_user,
            "getUserList": self._get_user_list,
            "abResolveNames": self._resolve_names,
        }

    def answer(self, call: Call, peer: Peer) -> Answer:
        """Answer a call.

        Raises:
            FaultError: the answer is a fault.
            CrashError: the real server would not live to answer.
        """
        return self._answers[call.name](call, peer)

    def refuse(self, call: Call, peer: Peer, code: int) -> Answer:
        """Answer a call with a code, as if it had come to that."""
        session = self._session(call, peer) if call.name not in {"logon", "ssoLogon"} else None
        return _failed(call, code, chunked=session is not None and session.is_chunked)

    def _session(self, call: Call, peer: Peer) -> Session | None:
        """Return the session that a call names, if it is alive."""
        return self._sessions.use(call.number("ulSessionId"), peer)

    def _logoff(self, call: Call, peer: Peer) -> Answer:
        """End a session."""
        session = self._session(call, peer)
        if session is None:
            return _failed(call, codes.END_OF_SESSION)
        self._sessions.end(session.number)
        return answers.logoff(codes.SUCCESS, chunked=session.is_chunked)

    def _resolve_username(self, call: Call, peer: Peer) -> Answer:
        """Find somebody by the name for signing in."""
        session, name = self._session(call, peer), call.text("lpszUsername")
        if session is None:
            return _failed(call, codes.END_OF_SESSION)
        if name is None:
            return _failed(call, codes.INVALID_PARAMETER, chunked=session.is_chunked)
        person = self._people.by_name(name) if name else None
        return answers.resolved(codes.SUCCESS if person else codes.NOT_FOUND, person, chunked=session.is_chunked)

    def _get_user(self, call: Call, peer: Peer) -> Answer:
        """Tell about somebody."""
        session = self._session(call, peer)
        if session is None:
            return _failed(call, codes.END_OF_SESSION)
        try:
            person = self._meant(call, session)
        except EntryIdError as error:
            return _failed(call, error.code, chunked=session.is_chunked)
        return answers.user(codes.SUCCESS if person else codes.NOT_FOUND, person, chunked=session.is_chunked)

    def _meant(self, call: Call, session: Session) -> Person | None:
        """Return who is asked about; without any id that is whose session it is.

        Raises:
            EntryIdError: the id can not be read.
        """
        entry_id = call.binary("sUserId")
        if entry_id:
            return self._people.by_entry_id(EntryId.parse(entry_id))
        return self._people.by_number(call.number("ulUserId") or session.person)

    def _get_user_list(self, call: Call, peer: Peer) -> Answer:
        """Tell about everybody; only SYSTEM sees SYSTEM."""
        session = self._session(call, peer)
        if session is None:
            return _failed(call, codes.END_OF_SESSION)
        asking = self._people.by_number(session.person)
        sees_all = asking is not None and asking.name == SYSTEM
        shown = [person for person in self._people if sees_all or not person.hidden]
        return answers.user_list(codes.SUCCESS, shown, chunked=session.is_chunked)

    def _resolve_names(self, call: Call, peer: Peer) -> Answer:
        """Search the address book."""
        session = self._session(call, peer)
        if session is None:
            return _failed(call, codes.END_OF_SESSION)
        return resolve_names(self._people, call, chunked=session.is_chunked)


def _failed(call: Call, code: int, *, chunked: bool = False) -> Answer:
    """Answer a call that came to nothing."""
    if call.name in {"logon", "ssoLogon"}:
        return answers.logon(f"{call.name}Response", code, 0, codes.SERVER_CAPABILITIES)
    return {
        "logoff": lambda: answers.logoff(code, chunked=chunked),
        "resolveUsername": lambda: answers.resolved(code, None, chunked=chunked),
        "getUser": lambda: answers.user(code, None, chunked=chunked),
        "getUserList": lambda: answers.user_list(code, (), chunked=chunked),
        "abResolveNames": lambda: answers.names(code, None, (), chunked=chunked),
    }[call.name]()
