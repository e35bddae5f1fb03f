"""The claims of our tokens: what each says, and that none passes for another."""

from collections.abc import Callable, Mapping

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import claims
from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.claims import (
    LEEWAY,
    Approval,
    Presented,
    check_access_token,
    check_refresh_token,
)
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.hint import Hint, check_hint
from konnectd.protocol.id_token import id_token, left_half_hash
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import Lifetimes
from tests.support.people import ALICE, BOB, logon_of
from tests.support.requests import ISSUER, NOTES, request_of
from tests.support.strategies import JSON

NOW = 1_700_000_000
LIVES = Lifetimes(access_token=600, id_token=3600, refresh_token=9000)
SCOPE = Scope.parse("openid profile")
LOGON = logon_of(ALICE, NOW - 30)
APPROVAL = Approval.of(ISSUER, AuthorizationGrant.of(request_of(), LOGON, SCOPE, "g-1"), ALICE, NOTES)

ACCESS = claims.access_token(APPROVAL, "j-1", NOW, LIVES)
REFRESH = claims.refresh_token(APPROVAL, "j-2", NOW, LIVES)
IDENTITY = id_token(APPROVAL, NOW, LIVES, algorithm="PS256", access="access")
SID = NOTES.sid_of(LOGON.session_id)
IDENTITY_CLAIM = {"kc.i.id": "alice", "kc.i.un": "alice", "kc.i.dn": "Alice Liddell"}

#: What Konnect 0.34 put into a refresh token; such tokens live three years.
KONNECT_REFRESH: Mapping[str, object] = {
    "iss": ISSUER,
    "aud": "notes",
    "sub": LOGON.sub,
    "exp": NOW + 9000,
    "iat": NOW - 100,
    "jti": "j-0",
    "kc.isRefreshToken": True,
    "kc.approvedScopes": ["offline_access", "openid"],
    "kc.approvedClaims": None,
    "kc.ref": "uq0xkhHUYFjqY3BuKBKXs4Wl5k4DoJVb",
    "kc.identity": {"kc.i.id": "alice", "kc.i.un": "alice", "kc.i.us": "ref"},
    "kc.provider": "identifier-test",
}


def presented_refresh(token: Mapping[str, object] | None, now: int = NOW) -> Presented:
    """Read a refresh token of Notes."""
    return check_refresh_token(token, ISSUER, "notes", now)


class HashTests(SynchronousTestCase):
    """The digest that binds an ID token to its access token."""

    def test_vectors(self) -> None:
        """The half of the digest that goes with the algorithm; EdDSA goes with SHA-512."""
        sha512 = left_half_hash("token", "RS512")

        self.assertEqual(left_half_hash("token", "PS256"), "PEaenWxYddN6Q_NT1PiOYQ")
        self.assertEqual(left_half_hash("token", "ES256"), "PEaenWxYddN6Q_NT1PiOYQ")
        self.assertEqual([len(left_half_hash("token", alg)) for alg in ("ES384", "ES512")], [32, 43])
        self.assertEqual(left_half_hash("token", "EdDSA"), sha512)

    def test_example_of_the_specification(self) -> None:
        """The example of OIDC Core A.3 comes out."""
        self.assertEqual(
            left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256"), "77QmUPtjPfzWtF2AnpK9RQ"
        )


