"""Clients that registered themselves: out of their ids, with what has changed since out of the store."""

import json
from collections.abc import Mapping

from attrs import evolve, field, fields, frozen

from konnectd.interfaces import ClientRegistry, Clock, Sealer, Store, Verifier
from konnectd.protocol.client import Client
from konnectd.protocol.client_metadata import BY_NAME
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.registered_uri import sector_of
from konnectd.protocol.registration import LONGEST_CLIENT_ID, PREFIX, Registered, name_of_id
from konnectd.protocol.session import web_origin
from konnectd.protocol.vocabulary import ApplicationType, AuthMethod

#: How long a change of a registration is kept, in seconds: ten years, longer than anybody keeps a signing key.
KEPT = 10 * 365 * 24 * 3600
#: What is kept of a client that was deleted.
DELETED = "deleted"
#: Purpose under which secrets are sealed that have to be read again.
SECRET = "client secret"  # noqa: S105 - a purpose, no secret
#: Longer than any secret lives, in seconds since the epoch.
NEVER = 2**40
#: For how many clients what their ids say is remembered, so that a signature is checked once.
REMEMBERED = 1024
#: Fits no secret: what is left of one that has expired.
_EXPIRED = SecretDigest("", "")
_ATTRIBUTES = frozenset(attribute.name for attribute in fields(Client))


@frozen
class Known:
    """A client as it was last seen.

    Attributes:
        change: what the store said then; None for nothing.
    """

    change: str | None = field(repr=False)
    registered: Registered
    client: Client


@frozen(kw_only=True)
class DynamicClients:
    """The clients of a file, and those that registered themselves, as a `konnectd.interfaces.ClientRegistry`.

    Attributes:
        listed: the clients of the file.
        salt: for pairwise subjects; empty when there are none.
    """

    listed: ClientRegistry
    verifier: Verifier
    store: Store
    sealer: Sealer
    clock: Clock
    salt: bytes = field(default=b"", repr=False)
    _known: dict[str, Known] = field(factory=dict, repr=False, eq=False)

    async def get(self, client_id: str) -> Client | None:
        """Return a client by its id.

        Raises:
            BackendUnavailableError: registry or store did not answer.
        """
        listed = await self.listed.get(client_id)
        if listed is not None or not client_id.startswith(PREFIX):
            return listed
        known = await self._find(client_id)
        if known is None:
            return None
        expires_at = known.registered.secret_expires_at
        if expires_at and self.clock.now() >= expires_at and not known.client.public:
            return evolve(known.client, secret="", secret_digest=_EXPIRED)
        return known.client

    async def registered(self, client_id: str) -> Registered | None:
        """Return what is registered of a client that did it itself; None when there is none or it was deleted.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        known = await self._find(client_id) if client_id.startswith(PREFIX) else None
        return known.registered if known is not None else None

    async def change(self, client_id: str, registered: Registered | None) -> None:
        """Keep what a client changed; None deletes it.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        text = DELETED if registered is None else json.dumps(registered.to_claims())
        await self.store.put(change_key(client_id), text, KEPT)

    async def _find(self, client_id: str) -> Known | None:
        """Return a client that is not gone.

        Its id is looked at first: what nobody of us has signed asks no store.
        """
        known = self._known.get(client_id) or self._remember(client_id, self._signed(client_id), None)
        if known is None:
            return None
        change = await self.store.get(change_key(client_id))
        if change != known.change:
            known = self._remember(client_id, _read(change) if change is not None else self._signed(client_id), change)
        if known is None or (known.registered.expires_at and self.clock.now() >= known.registered.expires_at):
            return None
        return known

    def _signed(self, client_id: str) -> Mapping[str, object] | None:
        """Return what an id says, if we have signed it."""
        if len(client_id) > LONGEST_CLIENT_ID:
            return None
        return self.verifier.verify(client_id.removeprefix(PREFIX))

    def _remember(self, client_id: str, claims: Mapping[str, object] | None, change: str | None) -> Known | None:
        """Make a client of what is said about it; what is not ours is not remembered."""
        registered = Registered.from_claims(claims) if claims is not None else None
        client = self._client(client_id, registered) if registered is not None else None
        if registered is None or client is None:
            return None
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        known = self._known[client_id] = Known(change, registered, client)
        return known

    def _client(self, client_id: str, registered: Registered) -> Client | None:
        """Make a client; None when it can not be served as it is registered.

        It is never trusted, whatever it says.
        """
        metadata = registered.metadata
        values: dict[str, object] = {}
        for name, value in metadata.members.items():
            attribute = BY_NAME[name].attribute
            if attribute in _ATTRIBUTES:
                values[attribute] = tuple(value) if isinstance(value, list) else value
        try:
            kind = ApplicationType(metadata.text("application_type"))
            values.update(application_type=kind, auth_method=AuthMethod(metadata.auth_method))
        except ValueError:
            return None
        uris = metadata.texts("redirect_uris")
        if kind is ApplicationType.WEB:
            values["origins"] = tuple(dict.fromkeys(web_origin(uri) for uri in uris))
        if metadata.text("subject_type") == "pairwise":
            sector = sector_of(uris, metadata.text("sector_identifier_uri"))
            # Without the salt they would be known by another name than before, and perhaps by everybody's.
            if not self.salt or not sector:
                return None
            values["pairwise"] = Pairwise(sector, self.salt)
        return Client(
            client_id=client_id,
            dynamic=True,
            secret=self._secret(registered),
            secret_digest=registered.secret,
            **values,  # type: ignore[arg-type]  # each was read by the rule of its name
        )

    def _secret(self, registered: Registered) -> str:
        """Return a secret that has to be read, or nothing."""
        if not registered.sealed_secret:
            return ""
        opened = self.sealer.open(SECRET, registered.sealed_secret, self.clock.now())
        # A secret of another installation, or of one whose own secret has changed, is good for nothing.
        return str(opened["secret"]) if opened is not None else ""


def change_key(client_id: str) -> str:
    """Name what is kept of a client in a store."""
    return f"client:{name_of_id(client_id)}"


def _read(change: str) -> Mapping[str, object] | None:
    """Read what the store keeps; None when the client was deleted, or when another version wrote it."""
    try:
        claims = json.loads(change)
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
