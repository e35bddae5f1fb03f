"""The identifier API: what a front end of somebody else's can do, by the same flows as our own pages."""

from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.browser import LOGON, Browser, CookieChange, Forget
from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession, Left
from konnectd.flows.logon import LogonForm, Outcome, PasswordLogon, SignedIn
from konnectd.flows.permits import Permits
from konnectd.flows.recognized import RecognizedLogon
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.interfaces import Refused, Verifier
from konnectd.protocol.authorize import ReturnAddress
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.greeting import Greeting, Waiting
from konnectd.protocol.hint import check_hint
from konnectd.protocol.identifier_api import (
    CONSENT_FLOW,
    MODE_COOKIE,
    MODE_PASSWORD,
    ConsentAnswer,
    Hello,
    LogonAttempt,
)
from konnectd.protocol.interaction import may_rely_on_memory, must_prove_again
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import Prompt


@frozen
class Nobody:
    """Nobody is there, nobody got in, or nobody agreed; on purpose nothing tells which of these it was.

    Attributes:
        guessing: somebody tries too many passwords; for the log.
        refused: what the backend said to a password; for those who count. None when none was tried.
        logon: who did not agree; None for nobody.
        waiting: the client that waits for an answer; empty for none.
        entered: who was signed in nevertheless, by the word of a proxy.
    """

    cookies: tuple[CookieChange, ...] = ()
    guessing: bool = False
    refused: Refused | None = field(default=None, eq=False)
    logon: Logon | None = field(default=None, repr=False, eq=False)
    waiting: str = field(default="", eq=False)
    entered: Logon | None = field(default=None, repr=False, eq=False)


@frozen
class Greeted:
    """Somebody is there.

    Attributes:
        cookies: empty unless they have just been signed in, by the word of somebody in front of us.
        entered: who that is; None for who was there before.
    """

    greeting: Greeting
    cookies: tuple[CookieChange, ...] = ()
    entered: Logon | None = field(default=None, repr=False, eq=False)


@frozen
class Entered:
    """Somebody is signed in.

    Attributes:
        greeting: the answer to the question that came along; None when none did.
        cookies: empty when they were signed in before.
        entered: who has just been signed in; None for who was there before.
        waiting: the client that waits for them; empty for none.
    """

    greeting: Greeting | None
    cookies: tuple[CookieChange, ...] = ()
    entered: Logon | None = field(default=None, repr=False, eq=False)
    waiting: str = field(default="", eq=False)


@frozen
class Done:
    """It is done.

    Attributes:
        gone: who has left.
        logon: who agreed; None for nobody.
        waiting: the client they agreed with.
        scope: to what.
    """

    cookies: tuple[CookieChange, ...] = ()
    gone: tuple[Logon, ...] = field(default=(), repr=False, eq=False)
    logon: Logon | None = field(default=None, repr=False, eq=False)
    waiting: str = field(default="", eq=False)
    scope: str = field(default="", eq=False)


HelloOutcome: TypeAlias = Greeted | Nobody
LogonOutcome: TypeAlias = Entered | Nobody
ConsentOutcome: TypeAlias = Done | Nobody


