"""Bytes to ldaptor's messages, one at a time, with limits ldaptor does not have."""

from typing import Any, TypeAlias

from ldaptor.protocols import pureber, pureldap

from konnectd.backends import _ldap_ber as ber

#: Any object of ldaptor, which has no types.
Untyped: TypeAlias = Any

#: Longest message that is taken. Entries are asked for by attribute and photos never, so this is ample.
LONGEST_MESSAGE = 4 << 20

#: What reading a message that is no LDAP raises in ldaptor; its assertions are checks it relies on.
_UNREADABLE = (
    pureber.BERExceptionInsufficientData,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


class EntryMessage(pureldap.LDAPSearchResultEntry):  # type: ignore[misc] # ldaptor has no types
    """A search result entry that is read in one pass."""

    @classmethod
    def fromBER(cls, tag: int, content: bytes, berdecoder: Untyped = None) -> "EntryMessage":  # noqa: ARG003, N802 - ldaptor's
        """Read one."""
        (_, name), (_, attributes) = ber.elements(content)
        pairs = []
        for _, attribute in ber.elements(attributes):
            (_, kind), (_, values) = ber.elements(attribute)
            pairs.append((kind, [value for _, value in ber.elements(values)]))
        return cls(objectName=name, attributes=pairs, tag=tag)


class _Controls(pureldap.LDAPControls):  # type: ignore[misc] # ldaptor has no types
    """Controls, read without ldaptor, which prints what it does not know."""

    @classmethod
    def fromBER(cls, tag: int, content: bytes, berdecoder: Untyped = None) -> "_Controls":  # noqa: ARG003, N802 - ldaptor's
        """Read them."""
        return cls([_control(inside) for _, inside in ber.elements(content)], tag=tag)


def _control(content: bytes) -> Untyped:
    """Read one control.

    Spec: RFC 4511 4.1.11.
    """
    (_, kind), *rest = ber.elements(content)
    value = next((inside for tag, inside in rest if tag == pureber.BEROctetString.tag), None)
    return pureldap.LDAPControl(controlType=kind, controlValue=value)


class _AnythingDecoder(pureber.BERDecoderContext):  # type: ignore[misc] # ldaptor has no types
    """Takes an unknown element for octets; ldaptor would print a line on standard output."""

    def lookup_id(self, id: int) -> Untyped:  # noqa: A002 - the name ldaptor calls it by
        """Return the class for a tag."""
        return super().lookup_id(id) or pureber.BEROctetString


class _ResponseDecoder(pureldap.LDAPBERDecoderContext):  # type: ignore[misc] # ldaptor has no types
    """Knows LDAP's responses."""

    Identities = {**pureldap.LDAPBERDecoderContext.Identities, EntryMessage.tag: EntryMessage}  # noqa: RUF012 - ldaptor's


class _MessageDecoder(pureldap.LDAPBERDecoderContext_LDAPMessage):  # type: ignore[misc] # ldaptor has no types
    """Knows what stands in a message."""

    Identities = {  # noqa: RUF012 - ldaptor's
        **pureldap.LDAPBERDecoderContext_LDAPMessage.Identities,
        _Controls.tag: _Controls,
    }


def _decoder() -> Untyped:
    """Return what reads messages, like ldaptor's own but for the classes above."""
    inner = _ResponseDecoder(fallback=_AnythingDecoder())
    message = _MessageDecoder(fallback=inner, inherit=inner)
    return pureldap.LDAPBERDecoderContext_TopLevel(fallback=_AnythingDecoder(), inherit=message)


_DECODER = _decoder()


def take_message(received: bytearray) -> Untyped | None:
    """Remove the first message from what was received and return it; None when more bytes are needed.

    Raises:
        ValueError: what begins there is no LDAP message, or one that is too long.

    Spec: RFC 4511 4.1.1.
    """
    if received and received[0] != ber.SEQUENCE:
        raise ValueError("no LDAP message begins like this")
    try:
        _, end = ber.measure(received)
    except ber.TruncatedError:
        return None
    if end > LONGEST_MESSAGE:
        raise ValueError(f"a message of {end} bytes is too long")
    if len(received) < end:
        return None
    frame = bytes(received[:end])
    del received[:end]
    try:
        message, _ = pureber.berDecodeObject(_DECODER, frame)
    except _UNREADABLE as error:
        raise ValueError(f"a message that can not be read ({type(error).__name__})") from error
    if not isinstance(message, pureldap.LDAPMessage):
        raise ValueError("no LDAP message")  # noqa: TRY004 - it is about bytes, not about a type of ours
    return message
