"""Letting in the guest of a client: no page, no logon in the browser, and one answer for one signed request."""

from attrs import frozen

from konnectd.flows.pending import Arrival
from konnectd.interfaces import Clock, Entropy, Store
from konnectd.protocol.admission import admit, brings_guest, replayed
from konnectd.protocol.authorize import AuthorizationRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.guest import GUEST
from konnectd.protocol.interaction import Consent, Knowledge, Proceed, Refuse, decide
from konnectd.protocol.vocabulary import Prompt

#: Nobody has been asked, so there is no answer that could come a second time.
_NOT_ASKED = ""


@frozen(kw_only=True)
class Guests:
    """Lets guests in.

    Attributes:
        supported: every scope that people can be granted here.
    """

    store: Store
    clock: Clock
    entropy: Entropy
    supported: frozenset[str]

    async def __call__(self, arrival: Arrival, request: AuthorizationRequest, hint: str) -> Proceed | Refuse | None:
        """Return what a client gets that brings a guest; None when it brings none, or a person has to be asked.

        Args:
            arrival: how the request came.
            request: the same, read.
            hint: ``sub`` of a verified ``id_token_hint``; empty for none.

        Raises:
            OAuthError: the object is not good for a guest, or was used before.
            BackendUnavailableError: the store did not answer.
        """
        claims = arrival.signed
        if claims is None or not brings_guest(claims) or Prompt.CONSENT in request.prompt:
            return None
        now = self.clock.now()
        admission = admit(request.client, claims, self.supported, now)
        guest = admission.guest
        logon = Logon(
            provider=GUEST,
            user_id=guest.guest_id,
            subject=guest.guest_id,
            username="",
            name=guest.name,
            auth_time=now,
            session_id=self.entropy.token(),
            amr=(),
            guest=guest,
        )
        # The registration has answered in the place of a person.
        consent = Consent(
            consent_id=_NOT_ASKED, sub=logon.sub, fingerprint=request.fingerprint, allow=True, scope=admission.scope
        )
        allowed = frozenset(admission.scope)
        decision = decide(request, Knowledge(logon=logon, consent=consent, hint=hint, supported=allowed), now)
        if not isinstance(decision, Proceed | Refuse):
            return None
        if isinstance(decision, Proceed) and not await self.store.add(admission.entry, "1", admission.life):
            raise replayed()
        return decision
