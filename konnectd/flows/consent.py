"""Record what a person answered on the consent page, or on the account chooser."""

from attrs import evolve, frozen

from konnectd.flows.authorize import CONSENT
from konnectd.flows.browser import Keep
from konnectd.flows.pending import PendingRequests
from konnectd.interfaces import Entropy
from konnectd.protocol.authorize import AuthorizationRequest, ReturnAddress
from konnectd.protocol.end_user import Logon
from konnectd.protocol.identifier_api import ConsentAnswer
from konnectd.protocol.interaction import CONSENT_TTL, Consent, consent_binding, consent_cookie
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import Scope

#: Random bytes of the value that leads back to a decision.
STATE_BYTES = 16


@frozen(kw_only=True)
class Decisions:
    """Seals decisions for the way back to the authorization endpoint."""

    pending: PendingRequests
    entropy: Entropy

    def record(
        self, request: AuthorizationRequest, logon: Logon, *, allow: bool, chosen: Scope | None = None
    ) -> tuple[str, Keep]:
        """Seal an answer of the consent page.

        Args:
            request: what was asked.
            logon: who answered.
            allow: whether they agreed at all.
            chosen: what of it they agreed to; None for everything.

        Returns:
            the value of the parameter that leads to it, and what the browser shall keep.
        """
        wanted = self.pending.wanted(request)
        scope = (wanted if chosen is None else wanted.keep(chosen)) if allow else Scope()
        state = self.entropy.token(STATE_BYTES)
        consent = self._consent(logon, request.fingerprint, scope, allow=allow)
        return state, self._keep(consent, state, request.return_address, request.nonce)

    def answer(self, answer: ConsentAnswer, address: ReturnAddress, logon: Logon) -> Keep:
        """Seal what somebody answered a front end, which knows no more of the request than its address and its nonce.

        Args:
            answer: what they answered.
            address: where the client waits, proven.
            logon: who answered.
        """
        binding = consent_binding(address.client.client_id, address.redirect_uri, address.state, answer.nonce)
        scope = answer.scope.keep(self.pending.supported) if answer.allow else Scope()
        consent = self._consent(logon, binding, scope, allow=answer.allow)
        return self._keep(consent, answer.state, address, answer.nonce)

    def _consent(self, logon: Logon, fingerprint: str, scope: Scope, *, allow: bool) -> Consent:
        """Make an answer that counts once."""
        return Consent(
            consent_id=self.entropy.token(STATE_BYTES),
            sub=logon.sub,
            fingerprint=fingerprint,
            allow=allow,
            scope=scope,
        )

    def _keep(self, consent: Consent, state: str, address: ReturnAddress, nonce: str) -> Keep:
        """Let the browser keep an answer under the name that the request makes."""
        name = consent_cookie(state, address.client.client_id, address.redirect_uri, address.state, nonce)
        expires_at = self.pending.clock.now() + CONSENT_TTL
        return Keep(name, self.pending.sealer.seal(CONSENT, consent.to_json(), expires_at), CONSENT_TTL)

    def chosen(self, request: AuthorizationRequest, parameters: Parameters, logon: Logon) -> str:
        """Note that a person goes on as who they are; returns the value that travels with the request."""
        progress = self.pending.progress(request, parameters) or self.pending.begin(request, logon)
        return self.pending.seal(evolve(progress, account=logon.sub))
