"""What a message of a SAML identity provider has to say before it counts: the rules, over values.

What the values are read from, and whether it was signed, is known to `konnectd.authorities`. Whatever is in an
`Assertion` came out of something that was signed.

Spec: SAML 2.0 Core 2 and 3; Profiles 4.1 and 4.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import field, frozen

#: By how many seconds another clock may differ from ours.
SKEW = 60
#: How old a message may be, in seconds, besides, as Konnect has it; it comes straight from where it was made.
OLDEST = 90

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS = f"{STATUS}Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
ENCRYPTED = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
#: What an identity provider answers that was asked to show nothing and would have to.
NO_PASSIVE = f"{STATUS}NoPassive"

_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#: What is known of how somebody proved who they are. Spec: RFC 8176 2.
_AMR: Mapping[str, tuple[str, ...]] = {
    f"{_CONTEXT}Password": ("pwd",),
    f"{_CONTEXT}PasswordProtectedTransport": ("pwd",),
    f"{_CONTEXT}MobileTwoFactorContract": ("mfa",),
    f"{_CONTEXT}TimeSyncToken": ("otp",),
    "https://refeds.org/profile/mfa": ("mfa",),
    "http://schemas.microsoft.com/claims/multipleauthn": ("mfa",),
}


class SamlFault(StrEnum):
    """Why a message was refused; for the log and the operator, not for the browser."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    DOCUMENT_TYPE = "document_type"
    COMMENT = "comment"
    UNEXPECTED = "unexpected_message"
    UNSIGNED = "unsigned"
    SIGNATURE = "bad_signature"
    ALGORITHM = "forbidden_algorithm"
    CERTIFICATE = "certificate_out_of_date"
    SIGNATURE_PLACE = "signature_in_a_wrong_place"
    ASSERTIONS = "not_exactly_one_assertion"
    ENCRYPTED = "encrypted_assertion"
    REFUSED_THERE = "refused_by_identity_provider"
    NOT_PASSIVE = "needs_a_person"
    ISSUER = "wrong_issuer"
    DESTINATION = "wrong_destination"
    IN_RESPONSE_TO = "wrong_in_response_to"
    AGE = "too_old_or_ahead"
    SUBJECT = "no_usable_name_id"
    CONFIRMATION = "not_confirmed_for_us"
    CONDITIONS = "outside_its_conditions"
    AUDIENCE = "wrong_audience"
    SESSION = "session_over"
    REPLAYED = "seen_before"
    IDENTITY = "identity_attribute_missing"
    STALE = "proven_too_long_ago"


class SamlError(Exception):
    """A message is refused.

    Attributes:
        fault: why.
    """

    def __init__(self, fault: SamlFault, detail: str = "") -> None:
        """Keep why.

        Args:
            fault: why.
            detail: more for the log; nothing of the message that could be somebody's secret.
        """
        super().__init__(f"{fault.value}{f' ({detail})' if detail else ''}")
        self.fault = fault


@frozen(kw_only=True)
class NameId:
    """The name by which an identity provider knows somebody, for us or for everybody."""

    value: str = field(repr=False)
    format: str = ""
    name_qualifier: str = ""
    sp_name_qualifier: str = ""


@frozen(kw_only=True)
class Attribute:
    """Something an identity provider says of somebody."""

    name: str
    friendly_name: str = ""
    values: tuple[str, ...] = field(default=(), repr=False)


@frozen(kw_only=True)
class Confirmation:
    """To whom, and until when, the bearer of an assertion may show it; times in seconds since the epoch."""

    method: str
    recipient: str = ""
    in_response_to: str = field(default="", repr=False)
    not_before: int | None = None
    not_on_or_after: int | None = None


@frozen(kw_only=True)
class Statement:
    """That somebody signed in there; ``context`` says how."""

    session_index: str = field(default="", repr=False)
    session_not_on_or_after: int | None = None
    authn_instant: int | None = None
    context: str = ""


