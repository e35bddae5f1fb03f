"""Entries of the list ``authorities`` of the registration file, as values; what is made of them is elsewhere."""

from typing import Protocol

from attrs import field, frozen

from konnectd.protocol.client import is_plain_uri, split

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class EntryTable(Protocol):
    """An entry of the list ``authorities``; what can not be used becomes a fault, and reads as absent."""

    @property
    def source(self) -> str:
        """Where it stands: file and line."""

    def has(self, key: str) -> bool:
        """Tell whether a key is there and not null."""

    def text(self, key: str) -> str:
        """Return a text; empty if absent."""

    def number(self, key: str) -> int:
        """Return a whole number; 0 if absent."""

    def switch(self, key: str) -> bool:
        """Return a yes or no; no if absent."""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty if absent."""

    def plain(self, key: str) -> object:
        """Return what YAML makes of a value: text, booleans, lists and dictionaries; None if absent."""

    def fault(self, key: str, problem: str, source: str = "") -> None:
        """Note that something about a key is wrong."""


@frozen(kw_only=True)
class IdentityRules:
    """How an external identity becomes the name of a person of the backend.

    Attributes:
        claim: which claim or attribute says who it is; empty for what is usual for the kind.
        aliases: external name and name here.
        alias_required: only who has an alias may come in.
    """

    claim: str = ""
    aliases: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    alias_required: bool = False

    def local_name(self, name: str) -> str | None:
        """Return what somebody is called here; None for who may not come in."""
        alias = dict(self.aliases).get(name)
        return None if alias is None and self.alias_required else alias or name


@frozen(kw_only=True)
class AuthorityEntry:
    """An entry of the registration file. Equal ones are one and the same authority, before and after a reload.

    Attributes:
        authority_id: stands in logons (``eaid``).
        name: what people call it; the id if there is none.
        kind: ``authority_type``: the name of the kind's file.
        default: whether people are sent there without being asked.
        trusted: it may end sessions here without asking the person.
        insecure: TLS certificates are not checked when it is asked, and nothing else is given up.
        end_session_enabled: whoever signs out here is sent there to sign out, too.
        settings: what the kind's ``read`` made of the keys of its own.
    """

    authority_id: str
    name: str
    kind: str
    default: bool = False
    trusted: bool = False
    insecure: bool = False
    identity: IdentityRules = IdentityRules()
    end_session_enabled: bool = False
    settings: object = field(default=None, repr=False)


@frozen(kw_only=True)
class Doorway:
    """A path where browsers come back from authorities of a kind.

    Attributes:
        path: below the address of the sign-in page, such as ``oauth2/cb`` or ``_/saml2/slo``. The cookies of logons
            are sent below ``_/`` only; that of the trip is sent everywhere.
        methods: ``GET`` and ``POST``; a posted form comes from another site.
        state: the parameter that brings the state back, such as ``state`` or ``RelayState``.
    """

    path: str
    methods: tuple[str, ...] = ("GET",)
    state: str = "state"


def address_problem(text: str) -> str:
    """Return what is wrong with an address of an authority, empty if nothing: it is https, or on this very machine."""
    parts = split(text) if is_plain_uri(text) else None
    if parts is None or not parts.hostname:
        return "must be an address such as https://sso.example.com"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        return ""
    return "must begin with https://"
