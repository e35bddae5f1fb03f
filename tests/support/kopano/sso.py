"""Tokens that stand for a password: whether they are good, and for whom.

This is what the library in the real server asks of a token of the issuer it is set up for.
"""

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from tests.support.kopano.entry_ids import EntryId, EntryIdError

PREFIX = b"KCOIDC"
SCOPE = "kopano/gc"
ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"))

KeySet = Mapping[str, Any]


class TokenError(Exception):
    """A token is refused; the text says why, for whoever wonders in a test."""


@define(kw_only=True)
class Issuer:
    """Who signs tokens.

    Attributes:
        keys: a JWK set, or what returns one.
        identifier: the issuer's URL; empty if it does not matter.
        algorithms: what it signs with.
        now: the time, in seconds since the epoch.
        leeway: by how much clocks may differ, in seconds.
        taken_as_good: tokens whose signature and times are not looked at, for those whose issuer is gone.
    """

    keys: KeySet | Callable[[], KeySet] = field(repr=False)
    identifier: str = ""
    algorithms: frozenset[str] = ALGORITHMS
    now: Callable[[], float] = time.time
    leeway: float = 0.0
    taken_as_good: set[str] = field(factory=set, repr=False)

    def verify(self, token: str) -> EntryId:
        """Return who a token stands for.

        Raises:
            TokenError: it is no good.
        """
        claims = _claims(token) if token in self.taken_as_good else self._checked(token)
        if claims.get("kc.isAccessToken") is not True:
            raise TokenError("no access token")
        scopes = claims.get("kc.authorizedScopes")
        if not isinstance(scopes, list) or SCOPE not in scopes:
            raise TokenError("not for this server")
        identity = claims.get("kc.identity")
        who = identity.get("kc.i.id") if isinstance(identity, dict) else None
        return read_entry_id(who or claims.get("sub"))

    def _checked(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that the issuer has signed and that is good now.

        Raises:
            TokenError: it did not, or it is not.
        """
        head = _part(token, 0)
        keys = self.keys() if callable(self.keys) else self.keys
        key = next((key for key in keys.get("keys", ()) if key.get("kid") == head.get("kid")), None)
        if key is None or not head.get("kid"):
            raise TokenError("no such key")
        try:
            jws = JWS()
            jws.allowed_algs = sorted(self.algorithms)
            jws.deserialize(token, JWK(**key))
        except (JWException, ValueError, TypeError) as error:
            raise TokenError("no good signature") from error
        claims = _claims(token)
        self._check_times(claims)
        if self.identifier and claims.get("iss") != self.identifier:
            raise TokenError("another issuer")
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """Refuse what is not good yet or not good any more.

        Raises:
            TokenError: it is so.
        """
        now, end, start = self.now(), claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(end, int | float) or now >= end + self.leeway:
            raise TokenError("over")
        if not isinstance(start, int | float) or now < start - self.leeway:
            raise TokenError("not yet")


def read_entry_id(text: object) -> EntryId:
    """Read an entry id as a token or a user name has it.

    Raises:
        TokenError: it is none.
    """
    try:
        return EntryId.parse(base64.b64decode(str(text), validate=True))
    except (EntryIdError, binascii.Error, ValueError) as error:
        raise TokenError("no entry id") from error


def _claims(token: str) -> dict[str, Any]:
    """Return the claims, whoever signed them."""
    return _part(token, 1)


def _part(token: str, number: int) -> dict[str, Any]:
    """Return a part of a token.

    Raises:
        TokenError: it has no such part.
    """
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[number] + "=="))
    except (IndexError, ValueError) as error:
        raise TokenError("no token") from error
    if len(parts) != 3 or not isinstance(found, dict):
        raise TokenError("no token")
    return found