@frozen(kw_only=True)
class Assertion:
    """What an identity provider vouches for; times in seconds since the epoch.

    Attributes:
        audiences: for each restriction those whom it names; every restriction has to name us.
    """

    assertion_id: str = field(repr=False)
    issuer: str
    issued_at: int
    name_id: NameId | None = None
    confirmations: tuple[Confirmation, ...] = ()
    not_before: int | None = None
    not_on_or_after: int | None = None
    audiences: tuple[frozenset[str], ...] = ()
    statements: tuple[Statement, ...] = ()
    attributes: tuple[Attribute, ...] = ()


@frozen(kw_only=True)
class Response:
    """An answer to an authentication request.

    Attributes:
        signed: whether the answer itself was, and not only the assertion in it.
        statuses: the codes of its status, the outermost first.
        assertion: from what was signed; None when there is none.
    """

    signed: bool
    issuer: str
    destination: str
    in_response_to: str = field(repr=False)
    issued_at: int
    statuses: tuple[str, ...]
    assertion: Assertion | None = None


@frozen(kw_only=True)
class Expected:
    """What an answer has to fit.

    Attributes:
        issuer: entity id of the identity provider.
        audience: our own entity id.
        recipient: where answers are sent.
        request_id: of the request it answers.
    """

    issuer: str
    audience: str
    recipient: str
    request_id: str = field(repr=False)


@frozen(kw_only=True)
class SignedIn:
    """Somebody signed in there.

    Attributes:
        issuer: who says so.
        name_id: what the identity provider has to hear to know again whom we mean.
        session_index: names their session there; empty when there is none.
        session_ends_at: when the identity provider wants it over; None when it does not say.
        authn_instant: since when they are known there; None when it does not say.
        amr: how they proved it, in words of RFC 8176, as far as there are any.
        good_until: how long the assertion could be shown again, so it has to be remembered that long.
    """

    issuer: str
    name_id: NameId = field(repr=False)
    assertion_id: str = field(repr=False)
    session_index: str = field(repr=False)
    session_ends_at: int | None
    authn_instant: int | None
    amr: tuple[str, ...] = ()
    good_until: int
    attributes: tuple[Attribute, ...] = ()


def check_response(response: Response, expected: Expected, now: int) -> SignedIn:
    """Check all there is to check but the signature, and that it is shown for the first time.

    An answer that says no counts as that only where it is one to our question: it need not be signed, so that nothing
    but a refusal may come of it.

    Raises:
        SamlError: it is refused.

    Spec: SAML 2.0 Profiles 4.1.4.2 and 4.1.4.3; Core 3.2.2.
    """
    if response.issuer and response.issuer != expected.issuer:
        raise SamlError(SamlFault.ISSUER)
    if (response.signed or response.destination) and response.destination != expected.recipient:
        raise SamlError(SamlFault.DESTINATION)
    if response.in_response_to != expected.request_id:
        raise SamlError(SamlFault.IN_RESPONSE_TO)
    check_age(response.issued_at, now)
    check_status(response.statuses)
    if response.assertion is None:
        raise SamlError(SamlFault.ASSERTIONS)
    return check_assertion(response.assertion, expected, now)


def check_status(statuses: tuple[str, ...]) -> None:
    """Check that the answer is yes.

    Raises:
        SamlError: it is no.

    Spec: SAML 2.0 Core 3.2.2.2.
    """
    if not statuses or statuses[0] != SUCCESS:
        fault = SamlFault.NOT_PASSIVE if NO_PASSIVE in statuses else SamlFault.REFUSED_THERE
        raise SamlError(fault, repr(", ".join(status.removeprefix(STATUS)[:40] for status in statuses[:3])))


def check_age(issued_at: int, now: int) -> None:
    """Check that a message was made just now.

    Raises:
        SamlError: it is older than it may be, or from the future.
    """
    if not now - OLDEST - SKEW <= issued_at <= now + SKEW:
        raise SamlError(SamlFault.AGE)


