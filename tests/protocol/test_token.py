"""The token request: whether a code is the client's own, and how much a refresh may give."""

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import (
    Lifetimes,
    TokenResponse,
    check_code_grant,
    narrow_scope,
)
from tests.support.people import ALICE, logon_of
from tests.support.requests import CALLBACK, NOTES, PAGE, VERIFIER, form, request_of
from tests.support.strategies import SCOPES


class LifetimesTests(SynchronousTestCase):
    """How long tokens live."""

    def test_bound(self) -> None:
        """Access tokens live no longer than a bound, if there is one, and nothing else is changed by it."""
        wanted = Lifetimes(access_token=600, id_token=3600, refresh_token=7200)
        for bound, lives in ((None, 600), (601, 600), (600, 600), (240, 240)):
            self.assertEqual(wanted.within(bound), evolve(wanted, access_token=lives), bound)


class CodeGrantTests(SynchronousTestCase):
    """Whether a code is redeemed by the one it was sent to."""

    grant = AuthorizationGrant.of(request_of(), logon_of(ALICE, 1), Scope.parse("openid"), "g-1")

    def test_good(self) -> None:
        """The client, its address and its verifier belong together."""
        check_code_grant(self.grant, NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER))
        check_code_grant(evolve(self.grant, code_challenge=""), NOTES, form(redirect_uri=CALLBACK))

    def test_refused(self) -> None:
        """Each of the three is checked."""
        cases = (
            (PAGE, form(redirect_uri=CALLBACK, code_verifier=VERIFIER)),
            (NOTES, form(code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=CALLBACK + "/", code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=NOTES.redirect_uris[1], code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=CALLBACK)),
            (NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER[::-1])),
        )
        for client, parameters in cases:
            with self.assertRaises(OAuthError, msg=str(list(parameters.items()))) as caught:
                check_code_grant(self.grant, client, parameters)

            self.assertEqual(caught.exception.code, "invalid_grant")

    def test_verifier_out_of_nowhere(self) -> None:
        """A verifier for a code that was asked for without a challenge tells of a request that was tampered with."""
        with self.assertRaises(OAuthError) as caught:
            check_code_grant(
                evolve(self.grant, code_challenge=""), NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER)
            )

        self.assertEqual(caught.exception.code, "invalid_grant")


class NarrowScopeTests(SynchronousTestCase):
    """How much a refresh gives."""

    granted = Scope.parse("openid profile offline_access")

    def test_table(self) -> None:
        """It may be all, or a part with openid in it."""
        cases = {
            None: "openid profile offline_access",
            "openid": "openid",
            "profile openid": "openid profile",
            "openid profile offline_access": "openid profile offline_access",
        }

        self.assertEqual({asked: str(narrow_scope(self.granted, form(scope=asked))) for asked in cases}, cases)

    def test_refused(self) -> None:
        """It may not be more, nor anything without openid, nor no scope at all."""
        for asked in ("openid email", "profile", "openid OPENID", "openid admin", '"', "openid\tprofile"):
            with self.assertRaises(OAuthError, msg=asked) as caught:
                narrow_scope(self.granted, form(scope=asked))

            self.assertEqual(caught.exception.code, "invalid_scope")

    def test_a_person_keeps_their_name(self) -> None:
        """Who was known by the raw subject stays so, since the subject of a person must not change in between."""
        granted = Scope.parse("openid profile konnect/raw_sub")

        self.assertEqual(str(narrow_scope(granted, form(scope="openid"))), "openid konnect/raw_sub")

    @settings(deadline=None)
    @given(SCOPES, SCOPES)
    def test_never_grows(self, granted: Scope, asked: Scope) -> None:
        """Whatever is asked for, what is given was granted."""
        granted = Scope.of(["openid", *granted])
        try:
            scope = narrow_scope(granted, form(scope=str(asked)))
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_scope")
            return

        self.assertTrue(granted.covers(scope))
        self.assertIn("openid", scope)


class TokenResponseTests(SynchronousTestCase):
    """What the token endpoint gives out."""

    def test_members(self) -> None:
        """Tokens that there are not are not mentioned."""
        full = TokenResponse(
            access_token="a", id_token="i", refresh_token="r", expires_in=600, scope=Scope.parse("openid email")
        )
        bare = evolve(full, id_token="", refresh_token="")

        self.assertEqual(
            full.to_json(),
            {
                "access_token": "a",
                "token_type": "Bearer",
                "id_token": "i",
                "refresh_token": "r",
                "expires_in": 600,
                "scope": "openid email",
            },
        )
        self.assertEqual(set(bare.to_json()), {"access_token", "token_type", "expires_in", "scope"})

    def test_tokens_are_not_shown(self) -> None:
        """An answer can be logged."""
        answer = TokenResponse(
            access_token="a-sec", id_token="i-sec", refresh_token="r-sec", expires_in=1, scope=Scope()
        )

        self.assertNotIn("-sec", repr(answer))