@frozen(kw_only=True)
class IdentifierApi:
    """Answers front ends.

    Attributes:
        continue_uri: the authorization endpoint.
    """

    sign_in: SignIn
    password_logon: PasswordLogon
    recognized: RecognizedLogon
    decisions: Decisions
    permits: Permits
    endsession: EndSession
    verifier: Verifier
    continue_uri: str

    async def hello(self, hello: Hello, browser: Browser) -> HelloOutcome:
        """Say who is there and what is next.

        Raises:
            OAuthError: client or redirect URI are unknown.
            BackendUnavailableError: something behind us did not answer.
        """
        if Prompt.LOGIN in hello.prompt:
            return Nobody()
        logon, cookies = await self._present(browser)
        if logon is None:
            return Nobody()
        waiting = await self._waiting(hello)
        if not self._is_enough(hello, waiting, logon) or not self._is_hinted_at(hello, waiting, logon):
            return Nobody(cookies, entered=_entered(logon, cookies))
        return Greeted(await self._greet(hello, waiting, logon), cookies, _entered(logon, cookies))

    async def logon(self, attempt: LogonAttempt, browser: Browser, agent: tuple[str, str] = ("", "")) -> LogonOutcome:
        """Sign somebody in, or let them go on as who they are. Client and address are looked at before a password is.

        Args:
            attempt: what was sent.
            browser: what it keeps.
            agent: families of browser and system, for the list of sessions.

        Raises:
            OAuthError: client or redirect URI are unknown.
            BackendUnavailableError: something behind us did not answer.
        """
        hello = attempt.hello
        waiting = await self._waiting(hello) if hello is not None else None
        if attempt.mode == MODE_PASSWORD:
            outcome = await self._enter(attempt, browser, agent)
            if not isinstance(outcome, SignedIn):
                refused = outcome if isinstance(outcome, Refused) else None
                return Nobody(guessing=refused is None, refused=refused, waiting=_client_of(waiting))
            greeting = await self._greet(hello, waiting, outcome.logon) if hello is not None else None
            return Entered(greeting, outcome.cookies, outcome.logon, _client_of(waiting))
        logon, cookies = await self._present(browser) if attempt.mode == MODE_COOKIE else (None, ())
        entered = _entered(logon, cookies)
        if logon is None or logon.username != attempt.username:
            return Nobody(cookies, entered=entered)
        if hello is not None and (Prompt.LOGIN in hello.prompt or not self._is_enough(hello, waiting, logon)):
            return Nobody(cookies, entered=entered)
        # Who was signed in before gets no cookie: going on as who one is proves nothing, so the sign-in stays as old.
        greeting = await self._greet(hello, waiting, logon) if hello is not None else None
        return Entered(greeting, cookies, entered, _client_of(waiting))

    async def logoff(self, browser: Browser) -> Done:
        """Sign somebody out and tell the clients of their session.

        Raises:
            BackendUnavailableError: store or registry did not answer; the person is still signed in.
        """
        # A script asks, and can not be sent on to an external authority.
        answer = await self.endsession(Parameters(), browser, confirmed=True, onward=False)
        gone = answer.cookies if isinstance(answer, Left) else ()
        if not gone:
            # Nobody counts here: whatever the browser holds in that place goes, and who is signed in beside stays.
            rest = SideBySide(sign_in=self.sign_in, sessions=self.endsession.sessions).without(browser)
            gone = (Forget(LOGON), *(change for change in rest if change.name != LOGON))
        return Done(gone, answer.gone if isinstance(answer, Left) else ())

    async def consent(self, answer: ConsentAnswer, browser: Browser) -> ConsentOutcome:
        """Seal what somebody answered, for the way back to the authorization endpoint.

        Raises:
            OAuthError: client or redirect URI are unknown.
            BackendUnavailableError: store or registry did not answer.
        """
        address = await self._address(answer.address)
        logon = await self.sign_in.current(browser)
        if logon is None:
            return Nobody()
        kept = (self.decisions.answer(answer, address, logon),)
        client_id = address.client.client_id
        if not answer.allow:
            return Nobody(kept, logon=logon, waiting=client_id)
        return Done(
            kept, logon=logon, waiting=client_id, scope=str(answer.scope.keep(self.decisions.pending.supported))
        )

    async def _enter(self, attempt: LogonAttempt, browser: Browser, agent: tuple[str, str]) -> Outcome:
        """Check name and password as the sign-in page does."""
        form = LogonForm(
            username=attempt.username,
            password=attempt.password,
            browser=agent[0],
            system=agent[1],
            kept=browser,
        )
        return await self.password_logon(form)

    async def _present(self, browser: Browser) -> tuple[Logon | None, tuple[CookieChange, ...]]:
        """Return whose session goes on and whom the backend still knows, as the authorization endpoint has it.

        Where that is nobody, whom a proxy has recognized is signed in; what makes it so comes with them.
        """
        logon = await self.sign_in.present(browser)
        if logon is not None or browser.recognized is None or self.sign_in.beside(browser):
            return logon, ()
        entered = await self.recognized(browser)
        return (entered.logon, entered.cookies) if entered is not None else (None, ())

    async def _address(self, parameters: Parameters) -> ReturnAddress:
        """Prove which client waits, and where.

        Raises:
            UntrustedRequestError: either is unknown.
        """
        pending, client_id = self.decisions.pending, parameters.get("client_id")
        client = await pending.clients.get(client_id) if client_id is not None else None
        return ReturnAddress.verify(client, parameters, pending.modes)

    async def _waiting(self, hello: Hello) -> Waiting | None:
        """Return what a client waits for; None when none does.

        Raises:
            UntrustedRequestError: client or redirect URI are unknown.
        """
        return Waiting.of(hello, await self._address(hello.address)) if hello.flow else None

    def _is_enough(self, hello: Hello, waiting: Waiting | None, logon: Logon) -> bool:
        """Tell whether a sign-in is young enough, whether a client waits or not."""
        now = self.sign_in.clock.now()
        if waiting is not None:
            return not must_prove_again(waiting, logon, now)
        return hello.max_age is None or 0 < hello.max_age >= now - logon.auth_time

    def _is_hinted_at(self, hello: Hello, waiting: Waiting | None, logon: Logon) -> bool:
        """Tell whether a client does not mean somebody else; what is no hint of ours says nothing here.

        Spec: OIDC Core 3.1.2.1 (``id_token_hint``).
        """
        if waiting is None or not hello.id_token_hint:
            return True
        try:
            hint = check_hint(self.verifier.verify(hello.id_token_hint), self.endsession.issuer)
        except OAuthError:
            return True
        return hint.sub in waiting.client.knows(logon)

    async def _greet(self, hello: Hello, waiting: Waiting | None, logon: Logon) -> Greeting:
        """Say what is next for somebody who is signed in."""
        if waiting is None:
            return Greeting(state=hello.state, flow="", logon=logon)
        asks = await self._must_agree(hello, waiting, logon)
        return Greeting(
            state=hello.state,
            flow=hello.flow,
            logon=logon,
            continue_uri=self.continue_uri,
            asks=waiting if asks else None,
            scope=waiting.wanted(self.decisions.pending.supported) if asks else hello.scope,
        )

    async def _must_agree(self, hello: Hello, waiting: Waiting, logon: Logon) -> bool:
        """Tell whether somebody has to be asked what a client may see.

        Whoever was sent to the consent page is always asked: the authorization endpoint has looked at the whole
        request, of which only a part is known here.
        """
        if Prompt.CONSENT in waiting.prompt:
            return True
        if waiting.client.trusted:
            return False
        if hello.flow == CONSENT_FLOW or not may_rely_on_memory(waiting):
            return True
        earlier = await self.permits.recall(logon.sub, waiting.client.client_id)
        return earlier is None or not earlier.settles(waiting.wanted(self.decisions.pending.supported))


def _entered(logon: Logon | None, cookies: tuple[CookieChange, ...]) -> Logon | None:
    """Return who has just been signed in; None for who was there before, to whom no cookie is given."""
    return logon if cookies else None


def _client_of(waiting: Waiting | None) -> str:
    """Return the id of the client that waits; empty for none."""
    return waiting.client.client_id if waiting is not None else ""
