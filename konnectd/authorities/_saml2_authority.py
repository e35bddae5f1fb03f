"""A SAML identity provider as an authority: the order of things. The rules are in `konnectd.protocol.saml2`.

Spec: SAML 2.0 Profiles 4.1 and 4.4; Bindings 3.4 and 3.5.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import TypeVar

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import rsa

from konnectd.authorities import _saml2_messages as messages
from konnectd.authorities import _saml2_redirect as redirect
from konnectd.authorities import _saml2_xml as xml
from konnectd.authorities._saml2_metadata import IdentityProvider, write_metadata
from konnectd.authorities._saml2_response import read_logout, read_response
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authorities._saml2_signature import Trusted, is_good
from konnectd.authorities._saml2_source import MetadataSource
from konnectd.authority import (
    LONGEST_REFERENCE,
    AuthorityError,
    AuthorityTools,
    Demand,
    Departure,
    Document,
    ExternalIdentity,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.authority_entry import AuthorityEntry
from konnectd.protocol import saml2
from konnectd.protocol.saml2 import Expected, NameId, SamlError, SamlFault, SignedIn
from konnectd.protocol.saml2_logout import LogoutAnswer, LogoutQuestion, check_left, check_logout
from konnectd.protocol.vocabulary import Prompt

#: Which attribute says who somebody is, when the entry does not say, as Konnect has it.
USUAL_CLAIM = "uid"
#: Longest ``RelayState`` of a demand that comes back with the answer, in characters. The specification allows 80.
LONGEST_RELAY_STATE = 512
#: Random bytes of an id; 128 bits are demanded. Spec: SAML 2.0 Core 1.3.4.
_ID_BYTES = 20
_REBUFFS: Mapping[SamlFault, Rebuff] = {
    SamlFault.REFUSED_THERE: Rebuff.DENIED,
    SamlFault.NOT_PASSIVE: Rebuff.DENIED,
    SamlFault.IDENTITY: Rebuff.NO_IDENTITY,
    SamlFault.STALE: Rebuff.STALE,
}

Message = TypeVar("Message", LogoutQuestion, LogoutAnswer)


@frozen(kw_only=True)
class Addresses:
    """What we are called, where answers are posted, and where browsers come about the end of a session.

    Attributes:
        entity_id: what we are called.
        consumer: the address where answers are posted.
        consumer_doorway: its path, as the frame knows it.
        logout: the address where browsers come about the end of a session.
        logout_doorway: its path.
    """

    entity_id: str
    consumer: str
    consumer_doorway: str
    logout: str
    logout_doorway: str


class Saml2Authority:
    """One identity provider. It is a `konnectd.authority.DemandingAuthority`."""

    def __init__(
        self, entry: AuthorityEntry, settings: Saml2Settings, addresses: Addresses, tools: AuthorityTools
    ) -> None:
        """Prepare; nobody is asked yet."""
        self._entry = entry
        self._addresses = addresses
        self._tools = tools
        self._sha1 = settings.allow_sha1
        self._key = settings.key()
        self._decrypting = settings.decrypting()
        self._source = MetadataSource(settings, tools, entry.name, insecure=entry.insecure)

    @property
    def entry(self) -> AuthorityEntry:
        """What it was made of."""
        return self._entry

    async def check(self) -> str:
        """Fetch the metadata and say what is in them.

        Raises:
            AuthorityError: they can not be used.
        """
        provider = await self._source.get()
        in_time = [each for each in provider.certificates if is_good(each, self._tools.clock.now())]
        if not in_time:
            raise AuthorityError(Rebuff.UNAVAILABLE, "none of the certificates in its metadata is in date")
        last = max(each.not_valid_after_utc for each in in_time)
        end = "it can end sessions" if provider.logout else "it can not end sessions"
        if provider.wants_signed and self._key is None:
            end += "; it wants signed requests, and signing_key is not set"
        return f"identity provider {provider.entity_id!r}, certificates until {last:%Y-%m-%d}, {end}"

    async def depart(self, wish: Wish, state: str) -> Departure:
        """Ask the identity provider to sign somebody in.

        Whoever has to be recent, or may want to be somebody else, is made to prove it there again: SAML has no words
        for anything milder.

        Raises:
            AuthorityError: its metadata can not be used.
        """
        provider = await self._source.get()
        force = wish.max_age is not None or bool(wish.prompt & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT})
        heading = self._heading(provider.sign_on or provider.sign_on_post)
        request = messages.authn_request(heading, consumer=self._addresses.consumer, force=force)
        remembered = {"rid": heading.message_id, "recent": _recent(wish, heading.now)}
        if provider.sign_on:
            document = messages.written(request)
            location = redirect.address(provider.sign_on, "SAMLRequest", document, state, self._key)
            return Departure(location=location, remembered=remembered)
        document = messages.written(request) if self._key is None else messages.signed(request, self._key)
        fields = (("SAMLRequest", b64encode(document).decode("ascii")), ("RelayState", state))
        return Departure(location=provider.sign_on_post, fields=fields, remembered=remembered)

    async def arrive(self, returned: Returned, remembered: Mapping[str, object]) -> ExternalIdentity:
        """Check what the identity provider says.

        Raises:
            AuthorityError: nobody can be signed in by that.
            BackendUnavailableError: the store did not answer.
        """
        provider = await self._source.get()
        try:
            found = await self._signed_in(returned, str(remembered.get("rid", "")), provider)
            name = saml2.find_identity(found.attributes, self._entry.identity.claim or USUAL_CLAIM)
            saml2.check_recent(found, remembered.get("recent"))
            await self._use_up(found.assertion_id, found.issuer, found.good_until)
        except SamlError as error:
            raise _rebuff(error) from error
        return ExternalIdentity(
            name=name,
            auth_time=found.authn_instant,
            amr=found.amr,
            ends_at=found.session_ends_at,
            reference=_reference(found.session_index),
            held=_held(found),
        )

    async def _signed_in(self, returned: Returned, request_id: str, provider: IdentityProvider) -> SignedIn:
        """Return who signed in there, by an answer that fits a request.

        Raises:
            SamlError: it is refused.
        """
        if returned.doorway != self._addresses.consumer_doorway or not request_id:
            raise SamlError(SamlFault.UNEXPECTED)
        document = xml.from_base64(returned.parameters.get("SAMLResponse") or "")
        now = self._tools.clock.now()
        try:
            response = read_response(document, self._trusted(provider), now, self._secret())
        except SamlError as error:
            newer = await self._newer(error, provider)
            if newer is None:
                raise
            provider = newer
            response = read_response(document, self._trusted(provider), now, self._secret())
        expected = Expected(
            issuer=provider.entity_id,
            audience=self._addresses.entity_id,
            recipient=self._addresses.consumer,
            request_id=request_id,
        )
        return saml2.check_response(response, expected, now)

    def _secret(self) -> rsa.RSAPrivateKey | None:
        """Return what assertions are encrypted for."""
        return None if self._decrypting is None else self._decrypting.key

    async def _newer(self, error: SamlError, provider: IdentityProvider) -> IdentityProvider | None:
        """Return the identity provider with certificates that we did not know, when that may be what is wrong."""
        may_be = error.fault in {SamlFault.SIGNATURE, SamlFault.CERTIFICATE}
        return await self._source.renewed(provider) if may_be else None

    def _trusted(self, provider: IdentityProvider) -> Trusted:
        """Return whose signatures count."""
        return Trusted(certificates=provider.certificates, sha1=self._sha1)

    async def _use_up(self, message_id: str, issuer: str, until: int) -> None:
        """Take a message once, and never again while it would still be believed.

        Raises:
            SamlError: it was taken before.
            BackendUnavailableError: the store did not answer.
        """
        digest = sha256(f"{issuer}\n{message_id}".encode()).hexdigest()
        if not await self._tools.store.add(f"saml2:{digest}", "", max(1, until - self._tools.clock.now())):
            raise SamlError(SamlFault.REPLAYED)

    async def leave(self, held: Mapping[str, object], state: str) -> Departure | None:
        """Ask the identity provider to end somebody's session; None when it can not, or we do not know whose."""
        provider = self._source.known()
        value = held.get("name_id")
        if (
            provider is None
            or not provider.logout
            or not isinstance(value, str)
            or held.get("idp") != provider.entity_id
        ):
            return None
        name_id = NameId(
            value=value,
            format=str(held.get("format", "")),
            name_qualifier=str(held.get("nq", "")),
            sp_name_qualifier=str(held.get("spnq", "")),
        )
        heading = self._heading(provider.logout)
        request = messages.logout_request(heading, name_id, str(held.get("session_index", "")))
        location = redirect.address(provider.logout, "SAMLRequest", messages.written(request), state, self._key)
        return Departure(location=location, remembered={"rid": heading.message_id})

    async def left(self, returned: Returned, remembered: Mapping[str, object]) -> None:
        """Look at the answer to that.

        Raises:
            AuthorityError: it says no, or is none.
        """
        try:
            answer = await self._logout_message(returned, LogoutAnswer)
            check_left(answer, str(remembered.get("rid", "")))
        except SamlError as error:
            raise _rebuff(error) from error

    async def _logout_message(self, returned: Returned, kind: type[Message]) -> Message:
        """Return what the identity provider says about the end of a session, when it is of a kind.

        Raises:
            AuthorityError: nothing is known of it.
            SamlError: it is refused.
        """
        provider = await self._source.get()
        packed = redirect.read_query(returned.query)
        now = self._tools.clock.now()
        try:
            signed = redirect.check_signature(packed, self._trusted(provider), now)
        except SamlError as error:
            newer = await self._newer(error, provider)
            if newer is None:
                raise
            provider = newer
            signed = redirect.check_signature(packed, self._trusted(provider), now)
        message = read_logout(packed.document, signed=signed)
        if not isinstance(message, kind):
            raise SamlError(SamlFault.UNEXPECTED)
        check_logout(message, issuer=provider.entity_id, address=self._addresses.logout, now=now)
        return message

    def recognizes(self, returned: Returned) -> bool:
        """Tell whether it may be a demand of this identity provider, by who says that they have made it."""
        provider = self._source.known()
        if provider is None or returned.doorway != self._addresses.logout_doorway:
            return False
        if returned.parameters.get("SAMLRequest") is None:
            return False
        try:
            message = read_logout(redirect.read_query(returned.query).document, signed=False)
        except SamlError:
            return False
        return isinstance(message, LogoutQuestion) and message.issuer == provider.entity_id

    async def demanded(self, returned: Returned) -> Demand:
        """Check a demand to end a session.

        It is certain only when it was signed, and names one session: who has made it names only sessions they have,
        and one that names somebody's every session could be shown to a browser in which somebody else is.

        Raises:
            AuthorityError: it is none, or can not be believed.
            BackendUnavailableError: the store did not answer.
        """
        try:
            demand = await self._logout_message(returned, LogoutQuestion)
            if demand.signed:
                await self._use_up(demand.request_id, demand.issuer, demand.issued_at + saml2.OLDEST + saml2.SKEW)
        except SamlError as error:
            raise _rebuff(error) from error
        relay_state = returned.parameters.get("RelayState") or ""
        if len(relay_state) > LONGEST_RELAY_STATE:
            raise AuthorityError(Rebuff.INVALID, "its RelayState is too long")
        one = demand.session_indexes[0] if len(demand.session_indexes) == 1 else ""
        return Demand(
            reference=_reference(one),
            certain=demand.signed and self._entry.trusted and bool(one),
            remembered={"rid": demand.request_id, "relay_state": relay_state},
        )

    async def answer(self, demand: Demand, *, done: bool) -> Departure | None:
        """Tell the identity provider that it was done, or was not; None when it hears nothing."""
        provider = self._source.known()
        if provider is None or not provider.logout_answer:
            return None
        response = messages.logout_response(
            self._heading(provider.logout_answer), str(demand.remembered.get("rid", "")), done=done
        )
        relay_state = str(demand.remembered.get("relay_state", ""))
        document = messages.written(response)
        return Departure(
            location=redirect.address(provider.logout_answer, "SAMLResponse", document, relay_state, self._key)
        )

    def metadata(self) -> Document:
        """Return our own metadata; they are there before those of the identity provider, which may want them first."""
        content = write_metadata(
            entity_id=self._addresses.entity_id,
            consumer=self._addresses.consumer,
            logout=self._addresses.logout,
            signing=None if self._key is None else self._key.certificate,
            encryption=None if self._decrypting is None else self._decrypting.certificate,
            now=self._tools.clock.now(),
        )
        return Document(content, "application/samlmetadata+xml")

    async def close(self) -> None:
        """Break off what is under way."""
        self._source.close()

    def _heading(self, destination: str) -> messages.Heading:
        """Begin a message."""
        return messages.Heading(
            message_id=f"id-{self._tools.entropy.token(_ID_BYTES)}",
            destination=destination,
            issuer=self._addresses.entity_id,
            now=self._tools.clock.now(),
        )


def _recent(wish: Wish, now: int) -> int:
    """Return since when somebody must have proved who they are, in seconds since the epoch; 0 for any time."""
    if Prompt.LOGIN in wish.prompt:
        return now
    return max(1, now - wish.max_age) if wish.max_age is not None else 0


def _rebuff(error: SamlError) -> AuthorityError:
    """Return the refusal of a message as that of a person."""
    return AuthorityError(_REBUFFS.get(error.fault, Rebuff.INVALID), str(error))


def _reference(session_index: str) -> str:
    """Return what names a session, short enough for a cookie."""
    if len(session_index) <= LONGEST_REFERENCE:
        return session_index
    return sha256(session_index.encode()).hexdigest()


def _held(found: SignedIn) -> Mapping[str, object]:
    """Return what signing out takes."""
    return {
        "idp": found.issuer,
        "name_id": found.name_id.value,
        "format": found.name_id.format,
        "nq": found.name_id.name_qualifier,
        "spnq": found.name_id.sp_name_qualifier,
        "session_index": found.session_index,
    }
