"""Remembering what was agreed to, from one request to the next, and what that costs."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToClient, ToConsent, ToSignIn
from konnectd.flows.browser import Browser
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import ended_session_key
from tests.support.fakes import memory_store, run
from tests.support.people import ALICE, BOB
from tests.support.provider import CONSENT_LIFE, Provider, after, told
from tests.support.requests import CALLBACK, MAIL, NOTES, request_of

OTHER = Client(client_id="other", secret="other-secret", redirect_uris=(CALLBACK,))


class CountingStore:
    """A store that notes the kinds of what it is asked for; `silent` makes it unreachable for one kind."""

    def __init__(self, store: Store) -> None:
        """Stand before a store."""
        self.store = store
        self.asked: list[str] = []
        self.silent = ""

    def _note(self, method: str, key: str) -> None:
        """Note a question."""
        self._note_each(method, (key,))

    def _note_each(self, method: str, keys: tuple[str, ...]) -> None:
        """Note one question about several entries."""
        kinds = [key.partition(":")[0] for key in keys]
        self.asked.append(f"{method} {'+'.join(kinds)}")
        if self.silent in kinds:
            raise BackendUnavailableError("the store is silent")

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        self._note("put", key)
        await self.store.put(key, value, ttl)

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one."""
        self._note("add", key)
        return await self.store.add(key, value, ttl)

    async def get(self, key: str) -> str | None:
        """Return a value."""
        self._note("get", key)
        return await self.store.get(key)

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values; one question."""
        self._note_each("get_each", keys)
        return await self.store.get_each(*keys)

    async def take(self, key: str) -> str | None:
        """Return a value and forget it."""
        self._note("take", key)
        return await self.store.take(key)

    async def increment(self, key: str, ttl: int) -> int:
        """Count."""
        self._note("increment", key)
        return await self.store.increment(key, ttl)

    async def close(self) -> None:
        """Let go."""
        await self.store.close()


class MemoryCase(SynchronousTestCase):
    """Alice, signed in, and applications that need her consent."""

    def setUp(self) -> None:
        """Sign Alice in."""
        self.store = CountingStore(memory_store())
        self.provider = Provider(NOTES, MAIL, OTHER, store=self.store)
        self.store.store = memory_store(self.provider.clock)
        self.browser = self.provider.browser_of(ALICE)

    def agree(self, scope: str = "openid profile", chosen: str | None = None, **changes: str | None) -> dict[str, str]:
        """Let Alice agree to a request of Notes, as a whole or to some of it, and return what Notes is told."""
        logon = self.provider.sign_in.find(self.browser)
        self.assertIsNotNone(logon)
        some = Scope.parse(chosen) if chosen is not None else None
        request: Any = request_of(scope=scope, **changes)
        state, keep = self.provider.decisions.record(request, logon, allow=True, chosen=some)  # type: ignore[arg-type]
        return told(self.provider.ask(after(self.browser, (keep,)), konnect=state, scope=scope, **changes))

    def due(self, browser: Browser | None = None, /, **changes: str | None) -> str:
        """Return what a request of Notes comes to: a page, a code or an error."""
        answer = self.provider.ask(browser or self.browser, **{"scope": "openid profile", **changes})
        if isinstance(answer, ToClient):
            return told(answer).get("error", "code")
        return {ToConsent: "consent", ToSignIn: "sign-in"}.get(type(answer), "")


class MemoryTests(MemoryCase):
    """What is remembered."""

    def test_asked_once(self) -> None:
        """After the first time nobody is asked, and silent renewal works."""
        before = self.due(), self.due(prompt="none")
        self.agree()

        self.assertEqual(before, ("consent", "consent_required"))
        self.assertEqual([self.due(prompt=prompt) for prompt in (None, "none", "consent")], ["code", "code", "consent"])

    def test_everybody_for_themselves(self) -> None:
        """What Alice allowed to Notes says nothing of Bob, nor of another application."""
        self.agree()

        self.assertEqual(self.due(self.provider.browser_of(BOB)), "consent")
        self.assertEqual(self.due(client_id="other"), "consent")

    def test_more_is_asked_about(self) -> None:
        """Whatever is new is asked about; afterwards both are known."""
        self.agree("openid profile")
        self.assertEqual(self.due(scope="openid profile groups"), "consent")
        self.assertEqual(self.due(scope="openid offline_access", prompt="none"), "consent_required")
        self.agree("openid groups")

        self.assertEqual(self.due(scope="openid profile groups", prompt="none"), "code")

    def test_some_of_it(self) -> None:
        """What was left out is not granted now, nor later in silence."""
        scope = "openid profile groups"
        codes = [
            self.agree(scope, "openid profile")["code"],
            told(self.provider.ask(self.browser, scope=scope))["code"],
        ]

        self.assertEqual([str(self.provider.redeem(code, NOTES).scope) for code in codes], ["openid profile"] * 2)

    def test_a_no_is_not_remembered(self) -> None:
        """Who refuses once is asked the next time, and keeps what they allowed before."""
        self.agree("openid")
        logon = self.provider.sign_in.find(self.browser)
        request = request_of(scope="openid profile")
        state, keep = self.provider.decisions.record(request, logon, allow=False)  # type: ignore[arg-type]
        told(self.provider.ask(after(self.browser, (keep,)), konnect=state, scope="openid profile"))

        self.assertEqual((self.due(), self.due(scope="openid")), ("consent", "code"))

    def test_trusted_client(self) -> None:
        """What a trusted client asked about on purpose holds for that request; nobody would have been asked else."""
        logon = self.provider.sign_in.find(self.browser)
        request = request_of(MAIL, prompt="consent")
        state, keep = self.provider.decisions.record(request, logon, allow=True)  # type: ignore[arg-type]
        browser = after(self.browser, (keep,))
        self.assertIn("code", told(self.provider.ask(browser, konnect=state, client_id="mail", prompt="consent")))

        self.assertEqual(run(self.provider.permits.all(logon.sub if logon else "")), ())

    def test_not_for_ever(self) -> None:
        """After the time the operator says people are asked again."""
        self.agree()
        self.provider.clock.advance(CONSENT_LIFE)

        self.assertEqual(self.due(self.provider.browser_of(ALICE)), "consent")

    def test_taken_back(self) -> None:
        """What was taken back is asked about again, and no refresh token of it is good any more."""
        code = self.agree("openid offline_access")["code"]
        token = self.provider.redeem(code, NOTES).refresh_token
        logon = self.provider.sign_in.find(self.browser)
        run(self.provider.permits.forget(logon.sub if logon else "", "notes"))

        self.assertEqual(self.due(scope="openid"), "consent")
        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(token, NOTES)
        self.assertEqual(str(caught.exception.code), "invalid_grant")

    def test_ended_elsewhere(self) -> None:
        """A session that was ended from another browser counts no more, and the browser forgets it."""
        self.agree()
        run(self.store.put(ended_session_key("session-1"), "1", 60))
        answer = self.provider.ask(self.browser, scope="openid profile")

        self.assertEqual((self.due(), self.due(prompt="none")), ("sign-in", "login_required"))
        self.assertIn("KKT", {change.name for change in getattr(answer, "cookies", ())})


class CostTests(MemoryCase):
    """What is asked of the store on the way to a code."""

    def asked(self, **changes: str | None) -> list[str]:
        """Return what a request costs."""
        self.store.asked.clear()
        self.due(**changes)
        return sorted(self.store.asked)

    def test_trusted_client(self) -> None:
        """A trusted client costs no look for an answer: what may have been ended or taken back, and the code."""
        self.assertEqual(self.asked(client_id="mail"), ["get_each ended+withdrawal", "put code"])

    def test_other_client(self) -> None:
        """Another client costs one look more."""
        self.agree()

        self.assertEqual(self.asked(), ["get permit", "get_each ended+withdrawal", "put code"])

    def test_nobody(self) -> None:
        """Where nobody is signed in nothing is asked."""
        self.browser = Browser()

        self.assertEqual(self.asked(), [])

    def test_where_memory_does_not_count(self) -> None:
        """Who wants the person to be asked needs no memory."""
        self.assertEqual(self.asked(prompt="consent"), ["get_each ended+withdrawal"])

    def test_silent_store(self) -> None:
        """Without an answer of the store nobody is let through, and a frame is told so."""
        self.agree()
        for kind in ("permit", "ended", "withdrawal"):
            self.store.silent = kind
            with self.subTest(kind):
                self.assertEqual(self.due(prompt="none"), "temporarily_unavailable")
                with self.assertRaises(BackendUnavailableError):
                    self.due()

    def test_redeeming(self) -> None:
        """A code costs three: what it stands for, what may have been taken back since, and that it is spent."""
        code = self.agree()["code"]
        self.store.asked.clear()
        self.provider.redeem(code, NOTES)

        self.assertEqual(self.store.asked, ["get code", "get_each revoked+ended+withdrawal", "take code"])

    def test_refreshing(self) -> None:
        """A refresh costs three: whether the token may still be used, that it is spent, and what follows it."""
        token = self.provider.redeem(self.agree("openid offline_access")["code"], NOTES).refresh_token
        self.store.asked.clear()
        self.provider.refresh(token, NOTES)

        self.assertEqual(self.store.asked[0], "get_each revoked+ended+withdrawal+family")
        self.assertEqual([question.partition(" ")[0] for question in self.store.asked], ["get_each", "add", "put"])

    def test_no_token_that_nobody_can_revoke(self) -> None:
        """A refresh token is not given out when it can not be noted."""
        for kind in ("grants", "listed"):
            self.store.silent = ""
            code = self.agree("openid offline_access")["code"]
            self.store.silent = kind
            with self.subTest(kind), self.assertRaises(BackendUnavailableError):
                self.provider.redeem(code, NOTES)
