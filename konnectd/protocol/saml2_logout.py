"""What a message about the end of a session has to say before it counts: the rules, over values.

Spec: SAML 2.0 Core 3.7; Profiles 4.4.
"""

from attrs import field, frozen

from konnectd.protocol.saml2 import SamlError, SamlFault, check_age, check_status, is_within


@frozen(kw_only=True)
class LogoutQuestion:
    """That an identity provider asks us to end a session.

    Attributes:
        signed: whether it was.
    """

    signed: bool
    request_id: str = field(repr=False)
    issuer: str
    destination: str
    issued_at: int
    not_on_or_after: int | None = None
    session_indexes: tuple[str, ...] = field(default=(), repr=False)


@frozen(kw_only=True)
class LogoutAnswer:
    """That an identity provider has ended a session, or not."""

    signed: bool
    issuer: str
    destination: str
    in_response_to: str = field(repr=False)
    issued_at: int
    statuses: tuple[str, ...]


def check_logout(message: LogoutQuestion | LogoutAnswer, *, issuer: str, address: str, now: int) -> None:
    """Check where a message about the end of a session comes from, where it goes to, and its age.

    Args:
        message: the message.
        issuer: entity id of the identity provider.
        address: where such messages are sent.
        now: seconds since the epoch.

    Raises:
        SamlError: it is refused.

    Spec: SAML 2.0 Profiles 4.4.4; Bindings 3.4.5.2.
    """
    if message.issuer != issuer:
        raise SamlError(SamlFault.ISSUER)
    if (message.signed or message.destination) and message.destination != address:
        raise SamlError(SamlFault.DESTINATION)
    check_age(message.issued_at, now)
    if isinstance(message, LogoutQuestion) and not is_within(None, message.not_on_or_after, now):
        raise SamlError(SamlFault.AGE)


def check_left(answer: LogoutAnswer, request_id: str) -> None:
    """Check that an answer is to our question, and says yes.

    Raises:
        SamlError: it is not, or says no.

    Spec: SAML 2.0 Core 3.2.2 and 3.7.2.
    """
    if not request_id or answer.in_response_to != request_id:
        raise SamlError(SamlFault.IN_RESPONSE_TO)
    check_status(answer.statuses)