def check_assertion(assertion: Assertion, expected: Expected, now: int) -> SignedIn:
    """Check an assertion that was signed.

    Raises:
        SamlError: it is refused.

    Spec: SAML 2.0 Core 2.5.1; Profiles 4.1.4.2.
    """
    if assertion.issuer != expected.issuer:
        raise SamlError(SamlFault.ISSUER)
    check_age(assertion.issued_at, now)
    name_id = assertion.name_id
    if name_id is None or not name_id.value or name_id.format in {ENTITY, ENCRYPTED}:
        raise SamlError(SamlFault.SUBJECT)
    confirmed = [ends for each in assertion.confirmations if (ends := _confirmed_until(each, expected, now))]
    if not confirmed:
        raise SamlError(SamlFault.CONFIRMATION)
    if not is_within(assertion.not_before, assertion.not_on_or_after, now):
        raise SamlError(SamlFault.CONDITIONS)
    # Profiles 4.1.4.2 demands one that names us: without it, what was made for another one would do here.
    if not assertion.audiences or any(expected.audience not in each for each in assertion.audiences):
        raise SamlError(SamlFault.AUDIENCE)
    session = _session(assertion.statements, now)
    return SignedIn(
        issuer=assertion.issuer,
        name_id=name_id,
        assertion_id=assertion.assertion_id,
        session_index=session.session_index,
        session_ends_at=session.session_not_on_or_after,
        authn_instant=session.authn_instant,
        amr=_AMR.get(session.context, ()),
        good_until=min(max(confirmed), assertion.issued_at + OLDEST) + SKEW,
        attributes=assertion.attributes,
    )


def _confirmed_until(confirmation: Confirmation, expected: Expected, now: int) -> int:
    """Return until when a confirmation counts for us; 0 when it does not.

    Spec: SAML 2.0 Profiles 4.1.4.2: all three have to be there, and the beginning must not.
    """
    fits = (
        confirmation.method == BEARER
        and confirmation.recipient == expected.recipient
        and confirmation.in_response_to == expected.request_id
        and confirmation.not_on_or_after is not None
        and is_within(confirmation.not_before, confirmation.not_on_or_after, now)
    )
    return confirmation.not_on_or_after or 0 if fits else 0


def is_within(not_before: int | None, not_on_or_after: int | None, now: int) -> bool:
    """Tell whether it is time, for clocks that differ a little."""
    begun = not_before is None or not_before <= now + SKEW
    return begun and (not_on_or_after is None or now - SKEW < not_on_or_after)


def _session(statements: Sequence[Statement], now: int) -> Statement:
    """Return what all statements say together: the first session that is named, and the earliest end.

    Raises:
        SamlError: nobody is said to have signed in there, or a session is over.

    Spec: SAML 2.0 Profiles 4.1.4.2 (at least one statement); Core 2.7.2.
    """
    if not statements:
        raise SamlError(SamlFault.SESSION, "no statement of authentication")
    ends = [end for each in statements if (end := each.session_not_on_or_after) is not None]
    if ends and min(ends) <= now - SKEW:
        raise SamlError(SamlFault.SESSION)
    return Statement(
        session_index=next((each.session_index for each in statements if each.session_index), ""),
        session_not_on_or_after=min(ends, default=None),
        authn_instant=statements[0].authn_instant,
        context=statements[0].context,
    )


def check_recent(found: SignedIn, since: object) -> None:
    """Check that somebody who had to prove it again has done so.

    Args:
        found: who it is, and since when.
        since: when they had to, in seconds since the epoch; 0 for not at all.

    Raises:
        SamlError: they have not.

    Spec: SAML 2.0 Core 3.4.1 (``ForceAuthn``); OIDC Core 3.1.2.1 (``prompt``, ``max_age``).
    """
    if not isinstance(since, int):
        raise SamlError(SamlFault.UNEXPECTED)
    if since and (found.authn_instant is None or found.authn_instant < since - SKEW):
        raise SamlError(SamlFault.STALE)


def find_identity(attributes: Iterable[Attribute], claim_name: str) -> str:
    """Return who it is: the one value of the first attribute with a name, by its friendly name or its full one.

    Raises:
        SamlError: no attribute is called so, or it has not exactly one value.
    """
    for attribute in attributes:
        fits = claim_name in {attribute.friendly_name, attribute.name} and len(attribute.values) == 1
        if fits and (value := attribute.values[0].strip()):
            return value
    raise SamlError(SamlFault.IDENTITY)
