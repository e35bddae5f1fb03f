"""Modules about claims: ``oidcc-scope-*``, ``oidcc-claims-essential``, ``-acr-values-`` and typing of section 1."""

import json
from typing import Any

from attrs import evolve

from konnectd.jose.encryption import ALGORITHMS, CONTENT_ALGORITHMS
from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.client import Client
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import People
from tests.support.people import ALICE, PASSWORDS
from tests.support.requests import MAIL, NOTES
from tests.support.visitor import Visitor
from tests.web.certification.case import CertificationCase

#: What a directory that is filled in to the last line says, as the backends type it.
FURTHER = {
    "middle_name": "Pleasance",
    "nickname": "Al",
    "profile": "https://people.example.org/alice",
    "picture": "https://people.example.org/alice.png",
    "website": "https://alice.example.org/",
    "gender": "female",
    "birthdate": "1852-05-04",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "updated_at": 1_690_000_000,
    "phone_number": "+44 1865 276150",
    "phone_number_verified": False,
    "address": {"street_address": "Christ Church", "locality": "Oxford", "country": "UK"},
}
PROFILE = {
    *("name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender"),
    *("birthdate", "zoneinfo", "locale", "updated_at", "preferred_username"),
}
OF_SCOPE = {
    "profile": PROFILE,
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}
#: What an ID token may hold that nobody asked for.
PLAIN = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "sid"}


def everybody() -> People:
    """Return people of whom everything is known."""
    people = People(evolve(ALICE, further=FURTHER), passwords=PASSWORDS)
    people.scopes = (*People.scopes, "address", "phone")
    people.claims = (*People.claims, *FURTHER)
    return people


class ClaimsCase(CertificationCase):
    """A provider that has all standard claims."""

    def setUp(self) -> None:
        """Begin anew."""
        self.daemon = Daemon(backend=everybody())
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def shown(self, **changes: str | None) -> tuple[dict[str, object], dict[str, object]]:
        """Return the claims of the ID token and of userinfo that a code leads to."""
        tokens = json_of(self.app.redeem(self.authorize("code", **changes).parts["code"]))
        return self.id_token(tokens["id_token"]), self.userinfo(tokens["access_token"])


class ScopeTests(ClaimsCase):
    """``oidcc-scope-profile``, ``-email``, ``-address``, ``-phone`` and ``-all``."""

    def test_each(self) -> None:
        """A scope opens exactly its claims at userinfo, and none in the ID token beside an access token."""
        for scope, names in OF_SCOPE.items():
            self.setUp()
            identity, shown = self.shown(scope=f"openid {scope}")
            self.assertEqual(set(shown), {"sub"} | names, scope)
            self.assertLessEqual(set(identity), PLAIN, scope)

    def test_all(self) -> None:
        """All together open all, each typed as clients expect it."""
        _, shown = self.shown(scope="openid profile email address phone")

        self.assertEqual({name: shown[name] for name in FURTHER}, FURTHER)
        self.assertEqual((shown["email"], shown["email_verified"]), ("alice@example.org", True))

    def test_without_access_token(self) -> None:
        """With ``id_token`` alone they stand in the ID token; there is nowhere else to ask."""
        for scope, names in OF_SCOPE.items():
            self.setUp()
            claims = self.id_token(self.authorize("id_token", scope=f"openid {scope}").parts["id_token"])
            self.assertEqual(set(claims) - PLAIN, names, scope)

    def test_nothing_is_empty(self) -> None:
        """What is not known of somebody is absent: no null, no empty text, no empty list."""
        self.daemon = Daemon(backend=People(evolve(ALICE, name="", email="", groups=()), passwords=PASSWORDS))
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)
        _, shown = self.shown(scope="openid profile email address phone groups")

        self.assertEqual(set(shown), {"sub", "given_name", "family_name", "preferred_username"})


class MetadataTests(ClaimsCase):
    """What the discovery document says about claims."""

    def metadata(self, daemon: Daemon) -> dict[str, Any]:
        """Return the discovery document."""
        return json_of(daemon.get(daemon.settings.paths.discovery))

    def test_supported(self) -> None:
        """Scopes and claims are named that can be filled here, and not where they can not."""
        full, plain = self.metadata(self.daemon), self.metadata(Daemon())

        self.assertLessEqual({"address", "phone"}, set(full["scopes_supported"]))
        self.assertLessEqual(set(FURTHER), set(full["claims_supported"]))
        self.assertEqual({"address", "phone"} & set(plain["scopes_supported"]), set())
        self.assertEqual(set(FURTHER) & set(plain["claims_supported"]), set())

    def test_how_claims_are_asked_for_and_encrypted(self) -> None:
        """The claims parameter is on, the one acr is named, and so are exactly the ways of encryption there are."""
        document = self.metadata(self.daemon)

        self.assertEqual((document["claims_parameter_supported"], document["acr_values_supported"]), (True, [PASSWORD]))
        for what in ("id_token", "userinfo"):
            self.assertEqual(document[f"{what}_encryption_alg_values_supported"], list(ALGORITHMS))
            self.assertEqual(document[f"{what}_encryption_enc_values_supported"], list(CONTENT_ALGORITHMS))


