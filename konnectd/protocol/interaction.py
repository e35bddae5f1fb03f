"""What a person still has to do before a request can be answered.

The browser comes back to the authorization endpoint after each page, and `decide` is asked again with what is known by
then; no page sends the browser to another page. What has happened in the meantime is told by three sealed values: the
`Logon` (who), the `Progress` (since when this request is under way) and the `Consent` (what was allowed).
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol, Self, TypeAlias

from attrs import evolve, frozen

from konnectd.base64url import b64url
from konnectd.jsontext import write
from konnectd.protocol import authentication_context
from konnectd.protocol.account import Remembered
from konnectd.protocol.authorize import AuthorizationRequest, ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.progress import Progress
from konnectd.protocol.scope import OPENID, Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: How long a decision on the consent page counts, in seconds: the browser comes back at once.
CONSENT_TTL = 60


class Demand(Protocol):
    """What is asked of a person: by an authorization request, or by as much of one as a front end tells."""

    @property
    def client(self) -> Client:
        """Who asks."""

    @property
    def return_address(self) -> ReturnAddress:
        """Where the answer goes."""

    @property
    def prompt(self) -> frozenset[Prompt]:
        """What they are to be asked for."""

    @property
    def max_age(self) -> int | None:
        """Seconds since they last proved who they are; None for any."""


@frozen(kw_only=True)
class Consent:
    """What a person answered on the consent page.

    Attributes:
        consent_id: random, so that it counts once.
        sub: who answered.
        fingerprint: of the request they were asked about.
        allow: whether they agreed at all.
        scope: what they agreed to.
    """

    consent_id: str
    sub: str
    fingerprint: str
    allow: bool
    scope: Scope = Scope()

    def to_json(self) -> dict[str, object]:
        """Write it for sealing."""
        return {
            "v": 1,
            "jti": self.consent_id,
            "sub": self.sub,
            "f": self.fingerprint,
            "allow": self.allow,
            "scope": str(self.scope),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self | None:
        """Read what `to_json` wrote."""
        match value:
            case {
                "v": 1,
                "jti": str(consent_id),
                "sub": str(sub),
                "f": str(print_),
                "allow": bool(allow),
                "scope": str(scope),
            }:
                return cls(
                    consent_id=consent_id, sub=sub, fingerprint=print_, allow=allow, scope=Scope.of(scope.split())
                )
        return None

    def answers(self, request: AuthorizationRequest, logon: Logon) -> bool:
        """Tell whether this is this person's answer to this request."""
        return self.fingerprint == request.fingerprint and self.sub == logon.sub

    def bound_to(self, request: AuthorizationRequest) -> "Consent":
        """Return the answer as one to a request, when it was given by a front end that knows no more of it than this.

        Such an answer is about the client, the address and the values that no other request of the client has. It says
        which scopes were allowed, so a request that asks for more gets no more.
        """
        address = request.return_address
        binding = consent_binding(request.client.client_id, address.redirect_uri, address.state, request.nonce)
        return evolve(self, fingerprint=request.fingerprint) if self.fingerprint == binding else self


def consent_binding(client_id: str, redirect_uri: str, state: str, nonce: str) -> str:
    """Return what stands for the fingerprint of a request in an answer of a front end, which does not know that."""
    text = write([client_id, redirect_uri, state, nonce])
    return f"api-{blake2b(text, digest_size=32).hexdigest()}"


def consent_cookie(consent_state: str, client_id: str, redirect_uri: str, state: str, nonce: str) -> str:
    """Return the name, without prefix, of the cookie that carries a decision about one request."""
    text = f"{consent_state}h{client_id}e{redirect_uri}l{state}o{nonce}"
    return "KKTC-" + b64url(blake2b(text.encode(), digest_size=32).digest())


@frozen
class AskForLogon:
    """Somebody has to prove who they are."""


@frozen
class AskForAccount:
    """The person has to say who they go on as.

    Attributes:
        logon: who they are now; None when others are signed in beside, and nobody is the current one.
    """

    logon: Logon | None = None


@frozen
class AskForConsent:
    """The person has to say whether the client may see what it asks for."""

    logon: Logon
    scope: Scope