class FillingTests(SynchronousTestCase):
    """What each token says."""

    def test_access_token(self) -> None:
        """It says who may see what, for how long, in Konnect's words."""
        self.assertEqual(
            ACCESS,
            {
                "iss": ISSUER,
                "sub": LOGON.sub,
                "aud": "notes",
                "exp": NOW + 600,
                "iat": NOW,
                "jti": "j-1",
                "kc.isAccessToken": True,
                "kc.authorizedScopes": ["openid", "profile"],
                "kc.identity": IDENTITY_CLAIM,
                "kc.provider": "identifier-test",
                "kc.ref": "g-1",
            },
        )

    def test_refresh_token(self) -> None:
        """It says besides how and when the person signed in, so that later ID tokens can say so."""
        self.assertEqual(
            REFRESH,
            {
                "iss": ISSUER,
                "sub": LOGON.sub,
                "aud": "notes",
                "exp": NOW + 9000,
                "iat": NOW,
                "jti": "j-2",
                "kc.isRefreshToken": True,
                "kc.approvedScopes": ["openid", "profile"],
                "kc.ref": "g-1",
                "kc.identity": {**IDENTITY_CLAIM, "kc.i.session": "session-1"},
                "kc.provider": "identifier-test",
                "auth_time": NOW - 30,
                "sid": SID,
                "amr": ["pwd"],
            },
        )

    def test_id_token(self) -> None:
        """It says who signed in, when and how, for whom, and to which request and access token it belongs."""
        self.assertEqual(
            IDENTITY,
            {
                "iss": ISSUER,
                "sub": LOGON.sub,
                "aud": "notes",
                "exp": NOW + 3600,
                "iat": NOW,
                "azp": "notes",
                "acr": PASSWORD,
                "at_hash": left_half_hash("access", "PS256"),
                "auth_time": NOW - 30,
                "sid": SID,
                "amr": ["pwd"],
                "nonce": "nonce-1",
            },
        )

    def test_raw_subject(self) -> None:
        """The raw subject is in the ID token only; what comes back to us has the public one."""
        raw = evolve(APPROVAL, scope=Scope.parse("openid konnect/raw_sub"))

        self.assertEqual(id_token(raw, NOW, LIVES, algorithm="PS256", access="a")["sub"], "alice")
        self.assertEqual(claims.access_token(raw, "j", NOW, LIVES)["sub"], LOGON.sub)
        self.assertEqual(claims.refresh_token(raw, "j", NOW, LIVES)["sub"], LOGON.sub)

    def test_what_is_not_known_is_absent(self) -> None:
        """A token does not say what nobody knows."""
        bare = evolve(APPROVAL, auth_time=None, session_id="", sid="", amr=(), nonce="")
        bare = evolve(bare, user=evolve(ALICE, name=""))

        self.assertEqual(
            set(id_token(bare, NOW, LIVES, algorithm="PS256", access="a")),
            {"iss", "sub", "aud", "azp", "exp", "iat", "at_hash"},
        )
        self.assertEqual(bare.identity, {"kc.i.id": "alice", "kc.i.un": "alice"})

    def test_backend_adds_to_identity(self) -> None:
        """What a backend needs to find somebody again goes along."""
        user = evolve(ALICE, identity={"kc.i.us": "ref"})

        self.assertEqual(evolve(APPROVAL, user=user).identity, {**IDENTITY_CLAIM, "kc.i.us": "ref"})

    def test_again(self) -> None:
        """What a refresh gives has the first logon's time, session and subject, and no nonce."""
        again = Approval.again(ISSUER, presented_refresh(REFRESH), ALICE, Scope.parse("openid"))
        token = id_token(again, NOW + 5, LIVES, algorithm="PS256", access="access")

        kept = ("iss", "sub", "aud", "auth_time", "sid", "amr")
        self.assertEqual({name: token[name] for name in kept}, {name: IDENTITY[name] for name in kept})
        self.assertNotIn("nonce", token)
        self.assertEqual((again.generation, str(again.scope), again.grant_id), (1, "openid", "g-1"))
        self.assertEqual(claims.refresh_token(again, "j-9", NOW + 5, LIVES)["exp"], REFRESH["exp"])