class RequestTests(ClaimsCase):
    """``oidcc-claims-essential`` and ``oidcc-ensure-request-with-acr-values-succeeds``."""

    def test_essential(self) -> None:
        """A name that is essential at userinfo is there without its scope, and not in the ID token."""
        identity, shown = self.shown(scope="openid", claims=json.dumps({"userinfo": {"name": {"essential": True}}}))

        self.assertEqual((set(shown), shown["name"]), ({"sub", "name"}, "Alice Liddell"))
        self.assertLessEqual(set(identity), PLAIN)

    def test_essential_in_id_token(self) -> None:
        """In the ID token it is there in every flow, the front channel included."""
        wanted = json.dumps({"id_token": {"name": {"essential": True}, "updated_at": None}})
        for response_type in ("id_token", "id_token token", "code id_token", "code id_token token"):
            self.setUp()
            answer = self.authorize(response_type, scope="openid", claims=wanted)
            claims = self.id_token(answer.parts["id_token"])
            self.assertEqual((claims["name"], set(claims) - PLAIN), ("Alice Liddell", {"name", "updated_at"}))
        identity, shown = self.shown(scope="openid", claims=wanted)
        self.assertEqual((identity["name"], set(shown)), ("Alice Liddell", {"sub"}))

    def test_acr_values(self) -> None:
        """The value of the metadata is what the ID token says; wishes that can not be met are no error."""
        for wished in (PASSWORD, "1 2", f"1 {PASSWORD}"):
            identity, _ = self.shown(acr_values=wished)
            self.assertEqual((identity["acr"], identity["amr"], identity["azp"]), (PASSWORD, ["pwd"], "mail"))

    def test_unmet_essential_acr(self) -> None:
        """An essential acr that no sign-in here has is refused before anybody types a password.

        Spec: OIDC Core 5.5.1.1.
        """
        wanted = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:example:gold"]}}})
        answer = self.authorize("code", claims=wanted)

        self.assertEqual(answer.parts["error"], "unmet_authentication_requirements")
        self.assertIn("code", self.authorize("code", claims=wanted.replace("urn:example:gold", PASSWORD)).parts)

    def test_malformed(self) -> None:
        """What is no JSON is told to the client in the mode of the answer, and never a page."""
        self.assertEqual(self.authorize("code", claims="{").parts["error"], "invalid_request")
        answer = self.authorize("id_token", claims="[]")
        self.assertEqual((answer.place, answer.parts["error"]), ("fragment", "invalid_request"))


class FullIdTokenTests(ClaimsCase):
    """A client that finds the claims of its scopes in its ID tokens."""

    client: Client = evolve(MAIL, scope_claims_in_id_token=True)

    def setUp(self) -> None:
        """Begin anew."""
        self.daemon = Daemon(backend=everybody(), clients=(self.client,))
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def test_in_both(self) -> None:
        """They stand in the ID token of the token endpoint and at userinfo alike."""
        identity, shown = self.shown(scope="openid profile email")

        self.assertEqual({name: identity[name] for name in shown}, shown)
        self.assertEqual(set(identity) - PLAIN, PROFILE | OF_SCOPE["email"])


class ConsentTests(ClaimsCase):
    """Claims asked for one by one need the same permission as their scope."""

    client: Client = NOTES

    def test_shown_and_counted(self) -> None:
        """The page says what they open, and who allows it lets the client have them, without the scope itself."""
        wanted = json.dumps({"userinfo": {"phone_number": None, "address": None}})
        page = self.app.sign_in(self.visitor, scope="openid", claims=wanted)

        self.assertIn("See your postal address", page.text)
        self.assertIn("See your phone number", page.text)
        fields = {"allow": "yes"}
        code = self.app.told(self.visitor.submit(page, **fields))["code"]
        tokens = json_of(self.app.redeem(code))
        self.assertEqual(tokens["scope"], "openid")
        self.assertEqual(set(self.userinfo(tokens["access_token"])), {"sub", "phone_number", "address"})

    def test_refused(self) -> None:
        """Who does not agree gives nothing away."""
        wanted = json.dumps({"userinfo": {"phone_number": None}})
        page = self.app.sign_in(self.visitor, scope="openid", claims=wanted)

        self.assertEqual(self.app.told(self.visitor.submit(page, deny="yes"))["error"], "access_denied")
