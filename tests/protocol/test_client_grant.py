"""Tokens for clients themselves: who gets them, and that nobody takes them for anybody's."""

from collections.abc import Mapping

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.claims import Presented, check_access_token, find_refresh_token
from konnectd.protocol.client import Client
from konnectd.protocol.client_grant import access_token, approve, find_client_token
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.hint import check_hint
from konnectd.protocol.token import Lifetimes
from tests.support.requests import ISSUER, MAIL, PAGE, form
from tests.support.strategies import JSON

NOW = 1_700_000_000
JOB = evolve(MAIL, client_id="job", grant_types=("client_credentials",), scopes=("read", "write"))
TOKEN = access_token(approve(ISSUER, JOB, form()), "j-1", NOW, Lifetimes())


class ClientGrantTests(SynchronousTestCase):
    """What a client gets for itself."""

    def refused(self, client: Client, **values: str) -> str:
        """Return the error of a request that is refused."""
        with self.assertRaises(OAuthError) as caught:
            approve(ISSUER, client, form(**values))
        return str(caught.exception.code)

    def test_who_may(self) -> None:
        """Only a client that can prove who it is, and is registered for this. Spec: RFC 6749 4.4."""
        for client in (MAIL, evolve(PAGE, grant_types=("client_credentials",)), evolve(JOB, grant_types=())):
            self.assertEqual(self.refused(client), "unauthorized_client")

    def test_scope(self) -> None:
        """It gets what it asks for of what it is registered for, or all of it."""
        self.assertEqual(str(approve(ISSUER, JOB, form()).scope), "read write")
        self.assertEqual(str(approve(ISSUER, JOB, form(scope="write")).scope), "write")
        for scope in ("openid", "read admin", '"'):
            self.assertEqual(self.refused(JOB, scope=scope), "invalid_scope")

    def test_resource(self) -> None:
        """It may name its servers, and no others."""
        client = evolve(JOB, resources=("https://a.example",))
        approval = approve(ISSUER, client, form(resource="https://a.example"))

        self.assertEqual(access_token(approval, "j", NOW, Lifetimes())["aud"], "https://a.example")
        self.assertEqual(self.refused(client, resource="https://b.example"), "invalid_target")

    def test_what_it_says(self) -> None:
        """It has every claim that RFC 9068 demands, is about the client, and has nothing of a person's token."""
        self.assertLessEqual({"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}, set(TOKEN))
        self.assertEqual((TOKEN["sub"], TOKEN["client_id"], TOKEN["scope"]), ("job", "job", "read write"))
        self.assertNotIn("kc.isAccessToken", TOKEN)

    def test_it_is_nobodys(self) -> None:
        """Neither userinfo, nor refreshing, nor a hint takes it for a person's."""
        with self.assertRaises(OAuthError):
            check_access_token(TOKEN, ISSUER, NOW)
        with self.assertRaises(OAuthError):
            check_hint(TOKEN, ISSUER)

        self.assertIsNone(find_refresh_token(TOKEN, ISSUER, NOW))

    def test_coming_back(self) -> None:
        """What was put in comes out while it lives, and nothing else is one."""
        found = find_client_token(TOKEN, ISSUER, NOW)
        changes: tuple[Mapping[str, object], ...] = ({"exp": NOW}, {"iss": "x"}, {"kc.isClientToken": 1}, {"jti": None})

        self.assertIsInstance(found, Presented)
        self.assertEqual(found and (found.client_id, found.family, found.audience), ("job", "token:j-1", ("job",)))
        self.assertEqual([find_client_token({**TOKEN, **change}, ISSUER, NOW) for change in changes], [None] * 4)
        self.assertIsNone(find_client_token(None, ISSUER, NOW))

    def test_several_servers(self) -> None:
        """A token for several servers names them all."""
        found = find_client_token({**TOKEN, "aud": ["a", "b"]}, ISSUER, NOW)

        self.assertEqual(found and found.audience, ("a", "b"))

    @settings(deadline=None)
    @given(st.sampled_from(sorted(TOKEN)), JSON)
    def test_any_claim(self, name: str, junk: object) -> None:
        """No value of any claim is a fault: the token is believed or refused."""
        self.assertIsInstance(find_client_token({**TOKEN, name: junk}, ISSUER, NOW), Presented | None)
