"""The demo application as a client of OpenID Connect: the order in which it does things, and what it remembers.

It runs in the provider's process and still treats it as a stranger: all it knows comes over HTTP, and nothing is
believed unchecked. It knows neither cookies nor pages; those are in `konnectd.demo.routes`.
"""

import hmac
from collections.abc import Mapping
from typing import Self

from attrs import evolve, field, frozen

from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.fetch import Fetch
from konnectd.demo.id_token import Expected, IdToken, believe
from konnectd.demo.messages import Call, Exchange, Pairs
from konnectd.demo.provider import (
    Application,
    Provider,
    Ticket,
    authorization_pairs,
    code_call,
    refresh_call,
    userinfo_call,
    with_pairs,
)
from konnectd.demo.shelf import Shelf
from konnectd.interfaces import Clock, Entropy
from konnectd.jose.foreign import ForeignTokenError, verify_foreign
from konnectd.protocol.parameters import Parameters

#: How many sign-ins can be under way, and for how many seconds each.
MOST_ATTEMPTS = 500
ATTEMPT_TTL = 900


@frozen(kw_only=True)
class Attempt:
    """A sign-in that is under way.

    Attributes:
        browser: what only the browser that began it can show.
        metadata: how the provider introduced itself.
        asked: the parameters of the authorization request.
    """

    browser: str = field(repr=False)
    ticket: Ticket
    provider: Provider
    metadata: Exchange
    asked: Pairs = field(repr=False)

    @property
    def authorization_uri(self) -> str:
        """Where the browser is sent."""
        return with_pairs(self.provider.authorization, self.asked)


