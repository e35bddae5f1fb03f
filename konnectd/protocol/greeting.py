"""What a front end of the identifier API is told about somebody who is signed in, and about the request they came with.

What it asks is in `konnectd.protocol.identifier_api`.

Spec: record 31 (what differs from Konnect).
"""

from collections.abc import Iterable
from typing import Self

from attrs import frozen

from konnectd.protocol.authorize import ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.identifier_api import Hello
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import RAW_SUBJECT, Scope, ScopeCatalog
from konnectd.protocol.vocabulary import Prompt

#: What a front end has to see of a request that came by reference; where the reference counts, these do not.
_SHOWN = ("redirect_uri", "scope", "prompt", "max_age", "state", "nonce", "id_token_hint", "login_hint", "ui_locales")


@frozen(kw_only=True)
class Waiting:
    """As much of an authorization request as a front end tells; a `konnectd.protocol.interaction.Demand`."""

    return_address: ReturnAddress
    scope: Scope
    prompt: frozenset[Prompt]
    max_age: int | None

    @classmethod
    def of(cls, hello: Hello, address: ReturnAddress) -> Self:
        """Put together what is known. Spec: OIDC Registration 2 (``default_max_age``)."""
        max_age = address.client.default_max_age if hello.max_age is None else hello.max_age
        return cls(return_address=address, scope=hello.scope, prompt=hello.prompt, max_age=max_age)

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.return_address.client

    def wanted(self, supported: Iterable[str]) -> Scope:
        """Return what can be allowed of what is asked for, as `AuthorizationRequest.wanted` does."""
        scope = self.scope.keep(supported)
        return scope if self.client.pairwise is None else scope.without(RAW_SUBJECT)


@frozen(kw_only=True)
class Greeting:
    """The answer to a `Hello` of somebody who is signed in.

    Attributes:
        asks: the request that a person has to allow; None when there is nothing to allow.
        scope: what they have to allow.
        continue_uri: where the browser goes when all is done; empty when no client waits.
    """

    state: str
    flow: str
    logon: Logon
    continue_uri: str = ""
    asks: Waiting | None = None
    scope: Scope = Scope()

    def to_json(self, catalog: ScopeCatalog) -> dict[str, object]:
        """Write it, members in the order in which Konnect has them.

        Args:
            catalog: what scopes mean to people.
        """
        flow = {"continue_uri": self.continue_uri} if self.continue_uri else {}
        name = {"displayName": self.logon.name} if self.logon.name else {}
        told: dict[str, object] = {
            "state": self.state,
            "flow": self.flow,
            "success": True,
            "username": self.logon.username,
            **name,
        }
        if self.asks is None:
            return {**told, **flow}
        client, address = self.asks.client, self.asks.return_address
        return {
            **told,
            "next": "consent",
            **flow,
            "scopes": dict.fromkeys(_in_order(catalog, self.scope), True),
            "client": {
                "id": client.client_id,
                "display_name": client.display_name,
                "redirect_uri": address.redirect_uri,
                "trusted": client.trusted,
            },
            "meta": {"scopes": _meaning(catalog, self.scope)},
        }


def _in_order(catalog: ScopeCatalog, scope: Scope) -> list[str]:
    """Return the parts of a scope in the order of the lines they stand for, the most important first."""
    lines = [key for key, _ in catalog.lines(scope)]
    return sorted(scope, key=lambda token: (lines.index(catalog.mapping.get(token, token)), token))


def _meaning(catalog: ScopeCatalog, scope: Scope) -> dict[str, object]:
    """Return what the parts of a scope mean to people, as far as anybody has said so."""
    definitions: dict[str, object] = {}
    for key, definition in catalog.lines(scope):
        if key in catalog.definitions:
            texts = {"description": definition.description.default, "id": definition.id}
            shown = {name: text for name, text in texts.items() if text}
            definitions[key] = {"priority": definition.priority, **shown}
    mapping = {token: catalog.mapping[token] for token in scope if token in catalog.mapping}
    return {"mapping": mapping, "definitions": definitions}


def shown_beside(carried: Parameters, meant: Parameters) -> Parameters:
    """Return a request as a front end gets it: with what it has to see of one that came by reference.

    Args:
        carried: the request as pages carry it along.
        meant: the request as it is meant.
    """
    there = dict(carried.items())
    values = {name: meant.text(name) for name in _SHOWN if name in meant}
    return Parameters({**{name: value for name, value in values.items() if name not in there}, **there})
