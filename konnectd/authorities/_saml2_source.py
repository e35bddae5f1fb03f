"""Where the metadata of an identity provider come from, and for how long they count.

They are asked for again before they are too old, and when a signature fits none of the certificates in them, which is
what a new certificate looks like from here. What is known keeps counting while nothing newer can be had, as long as it
says itself that it is valid.

Spec: SAML 2.0 Metadata 2.3.2 (``validUntil``, ``cacheDuration``).
"""

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from konnectd.authorities._saml2_metadata import IdentityProvider, read_metadata
from konnectd.authorities._saml2_settings import Saml2Settings
from konnectd.authorities._saml2_signature import Trusted
from konnectd.authorities._saml2_xml import LONGEST_METADATA
from konnectd.authority import AuthorityError, AuthorityTools, Question, Rebuff
from konnectd.interfaces import FetchError
from konnectd.protocol.saml2 import SamlError

#: How long metadata are kept that do not say for how long; and the shortest and the longest time, in seconds.
USUAL_SECONDS = 6 * 3600
SHORTEST_SECONDS = 300
LONGEST_SECONDS = 24 * 3600
#: How long nobody is asked after it went wrong, in seconds, as Konnect has it.
RETRY_SECONDS = 30
#: How old metadata have to be before a signature that fits none of their certificates makes us ask anew, in seconds.
YOUNGEST_SECONDS = 60
_OK = 200


class MetadataSource:
    """Knows the identity provider of one entry."""

    def __init__(self, settings: Saml2Settings, tools: AuthorityTools, name: str, *, insecure: bool) -> None:
        """Begin with nothing known.

        Args:
            settings: where the metadata are, and who has to have signed them.
            tools: what asks.
            name: of the authority, for the operator.
            insecure: any TLS certificate will do.
        """
        self._settings = settings
        self._tools = tools
        self._name = name
        self._insecure = insecure
        pinned = settings.pinned()
        self._pin = Trusted(certificates=pinned) if pinned else None
        self._known: IdentityProvider | None = None
        self._asked_at = 0
        self._renew_at = 0
        self._retry_at = 0
        self._problem = ""
        self._asking = False
        self._waiting: list[Deferred[None]] = []
        self._renewing: Deferred[None] | None = None

    def known(self) -> IdentityProvider | None:
        """Return what is known now, and asks nobody."""
        known, now = self._known, self._tools.clock.now()
        return None if known is None or (known.valid_until is not None and known.valid_until <= now) else known

    async def get(self) -> IdentityProvider:
        """Return the identity provider.

        Raises:
            AuthorityError: nothing is known of it.
        """
        known, now = self.known(), self._tools.clock.now()
        if known is None:
            # More than once when whoever asked has left before there was an answer.
            while self.known() is None and (self._asking or self._tools.clock.now() >= self._retry_at):
                await self._ask_once()
            known = self.known()
        elif now >= self._renew_at and now >= self._retry_at and not self._asking:
            # Nobody has to wait for what is not needed yet.
            self._renewing = Deferred.fromCoroutine(self._ask_once())
            self._renewing.addErrback(_broken_off)
        if known is None:
            raise AuthorityError(Rebuff.UNAVAILABLE, f"there are no usable metadata of it: {self._problem}")
        return known

    async def renewed(self, older: IdentityProvider) -> IdentityProvider | None:
        """Ask anew when that may bring other certificates; None when it does not, or was done a moment ago."""
        now = self._tools.clock.now()
        if now < self._asked_at + YOUNGEST_SECONDS or now < self._retry_at:
            return None
        await self._ask_once()
        known = self.known()
        return None if known is None or known.certificates == older.certificates else known

    def close(self) -> None:
        """Break off what is under way in the background."""
        if self._renewing is not None:
            self._renewing.cancel()

    async def _ask_once(self) -> None:
        """Ask, or wait for who is asking already."""
        if self._asking:
            turn: Deferred[None] = Deferred()
            self._waiting.append(turn)
            await turn
            return
        self._asking = True
        try:
            await self._ask()
        finally:
            self._asking = False
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    async def _ask(self) -> None:
        """Fetch and read them; when it goes wrong, the operator is told once."""
        self._asked_at = self._tools.clock.now()
        try:
            document, fresh_for = await self._document()
            found = read_metadata(
                document, entity_id=self._settings.idp_entity_id, pin=self._pin, now=self._tools.clock.now()
            )
        except (FetchError, SamlError) as error:
            self._retry_at = self._tools.clock.now() + RETRY_SECONDS
            if str(error) != self._problem:
                self._tools.warn(f"authority {self._name}: its metadata can not be used: {error}")
            self._problem = str(error)
            return
        self._known, self._problem, self._retry_at = found, "", 0
        wanted = found.cache_seconds if found.cache_seconds is not None else fresh_for
        seconds = min(max(USUAL_SECONDS if wanted is None else wanted, SHORTEST_SECONDS), LONGEST_SECONDS)
        self._renew_at = self._asked_at + seconds

    async def _document(self) -> tuple[bytes, int | None]:
        """Return the metadata as they stand, and for how long they say they may be kept.

        Raises:
            FetchError: they can not be had.
        """
        if self._settings.metadata:
            return self._settings.metadata, LONGEST_SECONDS
        heard = await self._tools.ask(
            Question(
                url=self._settings.metadata_endpoint,
                accept="application/samlmetadata+xml, application/xml, text/xml",
                longest=LONGEST_METADATA,
                insecure=self._insecure,
            )
        )
        if heard.status != _OK:
            raise FetchError(f"its metadata endpoint answers with status {heard.status}")
        return heard.content, heard.fresh_for


def _broken_off(failure: Failure) -> None:
    """Take it quietly that nobody wants to know any more."""
    failure.trap(CancelledError)  # type: ignore[no-untyped-call] # Twisted left it out
