"""Public keys as clients write them: which members of a JSON Web Key are looked at, and what each may be.

Whoever registers a key, or publishes one, chooses every member of it. What nobody here looks at is left out before
anything else sees the key: libraries have members of their own that make them do something, such as computing a new key
of any size, and a reader of keys must not be told what to do by a key.

What a key is good for is `konnectd.jose`.

Spec: RFC 7517 4 (members that are not understood are passed over), 4.1 to 4.5; RFC 7518 6; RFC 8037 2; RFC 8725 3.10.
"""

from collections.abc import Mapping

#: Kinds of public keys.
KEY_TYPES = ("RSA", "EC", "OKP")
#: Members that would make a key a private one. Spec: RFC 7518 6.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
#: Longest text in a key, in characters: the modulus of an RSA key of 8192 bit. Larger ones cost more each time they are
#: tried than anybody gains by them.
LONGEST_MEMBER = 1366
#: Longest exponent of an RSA key, in characters: 64 bit. Nearly all are 65537; one as long as the modulus makes a check
#: as slow as a signature, and a set has many keys.
LONGEST_EXPONENT = 11
#: More things than a key can be used for.
MOST_OPERATIONS = 16

_TEXTS = ("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y")
_OPERATIONS = "key_ops"


def public_members(value: object) -> Mapping[str, object] | None:
    """Return what is looked at of a JSON Web Key; None when it is none, or a member is not what it has to be."""
    if not isinstance(value, dict) or value.get("kty") not in KEY_TYPES:
        return None
    members = {name: value[name] for name in _TEXTS if value.get(name) is not None}
    if not all(_is_text(text) for text in members.values()) or len(str(members.get("e", ""))) > LONGEST_EXPONENT:
        return None
    operations = value.get(_OPERATIONS)
    if operations is None:
        return members
    if not isinstance(operations, list) or len(operations) > MOST_OPERATIONS or not all(map(_is_text, operations)):
        return None
    return {**members, _OPERATIONS: operations}


def _is_text(value: object) -> bool:
    """Tell whether a value is text that is no longer than any in a key."""
    return isinstance(value, str) and len(value) <= LONGEST_MEMBER
