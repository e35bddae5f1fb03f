"""From what was said to what is shown: the steps of the flow, each with its request, its answer and its explanation.

Values come from the provider and from whoever signed in; they are plain text here, and templates escape them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from konnectd.demo import texts
from konnectd.demo.id_token import IdToken
from konnectd.demo.messages import Call, Exchange, Pairs, Reply, curl
from konnectd.demo.provider import Application, refresh_call, sign_out_pairs, with_pairs
from konnectd.demo.relying_party import SignedIn
from konnectd.demo.views import Button, Line, Sheet, Source, Step

#: Longest value that stands in a table; all of it is in the answer that is folded away.
LONGEST_VALUE = 200
_TIMES = frozenset({"exp", "iat", "nbf", "auth_time"})
#: Headers of an answer that somebody should know about.
_TELLING = ("content-type", "cache-control", "www-authenticate")
_TO_PROVIDER = "application → provider"
_BY_BROWSER = "application → browser → provider"


def steps(signed_in: SignedIn, application: Application, base: str) -> Iterator[Step]:
    """Yield all steps in order.

    Args:
        signed_in: what was said.
        application: who said it.
        base: the path of the application's pages, ending in a slash.
    """
    yield _discovery(signed_in)
    yield _authorization(signed_in)
    yield _code(signed_in)
    yield _id_token(signed_in)
    yield _userinfo(signed_in, base)
    yield _refresh(signed_in, application, base)
    yield _sign_out(signed_in, application, base)


def _discovery(signed_in: SignedIn) -> Step:
    """Show how the application got to know the provider."""
    exchange = signed_in.attempt.metadata
    members = exchange.reply.members
    known = {name: members[name] for name in texts.METADATA if name in members}
    return Step(
        id="discovery",
        title="Getting to know the provider",
        route=_TO_PROVIDER,
        words=(
            "The application was told one thing only: the address of the provider. Everything else it reads from a "
            "document that every provider has at the same place.",
        ),
        request=_request(exchange.call),
        reply=_status(exchange.reply),
        sheets=(Sheet(title="What the application needs of it", lines=_lines(known, texts.METADATA)),),
        sources=(_whole(exchange.reply),),
        command=curl(exchange.call),
    )


def _authorization(signed_in: SignedIn) -> Step:
    """Show the question the browser carried, and the answer it brought."""
    attempt = signed_in.attempt
    call = Call(uri=attempt.authorization_uri)
    return Step(
        id="authorization",
        title="The authorization request",
        route=_BY_BROWSER,
        words=(
            "The application sends the browser to the provider. The question stands in the address. The password is "
            "typed at the provider and nowhere else; the application never sees it.",
            "When the person has signed in and allowed what was asked, the provider sends the browser back, and the "
            "answer stands in the address again.",
        ),
        request=f"GET {attempt.provider.authorization}",
        asked=Sheet(title="The question", lines=_said(attempt.asked, texts.ASKED)),
        sheets=(Sheet(title="The answer", lines=_said(signed_in.answered, texts.ANSWERED)),),
        sources=(Source(title="The whole address", pieces=(attempt.authorization_uri,)),),
        command=curl(call, "--include"),
        remark="A shell has no session at the provider, so it is sent to the sign-in page: look for Location.",
    )


def _code(signed_in: SignedIn) -> Step:
    """Show how the code became tokens."""
    exchange = signed_in.redeemed
    return Step(
        id="code",
        title="Exchanging the code for tokens",
        route=_TO_PROVIDER,
        words=(
            "Now the application speaks to the provider itself, without the browser. It brings the code and the "
            "secret behind the challenge, and gets the tokens.",
        ),
        request=_request(exchange.call),
        asked=Sheet(title="What is posted", lines=_said(exchange.call.form, texts.REDEEMING)),
        reply=_status(exchange.reply),
        sheets=(
            Sheet(title="What comes back", lines=_lines(exchange.reply.members, texts.GIVEN)),
            _headers(exchange.reply),
        ),
        sources=(_whole(exchange.reply),),
        command=curl(exchange.call),
        remark="The code is spent: the provider refuses it with invalid_grant. And since somebody who brings a spent "
        "code may be a thief, it revokes all tokens that came of it: the steps below will be refused until you sign "
        "in again.",
    )


def _id_token(signed_in: SignedIn) -> Step:
    """Show what the ID token says and why it is believed."""
    token = signed_in.id_token
    return Step(
        id="id-token",
        title="Opening the ID token",
        route="inside the application",
        words=(
            "The ID token is a signed statement of the provider: this person has signed in, at this time, for this "
            "application. It has three parts with dots between them: header, claims and signature. Everybody can "
            "read it, but only the provider could have signed it.",
            "Before it believes a word, the application fetches the provider’s public keys and checks every rule.",
        ),
        request=_request(signed_in.key_set.call),
        reply=_status(signed_in.key_set.reply),
        sheets=(
            Sheet(title="The header", lines=_lines(token.header, texts.HEADER)),
            Sheet(title="The claims", lines=_claims(token.claims)),
            _checks(token),
        ),
        sources=(_token_source(token), _whole(signed_in.key_set.reply, "The provider’s public keys")),
        command=curl(signed_in.key_set.call),
    )


def _userinfo(signed_in: SignedIn, base: str) -> Step:
    """Show what the provider tells about the person."""
    exchange = signed_in.userinfo
    return Step(
        id="userinfo",
        title="Asking who it is",
        route=_TO_PROVIDER,
        words=(
            "The ID token says that somebody signed in. For more about the person, the application shows the access "
            "token at the userinfo endpoint and is told what the granted scopes allow, as it is now.",
        ),
        request=_request(exchange.call),
        asked=Sheet(
            title="What is sent along",
            lines=_said(exchange.call.headers, {"Authorization": "The access token: whoever bears it is answered."}),
        ),
        reply=_status(exchange.reply),
        refused=exchange.reply.status != 200,
        sheets=_answer_sheets(exchange, "What the provider tells", texts.CLAIMS, _claims(exchange.reply.members)),
        sources=(_whole(exchange.reply),),
        command=curl(exchange.call),
        button=Button(label="Get userinfo again", action=f"{base}userinfo"),
    )


def _refresh(signed_in: SignedIn, application: Application, base: str) -> Step:
    """Show how new tokens are had, or are to be had."""
    words = (
        "Access tokens live for minutes only, so a stolen one is soon worth nothing. When one has expired, the "
        "application exchanges the refresh token for a new one; the person is not needed for that.",
    )
    if not signed_in.tokens.refresh_token:
        return Step(
            id="refresh",
            title="Getting new tokens",
            route=_TO_PROVIDER,
            words=(*words, "This time the provider gave no refresh token: offline_access was not granted."),
        )
    done = signed_in.refreshed
    call = done.call if done is not None else None
    next_call = refresh_call(signed_in.attempt.provider, application, signed_in.tokens.refresh_token)
    return Step(
        id="refresh",
        title="Getting new tokens",
        route=_TO_PROVIDER,
        words=words if done is not None else (*words, "That has not happened yet: press the button."),
        request=_request(call or next_call),
        asked=Sheet(title="What is posted", lines=_said((call or next_call).form, texts.REFRESHING)),
        reply=_status(done.reply) if done is not None else "",
        refused=done is not None and done.reply.status != 200,
        sheets=tuple(_refreshed_sheets(signed_in)),
        sources=(_whole(done.reply),) if done is not None else (),
        command=curl(next_call),
        button=Button(label="Refresh the tokens", action=f"{base}refresh"),
    )


def _refreshed_sheets(signed_in: SignedIn) -> Iterator[Sheet]:
    """Yield what came of a refresh."""
    if signed_in.refreshed is None:
        return
    exchange, token = signed_in.refreshed, signed_in.new_id_token
    members = _lines(exchange.reply.members, texts.GIVEN)
    yield from _answer_sheets(exchange, "What comes back", texts.GIVEN, members)
    if token is not None:
        yield Sheet(title="The claims of the new ID token", lines=_claims(token.claims))
        yield _checks(token)


def _sign_out(signed_in: SignedIn, application: Application, base: str) -> Step:
    """Show what signing out is going to be."""
    provider = signed_in.attempt.provider
    id_token = signed_in.latest_id_token.text
    pairs = sign_out_pairs(application, id_token, "a-random-value")
    call = Call(uri=with_pairs(provider.end_session, pairs)) if provider.end_session else None
    return Step(
        id="sign-out",
        title="Signing out",
        route=_BY_BROWSER,
        words=(
            "There are two sessions to end: the application’s own, which it simply forgets, and the one at the "
            "provider. For that it sends the browser there once more.",
        ),
        request=f"GET {provider.end_session}" if call is not None else "",
        asked=Sheet(title="The request", lines=_said(pairs, texts.LEAVING)) if call is not None else None,
        command=curl(call, "--include") if call is not None else "",
        remark="A shell has no session at the provider, so nobody is signed out by it; it is sent back at once.",
        button=Button(label="Sign out", action=f"{base}sign-out"),
    )


def _answer_sheets(
    exchange: Exchange, title: str, known: Mapping[str, str], good: tuple[Line, ...]
) -> tuple[Sheet, ...]:
    """Return what an answer says, be it good or a refusal."""
    if exchange.reply.status == 200:
        return (Sheet(title=title, lines=good),)
    members = exchange.reply.members
    return (
        Sheet(title="The refusal", lines=_lines(members, {**known, **texts.REFUSAL})),
        _headers(exchange.reply),
    )


def _checks(token: IdToken) -> Sheet:
    """Return why a token is believed."""
    return Sheet(
        title="What the application checked",
        lines=tuple(Line(check.rule, check.found) for check in token.checks),
        ticked=True,
    )


def _claims(claims: Mapping[str, object]) -> tuple[Line, ...]:
    """Return claims, each with its meaning; moments are also written for people."""
    return tuple(
        Line(
            name=name,
            value=_shown(value) + (_moment(value) if name in _TIMES else ""),
            meaning=texts.CLAIMS.get(name, texts.OTHER_CLAIM),
        )
        for name, value in claims.items()
    )


def _moment(value: object) -> str:
    """Return a moment as people write it; nothing when it is none."""
    if not isinstance(value, int | float):
        return ""
    try:
        return datetime.fromtimestamp(value, UTC).strftime(" = %Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return ""


def _lines(members: Mapping[str, object], meanings: Mapping[str, str]) -> tuple[Line, ...]:
    """Return members, each with its meaning."""
    return tuple(Line(name, _short(_shown(value)), meanings.get(name, "")) for name, value in members.items())


def _said(pairs: Pairs, meanings: Mapping[str, str]) -> tuple[Line, ...]:
    """Return parameters, each with its meaning."""
    return tuple(Line(name, _short(value), meanings.get(name, "")) for name, value in pairs)


def _shown(value: object) -> str:
    """Return a JSON value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    """Return both ends of a text that is too long for a table; tokens of one provider all begin alike."""
    return text if len(text) <= LONGEST_VALUE else f"{text[:80]}…{text[-40:]}"


def _request(call: Call) -> str:
    """Return a request in one line."""
    return f"{call.method} {call.uri}"


def _status(reply: Reply) -> str:
    """Return a status in one line."""
    return f"{reply.status} {'OK' if reply.status == 200 else 'refused'}"


def _headers(reply: Reply) -> Sheet:
    """Return the headers of an answer that matter."""
    meanings = {
        "content-type": "The answer is a JSON document.",
        "cache-control": "Nobody on the way may keep a copy of it.",
        "www-authenticate": "How the provider wants to be asked, and what is wrong with the token.",
    }
    found: Iterable[tuple[str, str]] = reply.headers
    return Sheet(
        title="Headers that matter",
        lines=tuple(Line(name, _short(value), meanings[name]) for name, value in found if name in _TELLING),
    )


def _whole(reply: Reply, title: str = "The whole answer") -> Source:
    """Return an answer word by word, with line breaks where JSON allows them."""
    try:
        text = json.dumps(json.loads(reply.text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = reply.text
    return Source(title=title, pieces=(text,))


def _token_source(token: IdToken) -> Source:
    """Return a token word by word, in its three parts."""
    header, claims, signature = token.text.split(".")
    return Source(title="The token as it came", pieces=(f"{header}.", f"{claims}.", signature))
