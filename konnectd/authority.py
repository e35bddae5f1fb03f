"""External authorities: who else may say who somebody is. What a kind of them gives to the daemon, and gets from it.

A kind is one file in `konnectd/authorities/`, found by its name, which is what ``authority_type`` says. It has

- ``DOORWAYS``, a tuple of `Doorway`: where browsers come back to it;
- ``read(table, entry)``: reads the keys of its own from an entry (`konnectd.authority_entry`),
  notes each fault with `EntryTable.fault` and returns a frozen value, which becomes `AuthorityEntry.settings`. Keys
  that nobody asks the table for are told as unknown ones. It runs where configuration is checked: it imports nothing
  heavy and opens nothing but files that the entry names;
- ``build(entry, tools)``: makes an `Authority`; it asks nobody yet;
- ``METADATA``, if it publishes something about us: the path below the sign-in page where `Authority.metadata` is shown.

Everything else is done once for all kinds, by `konnectd.flows.federate`, `konnectd.web.federation` and
`konnectd.config.authorities`: the keys that all entries have (``id``, ``name``, ``authority_type``, ``default``,
``trusted``, ``insecure``, ``identity_claim_name``, ``identity_aliases``, ``identity_alias_required``,
``end_session_enabled``); the ``state``, which is random, bound to the browser by a sealed cookie, good for a quarter of
an hour and for one return, and tells which authority and which request of a client are meant; the way from an external
identity to a person of the backend; the logon; what the person, the client and the log are told when it fails.

Nothing in here is loaded by a daemon that has no authority.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from konnectd.authority_entry import AuthorityEntry
from konnectd.interfaces import Clock, Entropy, Store
from konnectd.protocol.authorize import Pairs
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import Prompt

#: How long somebody may stay at an authority, in seconds.
TRIP_TTL = 900
#: By how many seconds an authority's clock may differ from ours.
SKEW = 60
#: Longest `ExternalIdentity.reference`, in characters: it is kept in a cookie.
LONGEST_REFERENCE = 255


class Rebuff(StrEnum):
    """Why nobody was signed in who came from an authority: for the log, for those who count, and for the page's text.

    The last four are found by the frame and never by a kind.
    """

    UNAVAILABLE = "authority_unavailable"
    DENIED = "authority_denied"
    INVALID = "authority_invalid"
    NO_IDENTITY = "authority_no_identity"
    STALE = "authority_stale"
    UNKNOWN_AUTHORITY = "authority_unknown"
    NO_TRIP = "authority_no_trip"
    NOT_LISTED = "authority_not_listed"
    UNKNOWN_USER = "authority_unknown_user"


class AuthorityError(Exception):
    """Nobody was signed in by an authority.

    Its text is for the operator, in our own words: it goes to the log and nowhere else. What an authority wrote may
    stand in it only shortened and as `repr`; tokens, assertions and codes never.

    Attributes:
        rebuff: why. ``UNAVAILABLE`` it is not ready or did not answer, and may later; ``DENIED`` the authority says
            no, or the person did; ``INVALID`` what came back can not be believed; ``NO_IDENTITY`` it can, but does not
            say who it is; ``STALE`` the person proved it longer ago than was asked for.
    """

    def __init__(self, rebuff: Rebuff, text: str) -> None:
        """Say why."""
        super().__init__(text)
        self.rebuff = rebuff


@frozen(kw_only=True)
class Question:
    """Something to ask of an address that the operator, or an authority's own metadata, names.

    It may be in any network, because the operator chose it. It is https, or http on this very machine.

    Attributes:
        form: posted; None for a plain GET.
        authorization: the header; empty for none.
        accept: the header.
        longest: how long the body of the answer may be, in bytes.
        insecure: any certificate will do: `AuthorityEntry.insecure`.
    """

    url: str
    form: Pairs | None = field(default=None, repr=False)
    authorization: str = field(default="", repr=False)
    accept: str = "application/json"
    longest: int = 256 * 1024
    insecure: bool = False


@frozen(kw_only=True)
class Heard:
    """An answer. A redirect is an answer like any other, and is not followed.

    Attributes:
        media_type: of the body, lower case, without parameters.
        fresh_for: how long it may be used without asking again, in seconds; None when it does not say.
    """

    status: int
    content: bytes = field(default=b"", repr=False)
    media_type: str = ""
    fresh_for: int | None = None


class Ask(Protocol):
    """Asks authorities."""

    async def __call__(self, question: Question) -> Heard:
        """Return what it answers, whatever the status is. One question takes ten seconds at most.

        Raises:
            FetchError: it may not be asked, did not answer in time, or answers too much.
        """


@frozen(kw_only=True)
class AuthorityTools:
    """What a kind may use.

    Attributes:
        base: the address of our sign-in page; a doorway's address is ``f"{base}/{doorway.path}"``.
        warn: tells the operator what to look at.
    """

    base: str
    clock: Clock
    entropy: Entropy
    store: Store
    ask: Ask
    warn: Callable[[str], None]


@frozen(kw_only=True)
class Wish:
    """What the request that waits asks of a sign-in; nothing when no client waits.

    Attributes:
        prompt: ``login``, ``select_account``, both or none of them: the others are our own business.
        max_age: how many seconds ago the person may have proved who they are; None for any.
        login_hint: who it might be, from anybody: a suggestion and no more.
        acr_values: how they should prove it; a suggestion as well.
        ui_locales: the languages they read.
    """

    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    login_hint: str = field(default="", repr=False)
    acr_values: str = ""
    ui_locales: str = ""


@frozen(kw_only=True)
class Departure:
    """Where a browser is sent.

    Attributes:
        location: an absolute address, query included.
        fields: posted to it by a form; empty for a redirect.
        remembered: JSON values for the way back. They are sealed into the cookie of the trip: at most a kilobyte.
    """

    location: str = field(repr=False)
    fields: Pairs = field(default=(), repr=False)
    remembered: Mapping[str, object] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class Returned:
    """What a browser brings back.

    Attributes:
        doorway: `Doorway.path`.
        method: ``GET`` or ``POST``.
        parameters: of the query, or of the posted form. Repeated ones were refused.
        query: as it stood in the address, for signatures over it; empty for none.
    """

    doorway: str
    method: str = "GET"
    parameters: Parameters = field(repr=False)
    query: str = field(default="", repr=False)


@frozen(kw_only=True)
class ExternalIdentity:
    """Who somebody is by an authority's word, which has been checked in every respect.

    Attributes:
        name: the value of the claim or attribute that `IdentityRules.claim` names: one text that is not empty. The
            frame looks for an alias, and for the person.
        auth_time: when they proved it there, in seconds since the epoch; None when the authority does not say.
        amr: how (RFC 8176 words); empty when it does not say.
        ends_at: when the logon ends at the latest, in seconds since the epoch; None for no such moment.
        reference: by what the authority names its session with them when it ends it (``lref``); empty for nothing. At
            most `LONGEST_REFERENCE` characters, because it is kept in a cookie.
        held: JSON values that `Authority.leave` needs. They are kept in the store and never in a browser.
    """

    name: str
    auth_time: int | None = None
    amr: tuple[str, ...] = ()
    ends_at: int | None = None
    reference: str = field(default="", repr=False)
    held: Mapping[str, object] = field(factory=dict, repr=False)


@frozen
class Document:
    """What is published about us for an authority."""

    content: bytes = field(repr=False)
    media_type: str


class Authority(Protocol):
    """Somebody else who says who somebody is.

    None of its methods waits for longer than its questions take; while metadata can not be fetched, those that need it
    fail at once with ``UNAVAILABLE`` until it is time to try again.
    """

    @property
    def entry(self) -> AuthorityEntry:
        """What it was made of."""

    async def check(self) -> str:
        """Fetch what is needed for signing in, unless that is there, and say in some words what was found.

        It is called at start, in the background, and by ``konnectd doctor``.

        Raises:
            AuthorityError: it is not ready.
        """

    async def depart(self, wish: Wish, state: str) -> Departure:
        """Send somebody there to sign in.

        Args:
            wish: what the request that waits asks for.
            state: must come back in `Doorway.state`.

        Raises:
            AuthorityError: it is not ready.
        """

    async def arrive(self, returned: Returned, remembered: Mapping[str, object]) -> ExternalIdentity:
        """Check what somebody brings back who was sent there; the state is known to be good, and is used up.

        Args:
            returned: what their browser brings.
            remembered: of the departure.

        Raises:
            AuthorityError: nobody can be signed in by that.
            BackendUnavailableError: the store did not answer.
        """

    async def leave(self, held: Mapping[str, object], state: str) -> Departure | None:
        """Send somebody there to sign out, by a redirect; None when there is nowhere to send them. It asks nobody.

        Args:
            held: of the `ExternalIdentity`; empty when it is gone.
            state: must come back in `Doorway.state`.
        """

    async def left(self, returned: Returned, remembered: Mapping[str, object]) -> None:
        """Look at what somebody brings back who was sent there to sign out; they are signed out here in any case.

        Raises:
            AuthorityError: the authority says that it has not signed them out, or lies; for the log.
        """

    def metadata(self) -> Document | None:
        """Return what is published about us; None for nothing."""

    async def close(self) -> None:
        """Let go of connections and timers."""


@frozen(kw_only=True)
class Demand:
    """An authority wants that somebody is signed out here.

    Attributes:
        reference: whose logon is meant: that with this `ExternalIdentity.reference`; empty for any of this authority.
        certain: it is proven that the authority says so, and `AuthorityEntry.trusted`: nobody is asked. Otherwise the
            person is.
        remembered: for `DemandingAuthority.answer`.
    """

    reference: str = field(default="", repr=False)
    certain: bool = False
    remembered: Mapping[str, object] = field(factory=dict, repr=False)


@runtime_checkable
class DemandingAuthority(Authority, Protocol):
    """An authority that sends browsers here to be signed out, to a doorway below ``_/``."""

    def recognizes(self, returned: Returned) -> bool:
        """Tell whether something that belongs to no trip may be a demand of this very authority; it is not checked."""

    async def demanded(self, returned: Returned) -> Demand:
        """Check a demand.

        Raises:
            AuthorityError: it is none, or can not be believed.
            BackendUnavailableError: the store did not answer.
        """

    async def answer(self, demand: Demand, *, done: bool) -> Departure | None:
        """Send the browser back with an answer; None when none is wanted.

        Args:
            demand: what was wanted.
            done: whether it was done.
        """
