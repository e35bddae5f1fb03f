"""Who somebody is: the End-User a backend knows, and the logon a browser holds."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Self

from attrs import field, frozen

from konnectd.base64url import b64url
from konnectd.jsontext import texts
from konnectd.protocol.guest import GUEST, Guest

#: The format of a sealed logon; raise it when old ones must not be read any more.
LOGON_VERSION = 1

#: Keyed into every public subject, so it can not change without changing everybody's accounts at every client.
SUBJECT_KEY = b"konnect-IDToken-v1"


@lru_cache(maxsize=2048)
def public_subject(subject: str, provider: str) -> str:
    """Make the ``sub`` that clients see from a backend's own subject.

    Args:
        subject: the backend's subject, such as a DN.
        provider: the backend's name, such as ``identifier-ldap``.

    Spec: OIDC Core 8 (public subjects, stable and never reassigned).
    """
    digest = blake2b(f"{subject} {provider}".encode(), key=SUBJECT_KEY).digest()
    return b64url(digest) + "@konnect"


@frozen(kw_only=True)
class EndUser:
    """A person as the backend knows them now.

    Attributes:
        user_id: what the backend finds them again by (``kc.i.id``).
        subject: the backend's own subject; see `public_subject`.
        username: the name the directory has for signing in, not what was typed.
        email_verified: whether the backend vouches for the address.
        numeric_id: for clients that want a number (scope ``konnect/id``).
        unique_id: for clients that want the directory's unique id (scope ``konnect/uuid``).
        groups: names of groups, for scope ``groups``.
        further: claims that `konnectd.protocol.standard_claims` made of what the backend has, by name.
        identity: further members of ``kc.identity`` in tokens.
    """

    user_id: str
    subject: str
    username: str
    name: str = ""
    family_name: str = ""
    given_name: str = ""
    email: str = ""
    email_verified: bool = False
    numeric_id: int | None = None
    unique_id: str = ""
    groups: tuple[str, ...] = ()
    further: Mapping[str, object] = field(factory=dict)
    identity: Mapping[str, object] = field(factory=dict)

    @classmethod
    def of_guest(cls, guest: Guest) -> Self:
        """Return a guest as somebody; a guest has no name to sign in with."""
        return cls(
            user_id=guest.guest_id,
            subject=guest.guest_id,
            username="",
            name=guest.name,
            family_name=guest.family_name,
            given_name=guest.given_name,
            email=guest.email,
            email_verified=guest.email_verified,
            identity=guest.identity,
        )


@frozen
class ExternalSession:
    """The session of somebody at the external authority that has said who they are.

    Attributes:
        authority_id: of which one; a logon counts for nothing when it is not there any more.
        reference: by what it names its session when it ends it; empty for nothing.
        ends_at: when the logon ends at the latest, in seconds since the epoch; None for no such moment.
    """

    authority_id: str
    reference: str = field(default="", repr=False)
    ends_at: int | None = None

    def to_json(self) -> dict[str, object]:
        """Write it as members of a logon, under the names of Konnect."""
        end = {"exp": self.ends_at} if self.ends_at is not None else {}
        return {"eaid": self.authority_id, **({"lref": self.reference} if self.reference else {}), **end}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "ExternalSession | None":
        """Read it from a logon; None for one that was made here."""
        match value:
            case {"eaid": str(authority_id)}:
                end = value.get("exp")
                return cls(authority_id, str(value.get("lref", "")), end if isinstance(end, int) else None)
        return None


@frozen(kw_only=True)
class Logon:
    """That somebody proved at a moment who they are; kept sealed in the browser's logon cookie.

    Attributes:
        provider: name of the backend that vouched for them; a logon of another backend counts for nothing.
        user_id: what the backend finds them again by.
        subject: the backend's own subject.
        auth_time: when they proved it to us, or it was told us, in seconds since the epoch. Nothing but a fresh proof
            moves it.
        session_id: the ``sid`` of this session, random at each logon.
        amr: how they proved it (RFC 8176 words); empty when we have not seen how.
        recognized: the name that a proxy in front of us said is there at that moment, be it of
            this person or of another one; empty for no proxy.
        kept: whether they asked to stay signed in when the browser is closed.
        told: when somebody proved it to others, in seconds since the epoch: to a backend that tells by what a browser
            carries who they are, which may not say when (0); or to an external authority. None for everybody else.
        guest: who it is when no backend knows them; such a logon is never in a browser.
        external: where an external authority has said who they are.
    """

    provider: str
    user_id: str
    subject: str
    username: str
    name: str = ""
    auth_time: int
    session_id: str
    amr: tuple[str, ...] = ("pwd",)
    recognized: str = ""
    kept: bool = False
    told: int | None = None
    guest: Guest | None = None
    external: ExternalSession | None = None

    @property
    def sub(self) -> str:
        """The ``sub`` that clients see."""
        return public_subject(self.subject, self.provider)

    @property
    def proven_at(self) -> int:
        """When they proved who they are, as far as anybody says; a clock of somebody else's may be ahead of ours."""
        return min(self.told, self.auth_time) if self.told else self.auth_time

    @property
    def is_hearsay(self) -> bool:
        """Whether nobody has proved anything to us: a proxy or a backend said who it is, and not since when."""
        return (bool(self.recognized) and not self.amr and self.external is None) or self.told == 0

    def counts_beside(self, recognized: str) -> bool:
        """Tell whether a logon counts where a proxy has recognized somebody.

        It does when it is theirs, or was made while the proxy named them. Any other one is that of whoever sat
        at this browser before.

        Args:
            recognized: the name the proxy says; empty when it says nothing.
        """
        return not recognized or recognized in {self.username, self.recognized}

    def is_of(self, subject: str, told: int) -> bool:
        """Tell whether it is the logon of somebody whom a backend sees, and was made since they proved who they are.

        Args:
            subject: the backend's own.
            told: when it says that they did; 0 when it does not say.
        """
        return self.subject == subject and self.told == told

    def to_json(self) -> dict[str, object]:
        """Write it for sealing."""
        return {
            "v": LOGON_VERSION,
            "iss": self.provider,
            "sub": self.subject,
            "iat": self.auth_time,
            "sid": self.session_id,
            "amr": list(self.amr),
            "kc.i.id": self.user_id,
            "kc.i.un": self.username,
            "kc.i.dn": self.name,
            **({"recognized": self.recognized} if self.recognized else {}),
            **({"kept": True} if self.kept else {}),
            **({"told": self.told} if self.told is not None else {}),
            **({GUEST: self.guest.to_json()} if self.guest is not None else {}),
            **(self.external.to_json() if self.external is not None else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self | None:
        """Read what `to_json` wrote; anything else, an older format included, is nobody's logon."""
        if value.get("v") != LOGON_VERSION:
            return None
        found = texts(value, "iss", "sub", "sid", "kc.i.id", "kc.i.un", "kc.i.dn")
        auth_time, amr, told = value.get("iat"), value.get("amr"), value.get("told")
        if found is None or not isinstance(auth_time, int) or not isinstance(amr, list):
            return None
        if not isinstance(value.get("eaid", ""), str):
            return None
        # A pattern would say the same, in many times the time.
        provider, subject, session_id, user_id, username, name = found
        return cls(
            provider=provider,
            user_id=user_id,
            subject=subject,
            username=username,
            name=name,
            auth_time=auth_time,
            session_id=session_id,
            amr=tuple(str(method) for method in amr),
            recognized=str(value.get("recognized", "")),
            kept=value.get("kept") is True,
            told=told if isinstance(told, int) else None,
            guest=Guest.from_json(value[GUEST]) if GUEST in value else None,
            external=ExternalSession.from_json(value) if "eaid" in value else None,
        )
