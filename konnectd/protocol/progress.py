"""How far a request is: what our pages carry along with it, sealed, from the first one to the last."""

from collections.abc import Mapping
from typing import Self

from attrs import frozen

from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode

#: How long a person may take from the first page to the last, in seconds.
PROGRESS_TTL = 3600
#: What the names of cookies begin with that are kept while somebody is at an external authority.
TRIP_COOKIE = "KKTS-"


@frozen(kw_only=True)
class Progress:
    """That this very request is under way in a browser.

    Attributes:
        fingerprint: of the request.
        started_at: when its first page was asked for, in seconds since the epoch.
        session_id: of the logons there were then, a blank between two; empty for none. A logon with another one has
            been made since.
        account: ``sub`` of the account that was chosen since; empty for none.
        prompt: as the client sent it.
        away: it was sent to an external authority, and is not sent to one again without being asked.
        refusal: the error that the client gets; empty for none.
    """

    fingerprint: str
    started_at: int
    session_id: str = ""
    account: str = ""
    prompt: str = ""
    away: bool = False
    refusal: str = ""

    def to_json(self) -> dict[str, object]:
        """Write it for sealing."""
        values = {"v": 1, "f": self.fingerprint, "iat": self.started_at, "sid": self.session_id, "acc": self.account}
        more: dict[str, object] = {"p": self.prompt, "away": self.away, "no": self.refusal}
        return {**values, **{name: value for name, value in more.items() if value}}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self | None:
        """Read what `to_json` wrote."""
        match value:
            case {"v": 1, "f": str(print_), "iat": int(started_at), "sid": str(session_id), "acc": str(account)}:
                return cls(
                    fingerprint=print_,
                    started_at=started_at,
                    session_id=session_id,
                    account=account,
                    prompt=str(value.get("p", "")),
                    away=value.get("away") is True,
                    refusal=str(value.get("no", "")),
                )
        return None

    def check(self) -> None:
        """Raise what the client is to be told instead of an answer, if that is settled.

        Raises:
            OAuthError: ``access_denied`` or ``temporarily_unavailable``.

        Spec: RFC 6749 4.1.2.1.
        """
        if self.refusal == ErrorCode.TEMPORARILY_UNAVAILABLE:
            raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "the external authority does not answer at the moment")
        if self.refusal:
            raise OAuthError(ErrorCode.ACCESS_DENIED, "the external authority has signed nobody in")

    def covers(self, logon: Logon) -> bool:
        """Tell whether a logon was made for this request, and so counts as fresh however old the request says.

        What a proxy says is said with every request, so it is never for this one: whoever is to prove who they are
        could else forget their cookies and come back. So it is with a backend that does not say since when.
        """
        if logon.is_hearsay:
            return False
        return logon.session_id not in self.session_id.split(" ") and logon.proven_at >= self.started_at

    def settles(self, logon: Logon) -> bool:
        """Tell whether a person has said, by signing in or by choosing, that this is who they go on as."""
        return self.covers(logon) or self.account == logon.sub

    def restore(self, parameters: Parameters) -> Parameters:
        """Return a request with the ``prompt`` that the client sent, where a front end has put another one."""
        sent = dict(parameters.without("prompt").items())
        return Parameters({**sent, "prompt": self.prompt} if self.prompt else sent)
