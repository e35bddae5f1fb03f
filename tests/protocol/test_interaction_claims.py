"""What the ``claims`` parameter changes about what a person still has to do."""

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authentication_context import PASSWORD
from konnectd.protocol.authorize import AuthorizationRequest
from konnectd.protocol.claims_request import NO_CLAIMS
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.interaction import AskForConsent, Proceed, decide
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.scope import Scope
from tests.protocol.test_interaction import FRESH, NOW, OLD, consent_of, known, word
from tests.support.people import BOB, logon_of
from tests.support.requests import MAIL, NOTES, request_of

SUPPORTED = frozenset({"openid", "profile", "email"})


def asking(client: Client, claims: object, **changes: str | None) -> AuthorizationRequest:
    """Return a request with a ``claims`` parameter."""
    return request_of(client, claims=json.dumps(claims), **{"scope": "openid", **changes})


def outcome(request: AuthorizationRequest, logon: Logon | None) -> str:
    """Return what happens next, in one word."""
    return word(decide(request, known(request, logon, supported=SUPPORTED), NOW))


class SubjectTests(SynchronousTestCase):
    """Who the person must be. Spec: OIDC Core 3.1.2.2 and 5.5.1."""

    def test_public_and_raw(self) -> None:
        """They may be meant by the name the client knows them by, in either form it may have been granted."""
        for name in (OLD.sub, OLD.subject):
            request = asking(MAIL, {"id_token": {"sub": {"values": ["x", name]}}})
            self.assertEqual(outcome(request, OLD), "openid")

    def test_somebody_else(self) -> None:
        """Somebody else is asked to sign in, and refused when that is who has just done so."""
        request = asking(MAIL, {"id_token": {"sub": {"value": "x"}}})

        self.assertEqual(
            [outcome(request, logon) for logon in (None, OLD, FRESH)], ["logon", "logon", "login_required"]
        )

    def test_both_conditions(self) -> None:
        """A hint and a value have to mean the same person."""
        request = asking(MAIL, {"id_token": {"sub": {"value": OLD.sub}}})
        for hint, expected in ((OLD.sub, "openid"), (logon_of(BOB, NOW).sub, "logon")):
            decision = decide(request, known(request, OLD, supported=SUPPORTED, hint=hint), NOW)
            self.assertEqual(word(decision), expected)

    def test_pairwise(self) -> None:
        """A client with pairwise subjects means people by its own names for them, and by no others."""
        pairwise = Pairwise("notes.example.org", bytes(32))
        client = evolve(MAIL, pairwise=pairwise)
        own = pairwise.sub(OLD.subject, OLD.provider)

        self.assertEqual(outcome(asking(client, {"id_token": {"sub": {"value": own}}}), OLD), "openid")
        for foreign in (OLD.sub, OLD.subject):
            self.assertEqual(outcome(asking(client, {"id_token": {"sub": {"value": foreign}}}), OLD), "logon")


class ContextTests(SynchronousTestCase):
    """How they must have signed in. Spec: OIDC Core 5.5.1.1."""

    def test_met(self) -> None:
        """What a password is is good enough where it is asked for, among others too."""
        request = asking(MAIL, {"id_token": {"acr": {"essential": True, "values": ["urn:gold", PASSWORD]}}})

        self.assertEqual([outcome(request, logon) for logon in (None, OLD, FRESH)], ["logon", "openid", "openid"])

    def test_never_to_be_met(self) -> None:
        """What nobody can prove here is refused at once."""
        request = asking(MAIL, {"id_token": {"acr": {"essential": True, "value": "urn:gold"}}})
        refusal = "unmet_authentication_requirements"

        self.assertEqual([outcome(request, logon) for logon in (None, OLD, FRESH)], [refusal] * 3)

    def test_logon_of_another_kind(self) -> None:
        """A logon of which it is not known how it was made does not count for one that was made with a password."""
        request = asking(MAIL, {"id_token": {"acr": {"essential": True, "value": PASSWORD}}})

        self.assertEqual(outcome(request, evolve(OLD, amr=("ext",))), "logon")
        fresh = evolve(FRESH, amr=())
        decision = decide(request, known(request, fresh, progress=known(request, FRESH).progress), NOW)
        self.assertEqual(word(decision), "unmet_authentication_requirements")


class PermissionTests(SynchronousTestCase):
    """Claims one by one need what their scope needs."""

    def test_consent_is_asked_for_both(self) -> None:
        """The page is about the scope and what the claims are part of; what is not supported is left out."""
        request = asking(NOTES, {"userinfo": {"email": None, "phone_number": None, "x": None}})
        decision = decide(request, known(request, OLD, supported=SUPPORTED), NOW)

        self.assertEqual(decision, AskForConsent(OLD, Scope.parse("openid email")))

    def test_allowed_in_part(self) -> None:
        """What was not allowed is not given: neither a scope nor a claim."""
        request = asking(NOTES, {"userinfo": {"email": None}, "id_token": {"name": None}})
        consent = consent_of(request, scope=Scope.parse("openid email"))
        decision = decide(request, known(request, OLD, supported=SUPPORTED, consent=consent), NOW)
        if not isinstance(decision, Proceed):
            raise TypeError(decision)
        grant = AuthorizationGrant.of(request, OLD, decision.scope, "g-1")

        self.assertEqual((str(grant.scope), grant.claims.userinfo, grant.claims.id_token), ("openid", ("email",), ()))

    def test_scope_and_claim(self) -> None:
        """A claim whose scope was asked for as well is given by both, and takes nothing away."""
        request = asking(MAIL, {"userinfo": {"email": None}}, scope="openid email")
        grant = AuthorizationGrant.of(request, OLD, request.wanted(SUPPORTED), "g-1")

        self.assertEqual((str(grant.scope), grant.claims.userinfo), ("openid email", ("email",)))

    def test_without_the_parameter(self) -> None:
        """A request without it carries nothing of it."""
        self.assertIs(request_of(MAIL).claims, NO_CLAIMS)

    def test_malformed(self) -> None:
        """A parameter that is no JSON object is an error that the client is told."""
        error = self.assertRaises(OAuthError, request_of, MAIL, claims="{")

        self.assertEqual(error.code, "invalid_request")