@frozen
class Refuse:
    """The client gets an error."""

    error: OAuthError


@frozen
class Proceed:
    """The client gets what it asked for, or as much of it as is allowed."""

    logon: Logon
    scope: Scope


Decision: TypeAlias = AskForLogon | AskForAccount | AskForConsent | Refuse | Proceed


@frozen(kw_only=True)
class Knowledge:
    """What is known when a decision is made.

    Attributes:
        logon: who the browser's person is; None for nobody.
        progress: None when the request has just begun.
        consent: the answer to the consent page that came with this very call.
        hint: ``sub`` of a verified ``id_token_hint``, public or raw; empty for none.
        remembered: what the person answered the client before; None for nothing, or where it does not matter.
        returned: a front end has said that it is done with the person: they have chosen an account, if they had to.
        supported: every scope that can be granted here.
        others: whether somebody else has a logon in the browser, too.
        elsewhere: people sign in at a page that is not ours, where nobody can be sent a second time for one request:
            it has sent them back, and would do so for ever.
    """

    logon: Logon | None
    progress: Progress | None = None
    consent: Consent | None = None
    hint: str = ""
    remembered: Remembered | None = None
    returned: bool = False
    supported: frozenset[str] = frozenset({OPENID})
    others: bool = False
    elsewhere: bool = False


def meant(
    request: AuthorizationRequest, progress: Progress | None, hint: str, current: Logon | None, beside: Sequence[Logon]
) -> Logon | None:
    """Return which of the logons of a browser a request is about: the one it names, else the current one.

    Who has just signed in for it, or was just chosen for it, has the last word. A ``login_hint`` proves nothing, so it
    only ever picks somebody who is signed in here under exactly that name.

    Args:
        progress: None when the request has just begun.
        hint: ``sub`` of a verified ``id_token_hint``; empty for none.
        current: who counts when nobody is named; None for nobody.
        beside: who is signed in as well.

    Spec: OIDC Core 3.1.2.1 (``id_token_hint``, ``login_hint``) and 5.5.1 (``sub``).
    """
    if current is not None and progress is not None and progress.settles(current):
        return current
    everyone = [logon for logon in (current, *beside) if logon is not None]
    if _names_somebody(request, hint):
        wanted = (logon for logon in everyone if _is_expected(request, hint, logon))
    else:
        wanted = (logon for logon in everyone if request.login_hint in {logon.username, logon.sub})
    return next(wanted, current)


def decide(request: AuthorizationRequest, known: Knowledge, now: int) -> Decision:
    """Say what has to happen next. Never raises.

    Spec: OIDC Core 3.1.2.1 (``prompt``, ``max_age``, ``id_token_hint``), 3.1.2.3, 3.1.2.4 and 3.1.2.6.
    """
    decision = _ask(request, known, now)
    if known.returned and known.logon is not None and isinstance(decision, AskForLogon):
        # The front end has seen this person and found them good enough: asked again, it would for ever.
        return Refuse(OAuthError(ErrorCode.LOGIN_REQUIRED, "who is signed in does not fit the request"))
    if known.elsewhere and known.progress is not None and isinstance(decision, AskForLogon):
        return Refuse(
            OAuthError(ErrorCode.LOGIN_REQUIRED, "the sign-in page has not signed in anybody who fits the request")
        )
    if Prompt.NONE not in request.prompt:
        return decision
    match decision:
        case AskForLogon():
            return Refuse(OAuthError(ErrorCode.LOGIN_REQUIRED, "nobody is signed in who fits the request"))
        case AskForConsent():
            return Refuse(OAuthError(ErrorCode.CONSENT_REQUIRED, "the person has to be asked for consent"))
        case AskForAccount():
            return Refuse(
                OAuthError(
                    ErrorCode.ACCOUNT_SELECTION_REQUIRED,
                    "several people are signed in and none of them is the current one",
                )
            )
        case _:
            return decision


