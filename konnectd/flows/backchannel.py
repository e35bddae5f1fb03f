"""Telling clients, from server to server, that one of their sessions is over.

Nobody waits for it: the person is signed out whatever clients answer, and a client that does not answer is asked again
for some minutes.

Spec: OIDC Back-Channel Logout 2.5 to 2.8.
"""

from attrs import frozen

from konnectd.interfaces import BackendUnavailableError, Background, Clock, Entropy, Fetch, FetchError, Signer, Store
from konnectd.protocol.client import Client
from konnectd.protocol.session import FAREWELL_TTL, LOGOUT_TYP, Party, logout_token, told_key

#: How long to wait before a client is asked again, in seconds, each time.
PAUSES = (2, 15, 60, 300)
#: Answers that say that the client did it. Spec: Back-Channel Logout 2.8.
_DONE = frozenset({200, 202, 204})
#: The answer of a client that understood and will not do it; asking again would not help. Spec: 2.8.
_REFUSED = 400
#: Random bytes of a ``jti``.
_TOKEN_ID_BYTES = 24

TOLD = "told"
SILENT = "silent"


@frozen
class _Task:
    """One client that has to be told."""

    client: Client
    party: Party
    entry: str


@frozen(kw_only=True)
class BackChannel:
    """Tells clients."""

    issuer: str
    signer: Signer
    clock: Clock
    entropy: Entropy
    store: Store
    fetch: Fetch
    background: Background

    def tell(self, client: Client, party: Party, farewell_id: str, number: int) -> None:
        """Begin to tell a client, and return at once.

        Args:
            client: which.
            party: its part in the session.
            farewell_id: of the sign-out.
            number: of the client on the page about that.
        """
        self._plan(0, _Task(client, party, told_key(farewell_id, number)), 0)

    def _plan(self, seconds: int, task: _Task, tries: int) -> None:
        """Ask a client after some time."""

        async def work() -> None:
            await self._try(task, tries)

        self.background.after(seconds, work)

    async def _try(self, task: _Task, tries: int) -> None:
        """Ask a client once, and plan the next time when it does not answer."""
        problem, final = await self._ask(task)
        if problem and not final and tries < len(PAUSES):
            self._plan(PAUSES[tries], task, tries + 1)
        elif problem:
            self.background.complain(task.client.short_id, problem)
        try:
            await self.store.put(task.entry, SILENT if problem else TOLD, FAREWELL_TTL)
        except BackendUnavailableError as error:
            # Only a page hangs on it, which then says that the client is being told.
            self.background.complain(task.client.short_id, f"what it answered was not kept: {error}")

    async def _ask(self, task: _Task) -> tuple[str, bool]:
        """Ask a client once; return what is wrong, empty for nothing, and whether asking again would not help."""
        claims = logout_token(task.party, self.issuer, self.entropy.token(_TOKEN_ID_BYTES), self.clock.now())
        # Signed as its ID tokens are. Spec: Back-Channel Logout 2.4.
        token = await self.signer.sign(claims, task.client.id_token_signed_response_alg or None, LOGOUT_TYP)
        try:
            status = await self.fetch.post(task.client.backchannel_logout_uri, (("logout_token", token),))
        except FetchError as error:
            return str(error), False
        if status in _DONE:
            return "", True
        return f"it answered {status}", status == _REFUSED
