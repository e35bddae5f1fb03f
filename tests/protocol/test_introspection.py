"""What servers are told about tokens, and who is told."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import client_grant
from konnectd.protocol.introspection import Shown, TokenKind, active, find_shown, may_look
from konnectd.protocol.token import Lifetimes
from tests.protocol.test_claims import ACCESS, IDENTITY, NOW, REFRESH
from tests.protocol.test_client_grant import TOKEN
from tests.support.requests import ISSUER, MAIL, NOTES, PAGE, form


def shown_of(claims: dict[str, object]) -> Shown:
    """Return a token that has been shown."""
    shown = find_shown(claims, ISSUER, NOW)
    if shown is None:
        raise AssertionError("it is nothing")
    return shown


class FindTests(SynchronousTestCase):
    """What a token is."""

    def test_kinds(self) -> None:
        """Each kind is told from the others without a hint, and everything else is nothing."""
        kinds = [shown_of(dict(claims)).kind for claims in (ACCESS, REFRESH, TOKEN)]

        self.assertEqual(kinds, [TokenKind.ACCESS, TokenKind.REFRESH, TokenKind.CLIENT])
        for nothing in (IDENTITY, {}, None, {**ACCESS, "exp": NOW}):
            self.assertIsNone(find_shown(nothing, ISSUER, NOW))


class MayLookTests(SynchronousTestCase):
    """Whose business a token is. Spec: RFC 7662 4."""

    def test_table(self) -> None:
        """Its client's, and for access tokens that of whom they are for and of who may look at all."""
        files = evolve(MAIL, client_id="files")
        access = shown_of({**ACCESS, "aud": ["files", "other"], "client_id": "notes"})
        refresh = shown_of({**REFRESH, "aud": "files", "client_id": "notes"})
        for client, token, wanted in (
            (NOTES, access, True),
            (files, access, True),
            (MAIL, access, False),
            (evolve(MAIL, introspection=True), access, True),
            (NOTES, refresh, True),
            (files, refresh, False),
            (PAGE, refresh, False),
            (evolve(MAIL, introspection=True), refresh, False),
        ):
            self.assertEqual(may_look(client, token), wanted, (client.client_id, token.kind))


class ActiveTests(SynchronousTestCase):
    """What is told."""

    def test_access_token(self) -> None:
        """Who, for whom, how much and how long; nothing of what we keep in it for ourselves."""
        told = active(shown_of(dict(ACCESS)), "alice")

        self.assertEqual(
            told,
            {
                "active": True,
                "client_id": "notes",
                "scope": "openid profile",
                "username": "alice",
                "token_type": "Bearer",
                **{name: ACCESS[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti")},
            },
        )

    def test_refresh_token(self) -> None:
        """A refresh token is no bearer token that a server takes."""
        self.assertNotIn("token_type", active(shown_of(dict(REFRESH)), "alice"))

    def test_client_token(self) -> None:
        """A token without a person has no user name; one without a scope has no scope."""
        approval = client_grant.approve(ISSUER, evolve(MAIL, grant_types=("client_credentials",)), form())
        told = active(shown_of(client_grant.access_token(approval, "j", NOW, Lifetimes())), "")

        self.assertEqual({"username", "scope"} & set(told), set())
        self.assertEqual(told["sub"], "mail")