def _ask(request: AuthorizationRequest, known: Knowledge, now: int) -> Decision:
    """Decide as if pages were allowed."""
    logon = known.logon
    if not _has_context(request, authentication_context.SUPPORTED):
        return Refuse(OAuthError(ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, "no sign-in here has the acr asked for"))
    if logon is None:
        choose = known.others and Prompt.LOGIN not in request.prompt and not _names_somebody(request, known.hint)
        return AskForAccount() if choose else AskForLogon()
    fresh = known.progress is not None and known.progress.covers(logon)
    if not _is_expected(request, known.hint, logon):
        if fresh:
            return Refuse(OAuthError(ErrorCode.LOGIN_REQUIRED, "somebody else has signed in than the request says"))
        return AskForLogon()
    if not _has_context(request, (authentication_context.context_of(logon.amr),)):
        unmet = OAuthError(ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, "this sign-in does not have the acr asked for")
        return Refuse(unmet) if fresh else AskForLogon()
    if not fresh and must_prove_again(request, logon, now):
        return AskForLogon()
    chosen = known.returned or (known.progress is not None and known.progress.settles(logon))
    if Prompt.SELECT_ACCOUNT in request.prompt and not chosen:
        return AskForAccount(logon)
    return _ask_for_consent(request, known, logon)


def _has_context(request: AuthorizationRequest, given: Collection[str]) -> bool:
    """Tell whether one of some values of ``acr`` is good enough for a request that says it is essential.

    Spec: OIDC Core 5.5.1.1; OIDC Unmet Authentication Requirements 2.
    """
    wanted = request.claims.contexts
    return not wanted or any(context in wanted for context in given)


def _names_somebody(request: AuthorizationRequest, hint: str) -> bool:
    """Tell whether ``id_token_hint`` or the ``claims`` parameter says whom a request is about."""
    return bool(hint) or request.claims.subjects is not None


def _is_expected(request: AuthorizationRequest, hint: str, logon: Logon) -> bool:
    """Tell whether a person is the one whom ``id_token_hint`` or the ``claims`` parameter means, if either does.

    A client that was granted the raw subject has it in its ID tokens and sends it back.

    Spec: OIDC Core 3.1.2.1, 3.1.2.2 and 5.5.1 (``sub``).
    """
    if not _names_somebody(request, hint):
        return True
    subjects, names = request.claims.subjects, request.client.knows(logon)
    return (not hint or hint in names) and (subjects is None or not names.isdisjoint(subjects))


def must_prove_again(request: Demand, logon: Logon, now: int) -> bool:
    """Tell whether an older logon is not enough. Spec: OIDC Core 3.1.2.1."""
    if Prompt.LOGIN in request.prompt:
        return True
    return request.max_age is not None and (request.max_age == 0 or now - logon.proven_at > request.max_age)


def _ask_for_consent(request: AuthorizationRequest, known: Knowledge, logon: Logon) -> Decision:
    """Decide about scopes when it is clear who the person is."""
    wanted = request.wanted(known.supported)
    consent = known.consent
    if consent is None or not consent.answers(request, logon):
        if request.client.trusted and Prompt.CONSENT not in request.prompt:
            return Proceed(logon, wanted)
        return _from_memory(request, known, logon, wanted)
    if not consent.allow:
        return Refuse(OAuthError(ErrorCode.ACCESS_DENIED, "the person did not agree"))
    # What was agreed to can only shrink what is asked for; openid is the request itself.
    return Proceed(logon, wanted.keep({*consent.scope, OPENID}))


def _from_memory(request: AuthorizationRequest, known: Knowledge, logon: Logon, wanted: Scope) -> Decision:
    """Decide by what the person answered before, which they may have done only in part."""
    earlier = known.remembered
    if earlier is None or not earlier.settles(wanted) or not may_rely_on_memory(request):
        return AskForConsent(logon, wanted)
    return Proceed(logon, wanted.keep({*earlier.granted, OPENID}))


def may_rely_on_memory(request: Demand) -> bool:
    """Tell whether an earlier answer can count for a request.

    It has to be sure that it is the same client: a program on somebody's machine proves nothing, and any other one
    can ask in its name and wait at its address.

    Spec: OIDC Core 3.1.2.1 (``prompt``) and 3.1.2.4; RFC 6749 10.2; RFC 8252 8.6.
    """
    if request.client.trusted or Prompt.CONSENT in request.prompt:
        return False
    return not request.client.public or request.return_address.redirect_uri.startswith("https://")