@frozen(kw_only=True)
class Tokens:
    """What the provider gave for a code.

    Attributes:
        refresh_token: empty if it gave none.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> Self:
        """Read a token response.

        Raises:
            SignInError: it has no usable tokens.

        Spec: OIDC Core 3.1.3.3; RFC 6749 5.1.
        """
        match members:
            case {"access_token": str(access_token), "token_type": str(kind)} if kind.lower() == "bearer":
                id_token, refresh_token = members.get("id_token"), members.get("refresh_token")
            case _:
                raise SignInError(Trouble.NONSENSE, "the token response has no bearer token")
        if not access_token.isascii() or not access_token.isprintable():
            raise SignInError(Trouble.NONSENSE, "the access token can not stand in a header")
        return cls(
            access_token=access_token,
            id_token=id_token if isinstance(id_token, str) else "",
            refresh_token=refresh_token if isinstance(refresh_token, str) else "",
        )


@frozen(kw_only=True)
class SignedIn:
    """Somebody who signed in, with everything that was said on the way.

    Attributes:
        answered: the parameters with which the browser came back.
        redeemed: the exchange of the code.
        tokens: the newest ones.
        key_set: the provider's keys as they were fetched.
        id_token: the first one.
        userinfo: the newest answer of the userinfo endpoint, which may be a refusal.
        refreshed: the newest exchange of the refresh token, which may be a refusal; None before the first.
        new_id_token: the one that came with it, if one did.
    """

    attempt: Attempt
    answered: Pairs = field(repr=False)
    redeemed: Exchange
    tokens: Tokens
    key_set: Exchange
    id_token: IdToken
    userinfo: Exchange
    refreshed: Exchange | None = None
    new_id_token: IdToken | None = None

    @property
    def latest_id_token(self) -> IdToken:
        """The newest ID token there is."""
        return self.new_id_token or self.id_token


class RelyingParty:
    """Signs people in with the help of a provider."""

    def __init__(
        self,
        application: Application,
        *,
        issuer: str,
        metadata_uri: str,
        fetch: Fetch,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Keep what it works with.

        Args:
            application: what it is registered as.
            issuer: the provider.
            metadata_uri: where that publishes its metadata.
            fetch: makes requests.
            clock: the time of day.
            entropy: chance.
        """
        self.application = application
        self.issuer = issuer
        self._metadata_uri = metadata_uri
        self._fetch = fetch
        self._clock = clock
        self._entropy = entropy
        self._attempts: Shelf[Attempt] = Shelf(clock, most=MOST_ATTEMPTS, ttl=ATTEMPT_TTL)

    async def begin(self, browser: str) -> Attempt:
        """Begin a sign-in.

        Args:
            browser: what only this browser can show again.

        Raises:
            SignInError: the provider does not answer, or not properly.
        """
        metadata = await self._fetch(Call(uri=self._metadata_uri))
        provider = Provider.parse(metadata, self.issuer)
        ticket = Ticket(state=self._entropy.token(), nonce=self._entropy.token(), code_verifier=self._entropy.token(48))
        asked = authorization_pairs(provider, self.application, ticket)
        attempt = Attempt(browser=browser, ticket=ticket, provider=provider, metadata=metadata, asked=asked)
        self._attempts.put(ticket.state, attempt)
        return attempt

    async def finish(self, answer: Parameters, browser: str) -> SignedIn:
        """Bring a sign-in to its end when the browser comes back.

        Args:
            answer: the parameters it came back with.
            browser: what only this browser can show.

        Raises:
            SignInError: the answer is not one to this browser's request, or the sign-in failed.

        Spec: RFC 6749 10.12 (``state``); RFC 9207 2.4 (``iss``, checked before anything else is believed).
        """
        attempt = self._attempts.take(answer.text("state"))
        if attempt is None or not hmac.compare_digest(attempt.browser, browser):
            raise SignInError(Trouble.UNKNOWN_ANSWER)
        if answer.text("iss") != attempt.provider.issuer and (attempt.provider.names_itself or "iss" in answer):
            raise SignInError(Trouble.UNKNOWN_ANSWER, "the answer is not from the provider that was asked")
        if "error" in answer:
            raise SignInError(Trouble.REFUSED, answer.text("error_description"), answer.text("error"))
        if "code" not in answer:
            raise SignInError(Trouble.NONSENSE, "the provider sent neither a code nor an error")
        return await self._redeem(attempt, answer)

    async def _redeem(self, attempt: Attempt, answer: Parameters) -> SignedIn:
        """Exchange the code, check what comes for it, and ask who it is."""
        call = code_call(attempt.provider, self.application, attempt.ticket, answer.text("code"))
        redeemed = await self._fetch(call)
        if redeemed.reply.status != 200:
            raise refusal_of(redeemed)
        tokens = Tokens.parse(redeemed.reply.members)
        key_set = await self._fetch(Call(uri=attempt.provider.jwks))
        id_token = self._believe(attempt, tokens, key_set)
        return SignedIn(
            attempt=attempt,
            answered=tuple(answer.items()),
            redeemed=redeemed,
            tokens=tokens,
            key_set=key_set,
            id_token=id_token,
            userinfo=await self._userinfo(attempt.provider, tokens, id_token.sub),
        )

    async def ask_userinfo(self, signed_in: SignedIn) -> SignedIn:
        """Ask again what the provider tells about the person.

        Raises:
            SignInError: the provider does not answer, or tells about somebody else.
        """
        provider, sub = signed_in.attempt.provider, signed_in.id_token.sub
        return evolve(signed_in, userinfo=await self._userinfo(provider, signed_in.tokens, sub))

    async def refresh(self, signed_in: SignedIn) -> SignedIn:
        """Exchange the refresh token for new tokens; a refusal is kept to be shown.

        Raises:
            SignInError: the provider does not answer, or gives tokens that can not be believed.

        Spec: OIDC Core 12.
        """
        attempt, old = signed_in.attempt, signed_in.tokens
        exchange = await self._fetch(refresh_call(attempt.provider, self.application, old.refresh_token))
        if exchange.reply.status != 200:
            return evolve(signed_in, refreshed=exchange)
        tokens = Tokens.parse(exchange.reply.members)
        tokens = evolve(tokens, refresh_token=tokens.refresh_token or old.refresh_token)
        new = signed_in.new_id_token
        key_set = signed_in.key_set
        if tokens.id_token:
            key_set = await self._fetch(Call(uri=attempt.provider.jwks))
            new = self._believe(attempt, tokens, key_set, sub=signed_in.id_token.sub)
        return evolve(signed_in, refreshed=exchange, tokens=tokens, key_set=key_set, new_id_token=new)

    def _believe(self, attempt: Attempt, tokens: Tokens, key_set: Exchange, sub: str = "") -> IdToken:
        """Check an ID token.

        Args:
            attempt: the sign-in it belongs to.
            tokens: it and what came with it.
            key_set: of the provider.
            sub: who it must be about when that is known already, as it is when tokens are refreshed.
        """
        try:
            token = verify_foreign(tokens.id_token, key_set.reply.members, attempt.provider.algorithms)
        except ForeignTokenError as error:
            raise SignInError(Trouble.NOT_BELIEVED, str(error)) from error
        expected = Expected(
            issuer=self.issuer,
            client_id=self.application.client_id,
            nonce=attempt.ticket.nonce,
            access_token=tokens.access_token,
            now=self._clock.now(),
            refreshed=bool(sub),
            sub=sub,
        )
        return believe(tokens.id_token, token, expected)

    async def _userinfo(self, provider: Provider, tokens: Tokens, sub: str) -> Exchange:
        """Ask what the provider tells about the person.

        Raises:
            SignInError: it does not answer, or tells about somebody else.

        Spec: OIDC Core 5.3.2 (``sub`` must be that of the ID token).
        """
        exchange = await self._fetch(userinfo_call(provider, tokens.access_token))
        if exchange.reply.status == 200 and exchange.reply.members.get("sub") != sub:
            raise SignInError(Trouble.NONSENSE, "the userinfo response is about somebody else than the ID token")
        return exchange


def refusal_of(exchange: Exchange) -> SignInError:
    """Return what a refused request looks like to the person who waits for it. Spec: RFC 6749 5.2."""
    code, description = exchange.reply.members.get("error"), exchange.reply.members.get("error_description")
    return SignInError(
        Trouble.REFUSED,
        description if isinstance(description, str) else f"{exchange.call.uri} answered {exchange.reply.status}",
        code if isinstance(code, str) else "",
    )