class PresentedTests(SynchronousTestCase):
    """Tokens that come back."""

    def test_own_tokens(self) -> None:
        """What was put in comes out."""
        wanted = Presented(
            client_id="notes",
            sub=LOGON.sub,
            scope=SCOPE,
            grant_id="g-1",
            user_id="alice",
            provider="identifier-test",
            jti="j-1",
            expires_at=NOW + LIVES.access_token,
            audience=("notes",),
        )
        refresh = evolve(wanted, jti="j-2", expires_at=NOW + LIVES.refresh_token)

        self.assertEqual(check_access_token(ACCESS, ISSUER, NOW), wanted)
        logon = evolve(refresh, auth_time=NOW - 30, session_id="session-1", sid=SID, amr=("pwd",))
        self.assertEqual(presented_refresh(REFRESH), logon)

    def test_one_sid_for_all(self) -> None:
        """A refresh token from before clients had a sid of their own ends with its session, and keeps its sid."""
        found = presented_refresh({**REFRESH, "kc.identity": IDENTITY_CLAIM, "sid": "session-1"})
        again = Approval.again(ISSUER, found, ALICE, SCOPE)

        self.assertEqual((found.session_id, again.session_id), ("session-1", "session-1"))
        self.assertEqual(id_token(again, NOW, LIVES, algorithm="PS256")["sid"], "session-1")

    def test_refresh_token_of_konnect(self) -> None:
        """A refresh token from before the move is understood, and tells nothing about its logon."""
        found = presented_refresh(KONNECT_REFRESH)

        self.assertEqual((found.user_id, found.sub, found.auth_time), ("alice", LOGON.sub, None))
        self.assertEqual((set(found.scope), found.session_id, found.amr), ({"openid", "offline_access"}, "", ()))
        self.assertEqual(presented_refresh({**KONNECT_REFRESH, "kc.ref": None}).grant_id, "")
        self.assertEqual(found.sub, public_subject("alice", "identifier-test"))

    def test_another_client(self) -> None:
        """A refresh token is good for its client only."""
        with self.assertRaises(OAuthError) as caught:
            check_refresh_token(REFRESH, ISSUER, "mail", NOW)

        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_kinds_do_not_mix(self) -> None:
        """No token is believed where another kind is meant."""
        userinfo = {"iss": ISSUER, "aud": "notes", "sub": LOGON.sub}
        tokens: dict[str, Mapping[str, object] | None] = {
            "access": ACCESS,
            "refresh": REFRESH,
            "id": IDENTITY,
            "userinfo": userinfo,
            "forged": None,
            "empty": {},
        }
        accepted = {
            name: (
                self.accepts(check_access_token, token, ISSUER, NOW),
                self.accepts(presented_refresh, token),
                self.accepts(check_hint, token, ISSUER),
            )
            for name, token in tokens.items()
        }

        self.assertEqual(
            accepted,
            {
                "access": (True, False, False),
                "refresh": (False, True, False),
                "id": (False, False, True),
                "userinfo": (False, False, False),
                "forged": (False, False, False),
                "empty": (False, False, False),
            },
        )

    def accepts(self, check: Callable[..., object], *arguments: object) -> bool:
        """Tell whether a check lets a token through."""
        try:
            check(*arguments)
        except OAuthError:
            return False
        return True

    def test_refused(self) -> None:
        """A token that lacks something, is over, not yet good, or another issuer's, is refused by its code."""
        changes: tuple[Mapping[str, object], ...] = (
            {"iss": "https://sso.example.com/"},
            {"iss": None},
            {"exp": NOW},
            {"exp": NOW - 1},
            {"exp": None},
            {"exp": str(NOW + 10)},
            {"nbf": NOW + LEEWAY + 1},
            {"nbf": "x"},
            {"iat": NOW + LEEWAY + 1},
            {"iat": None},
            {"aud": ["notes"]},
            {"aud": None},
            {"sub": None},
            {"kc.identity": None},
            {"kc.identity": {}},
            {"kc.identity": {"kc.i.id": 1}},
            {"kc.provider": None},
            {"kc.isAccessToken": "true", "kc.isRefreshToken": "true"},
            {"kc.isAccessToken": 1, "kc.isRefreshToken": 1},
            {"kc.authorizedScopes": "openid", "kc.approvedScopes": "openid"},
            {"kc.authorizedScopes": None, "kc.approvedScopes": None},
        )
        for change in changes:
            with self.assertRaises(BearerTokenError, msg=str(change)) as bearer:
                check_access_token({**ACCESS, **change}, ISSUER, NOW)
            with self.assertRaises(OAuthError, msg=str(change)) as refresh:
                presented_refresh({**REFRESH, **change})

            self.assertEqual((bearer.exception.code, refresh.exception.code), ("invalid_token", "invalid_grant"))
            self.assertFalse(bearer.exception.bare)

    def test_clocks_that_differ(self) -> None:
        """A machine's clock may be a little ahead of ours."""
        for change in ({"iat": NOW + LEEWAY}, {"nbf": NOW + LEEWAY}, {"exp": NOW + 1}):
            self.assertEqual(check_access_token({**ACCESS, **change}, ISSUER, NOW).sub, LOGON.sub)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from([ACCESS, REFRESH, IDENTITY]), st.data(), JSON)
    def test_any_claim(self, token: Mapping[str, object], draw: st.DataObject, junk: object) -> None:
        """No value of any claim is a fault: the token is believed or refused."""
        changed = {**token, draw.draw(st.sampled_from(sorted(token))): junk}

        self.assertIn(self.accepts(check_access_token, changed, ISSUER, NOW), (True, False))
        self.assertIn(self.accepts(presented_refresh, changed), (True, False))
        self.assertIn(self.accepts(check_hint, changed, ISSUER), (True, False))


class HintTests(SynchronousTestCase):
    """ID tokens that come back as a hint."""

    def test_expired(self) -> None:
        """A hint may have expired long ago."""
        hint = check_hint({**IDENTITY, "exp": 1, "iat": 0}, ISSUER)

        self.assertEqual(hint, Hint(sub=LOGON.sub, client_id="notes", session_id=SID))

    def test_without_session(self) -> None:
        """An ID token of Konnect, whose session was another thing, is a hint too."""
        self.assertEqual(check_hint({**IDENTITY, "sid": None}, ISSUER).session_id, "")

    def test_refused(self) -> None:
        """Another issuer's, or what is no ID token, is none."""
        for change in ({"iss": "https://evil.example"}, {"aud": ["notes"]}, {"sub": 1}, {"exp": None}, {"iat": "x"}):
            with self.assertRaises(OAuthError, msg=str(change)) as caught:
                check_hint({**IDENTITY, **change}, ISSUER)

            self.assertEqual(caught.exception.code, "invalid_request")

    def test_of_somebody_else(self) -> None:
        """A hint names the person it was made for."""
        bob = Approval.of(ISSUER, AuthorizationGrant.of(request_of(), logon_of(BOB, NOW), SCOPE, "g-2"), BOB, NOTES)

        token = id_token(bob, NOW, LIVES, algorithm="PS256", access="a")

        self.assertNotEqual(check_hint(token, ISSUER).sub, LOGON.sub)
