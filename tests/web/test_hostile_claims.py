"""Requests that try to make us say something about somebody by asking for it (Konnect's defect D2)."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.people import ALICE, logon_of
from tests.support.requests import PAGE
from tests.support.visitor import Visitor

FORGED = "forged-by-the-person"
#: Names that Konnect let a person fill for themselves, and names that would change what a token is.
TARGETS = (
    *("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "acr", "amr", "auth_time", "sid", "at_hash"),
    *("username", "id", "groups", "kc.uuid", "kc.isAccessToken", "kc.identity", "kc.provider", "kc.authorizedScopes"),
    *("name", "email", "email_verified", "preferred_username", "phone_number", "address", "guest", "roles", "admin"),
)


def values_in(value: object) -> str:
    """Return everything that is in a token or an answer, as one text."""
    return json.dumps(value)


class EchoTests(SynchronousTestCase):
    """A value in the ``claims`` parameter is a wish, and is never said back."""

    def setUp(self) -> None:
        """Sign nobody in yet."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)

    def everything(self, **changes: str | None) -> dict[str, Any]:
        """Return all that a whole run gives out, read."""
        scope = "openid profile email groups offline_access konnect/id konnect/uuid"
        tokens = self.app.tokens(Visitor(self.daemon), scope=scope, **changes)
        shown = json_of(self.app.userinfo(tokens["access_token"]))
        read = {name: claims_of(tokens[name]) for name in ("access_token", "id_token", "refresh_token")}
        return {**read, "userinfo": shown}

    def wish(self, name: str, member: str = "value") -> str:
        """Return a parameter that wishes for a forged value everywhere."""
        value: object = [FORGED] if member == "values" else FORGED
        wish = {name: {"essential": name != "acr", member: value}}
        return json.dumps({"id_token": wish, "userinfo": wish, "passthru": {name: FORGED}})

    def test_no_value_comes_back(self) -> None:
        """Whatever name and value are asked for, tokens and userinfo hold what is true, or nothing of that name."""
        plain = self.everything()
        for name in TARGETS:
            if name == "sub":
                continue  # a condition: see below
            for member in ("value", "values"):
                got = self.everything(claims=self.wish(name, member))
                self.assertNotIn(FORGED, values_in(got), f"{name} {member}")
                for kind in ("iss", "sub", "aud"):
                    self.assertEqual(got["id_token"][kind], plain["id_token"][kind], name)
                self.assertEqual(got["userinfo"], plain["userinfo"], name)

    def test_front_channel(self) -> None:
        """Nor does one come back in an ID token without an access token, where Konnect put them."""
        for name in TARGETS:
            if name == "sub":
                continue
            visit = self.app.sign_in(
                Visitor(self.daemon), response_type="id_token", scope="openid", claims=self.wish(name)
            )
            self.assertNotIn(FORGED, visit.url)
            fragment = visit.url.partition("id_token=")[2].partition("&")[0]
            self.assertNotIn(FORGED, values_in(claims_of(fragment)), name)


class SubjectTests(SynchronousTestCase):
    """``sub`` with a value is a condition, which must be met before anybody is told anything."""

    def setUp(self) -> None:
        """Sign Alice in."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)
        self.visitor = Visitor(self.daemon)
        self.sub = logon_of(ALICE, 0).sub
        self.app.sign_in(self.visitor)

    def told(self, subject: object, place: str = "id_token", **changes: str | None) -> dict[str, str]:
        """Return what the application is told that asks for a subject without letting anybody see a page."""
        claims = json.dumps({place: {"sub": {"value": subject}}})
        return self.app.told(self.app.arrive(self.visitor, claims=claims, prompt="none", **changes))

    def test_the_right_one(self) -> None:
        """Who is meant goes on without a page."""
        self.assertIn("code", self.told(self.sub))
        self.assertIn("code", self.told(self.sub, "userinfo"))

    def test_somebody_else(self) -> None:
        """Who is not meant has to sign in as the one who is; without pages the client is told so."""
        for place in ("id_token", "userinfo"):
            self.assertEqual(self.told("somebody-else@konnect", place)["error"], "login_required")

    def test_somebody_else_signs_in(self) -> None:
        """Nobody gets further by signing in as another than the one who is meant."""
        claims = json.dumps({"id_token": {"sub": {"value": self.sub}}})
        visit = self.app.sign_in(Visitor(self.daemon), "bob", claims=claims)

        self.assertEqual(self.app.told(visit)["error"], "login_required")

    def test_contradiction(self) -> None:
        """Two conditions that nobody can meet let nobody through."""
        claims = json.dumps({"id_token": {"sub": {"value": self.sub}}, "userinfo": {"sub": {"value": "x"}}})
        visit = self.app.arrive(self.visitor, claims=claims, prompt="none")

        self.assertEqual(self.app.told(visit)["error"], "login_required")


class PermissionTests(SynchronousTestCase):
    """Nothing is seen that was not allowed."""

    def test_unsupported_scope(self) -> None:
        """A claim of a scope that is switched off here is not to be had one by one either."""
        daemon = Daemon("--allow-scope=profile")
        app = Application(daemon)
        wanted = json.dumps({"userinfo": {"email": None, "groups": None, "name": None}})
        tokens = app.tokens(Visitor(daemon), scope="openid", claims=wanted)

        self.assertEqual(set(json_of(app.userinfo(tokens["access_token"]))), {"sub", "name"})

    def test_untrusted_client(self) -> None:
        """A client that needs consent gets no claim without it."""
        daemon = Daemon()
        app = Application(daemon, PAGE)
        visitor = Visitor(daemon)
        app.sign_in(visitor, scope="openid")
        silent = app.arrive(
            visitor, scope="openid", prompt="none", claims=json.dumps({"userinfo": {"email": {"essential": True}}})
        )

        self.assertEqual(app.told(silent)["error"], "consent_required")

    def test_survives_refreshing_and_narrows(self) -> None:
        """What was allowed one by one is renewed with the token, and goes when the client asks for less."""
        daemon = Daemon()
        app = Application(daemon)
        wanted = json.dumps({"userinfo": {"email": None}})
        tokens = app.tokens(Visitor(daemon), scope="openid profile offline_access", claims=wanted)
        again = json_of(app.refresh(tokens["refresh_token"]))
        less = json_of(app.refresh(again["refresh_token"], scope="openid profile"))
        whole = json_of(app.refresh(less["refresh_token"]))

        shown = [set(json_of(app.userinfo(one["access_token"]))) for one in (again, less, whole)]
        self.assertEqual(
            [("email" in names, "name" in names) for names in shown], [(True, True), (False, True), (True, True)]
        )
        self.assertEqual(claims_of(tokens["access_token"])["kc.authorizedClaims"], {"userinfo": {"email": None}})
        self.assertEqual(claims_of(tokens["refresh_token"])["kc.approvedClaims"], {"userinfo": {"email": None}})
