"""Fetch the logo of a client and keep it for a while, so that no browser has to ask a client's server.

Who shows a page of ours must not tell a stranger who is about to sign in where. So browsers ask us, and we ask the
client's server, once for everybody. Whoever knows a client's id can make us do that, and where clients register
themselves anybody has one; hence all the limits here:

* Only the registered address of a client is asked, never one that a request names.
* What came of it is kept for an hour, a failure for a minute, and no address is asked twice in that time.
* Clients that registered themselves share a number of requests a minute, however many of them there are, and a few at
  one time, so that slow servers do not take the turns of what is needed for signing in. Those of the operator's file
  need no such limit: nobody can make them more.

Spec: OIDC Registration 2 (``logo_uri``).
"""

from collections import Counter, OrderedDict
from typing import TypeAlias

from attrs import define, field, frozen

from konnectd.interfaces import ClientRegistry, Clock, Fetch, FetchError
from konnectd.protocol.client import Client
from konnectd.protocol.client_logo import Logo, logo_address

#: How long a logo is kept, in seconds.
FRESH = 3600
#: How long nobody is asked again who had no picture for us, in seconds.
PAUSE = 60
#: How many answers are kept, and how many bytes of pictures among them.
MOST_KEPT = 256
MOST_BYTES = 4 * 1024 * 1024
#: While so many addresses are asked, none is for a client that registered itself; keys and sign-outs need turns too.
MOST_AT_ONCE = 4
#: How many requests within a minute clients that registered themselves can make us send, all of them together.
MOST_A_MINUTE = 60
_LONGEST_SHOWN = 200


@frozen
class NoLogo:
    """There is no picture to show.

    Attributes:
        why: for the operator's log.
    """

    why: str


LogoAnswer: TypeAlias = Logo | NoLogo


@frozen(kw_only=True)
class _Kept:
    """What came of asking an address.

    Attributes:
        until: seconds since the epoch at which it may be asked again.
    """

    answer: LogoAnswer
    until: int

    @property
    def size(self) -> int:
        """How many bytes of a picture there are."""
        return len(self.answer.content) if isinstance(self.answer, Logo) else 0


@define
class _Shelf:
    """What is kept, by address, within limits; what nobody has wanted for longest goes first."""

    _kept: OrderedDict[str, _Kept] = field(factory=OrderedDict)
    _bytes: int = 0

    def get(self, address: str, now: int) -> LogoAnswer | None:
        """Return what is kept of an address and still counts."""
        kept = self._kept.get(address)
        if kept is None or now >= kept.until:
            return None
        self._kept.move_to_end(address)
        return kept.answer

    def put(self, address: str, kept: _Kept) -> None:
        """Keep what came of an address."""
        self._drop(address)
        self._kept[address] = kept
        self._bytes += kept.size
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, address: str) -> None:
        """Forget an address."""
        kept = self._kept.pop(address, None)
        if kept is not None:
            self._bytes -= kept.size


@define
class _Allowance:
    """Counts what clients that registered themselves make us ask, minute by minute."""

    _minute: int = 0
    _used: int = 0

    def take(self, now: int) -> bool:
        """Take one request of this minute; false when none is left."""
        minute = now // 60
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += 1
        return self._used <= MOST_A_MINUTE


@frozen(kw_only=True)
class ClientLogos:
    """The logos of all clients."""

    clients: ClientRegistry
    fetch: Fetch
    clock: Clock
    _shelf: _Shelf = field(factory=_Shelf, repr=False, eq=False)
    _asking: Counter[str] = field(factory=Counter, repr=False, eq=False)
    _allowance: _Allowance = field(factory=_Allowance, repr=False, eq=False)

    async def find(self, client_id: str) -> LogoAnswer:
        """Return the logo of a client, or why there is none to show.

        Raises:
            BackendUnavailableError: the registry did not answer.
        """
        client = await self.clients.get(client_id)
        if client is None:
            return NoLogo("there is no such client")
        address = logo_address(client)
        if not address:
            return NoLogo("it has no logo_uri, or one that is not https")
        # While it is being asked, what is kept only says so; who comes now waits for the same answer.
        if address not in self._asking:
            now = self.clock.now()
            kept = self._shelf.get(address, now)
            if kept is not None:
                return kept
            if not self._may_ask(client, now):
                return NoLogo(f"{_shown(address)} is not asked: too many are")
        return await self._ask(address)

    def _may_ask(self, client: Client, now: int) -> bool:
        """Tell whether one more server may be asked for a client."""
        return not client.dynamic or (len(self._asking) < MOST_AT_ONCE and self._allowance.take(now))

    async def _ask(self, address: str) -> LogoAnswer:
        """Ask an address and keep what comes of it.

        Something is kept before anybody answers: a browser that leaves while we wait ends the waiting, and coming
        back must not make us ask again at once.
        """
        self._keep(address, NoLogo(f"nobody waited for {_shown(address)}"))
        self._asking[address] += 1
        try:
            answer = await self._fetched(address)
        finally:
            self._asking[address] -= 1
            if not self._asking[address]:
                del self._asking[address]
        self._keep(address, answer)
        return answer

    def _keep(self, address: str, answer: LogoAnswer) -> None:
        """Keep what came of an address from now on."""
        seconds = FRESH if isinstance(answer, Logo) else PAUSE
        self._shelf.put(address, _Kept(answer=answer, until=self.clock.now() + seconds))

    async def _fetched(self, address: str) -> LogoAnswer:
        """Return what stands at an address."""
        try:
            content = await self.fetch.get(address)
        except FetchError as error:
            return NoLogo(str(error))
        return Logo.find(content) or NoLogo(f"{_shown(address)} is no PNG, JPEG, GIF or WebP")


def _shown(address: str) -> str:
    """Return an address as it is logged: without a query, and not endless."""
    return repr(address.partition("?")[0][:_LONGEST_SHOWN])
