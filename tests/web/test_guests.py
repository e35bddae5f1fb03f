"""Guests whom clients bring, in front of the assembled daemon."""

import json
from typing import Any
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.end_user import public_subject
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import NOON, claims_of
from tests.support.guests import GUEST_CLIENTS, KIOSK, PLAIN, SCOPE, STRANGER, UNSIGNED, WIDE, guest_claims, invitation
from tests.support.keys import p256_key
from tests.support.people import ALICE
from tests.support.request_objects import signed, signed_text, unsigned
from tests.support.visitor import Visit, Visitor

EVERYTHING = {
    "name": "Gwen Guest",
    "family_name": "Guest",
    "given_name": "Gwen",
    "email": "gwen@elsewhere.example",
    "email_verified": True,
}


class GuestCase(SynchronousTestCase):
    """A daemon that lets guests in, and a browser of somebody."""

    words = ("--allow-client-guests",)

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(*self.words, clients=GUEST_CLIENTS)
        self.visitor = Visitor(self.daemon)

    def bring(self, token: str, client: Client = KIOSK, **changes: str | None) -> Visit:
        """Send the browser with an object."""
        beside: dict[str, str | None] = {"request": token, "scope": SCOPE, **changes}
        return Application(self.daemon, client).arrive(self.visitor, **beside)

    def told(self, visit: Visit, client: Client = KIOSK) -> dict[str, str]:
        """Return what the client is told."""
        return Application(self.daemon, client).told(visit)

    def tokens(self, client: Client = KIOSK, **changes: object) -> dict[str, Any]:
        """Return the tokens of a guest, by a code alone."""
        application = Application(self.daemon, client)
        visit = self.bring(signed(invitation(client, **changes)), client)
        return json_of(application.redeem(application.told(visit)["code"]))

    def assertSignInPage(self, visit: Visit) -> None:
        """Fail unless a person is asked to sign in."""
        self.assertEqual((visit.left, visit.title), (False, "Sign in"))


class GoodTests(GuestCase):
    """A client that may."""

    def test_code_flow(self) -> None:
        """The client gets tokens for its guest by a code, and its own word for them in the ID token."""
        claims = claims_of(self.tokens()["id_token"])

        self.assertEqual((claims["guest"], claims["sub"]), ("guest-77", public_subject("guest-77", "guest")))

    def test_access_token(self) -> None:
        """Kopano's resource servers know a guest by what Konnect wrote, and what the client wants back is there."""
        claims = claims_of(self.tokens(claims={**guest_claims(**EVERYTHING), "passthru": {"room": 7}})["access_token"])

        self.assertEqual(claims["kc.provider"], "guest")
        self.assertEqual(claims["kc.authorizedClaims"]["passthru"], {"room": 7})
        self.assertEqual(
            claims["kc.identity"],
            {
                "kc.i.id": "guest-77",
                "kc.i.dn": "Gwen Guest",
                "kc.i.guest": True,
                "kc.i.da": {
                    "e": "gwen@elsewhere.example",
                    "ev": 1,
                    "n": "Gwen Guest",
                    "nf": "Guest",
                    "ng": "Gwen",
                },
            },
        )

    def test_userinfo(self) -> None:
        """Userinfo says the same as the first ID token, the address and whether it is proven included."""
        for verified in (True, False):
            asked = guest_claims(**{**EVERYTHING, "email_verified": verified})
            tokens = self.tokens(claims=asked, jti=f"jti-{verified}")
            told = json_of(Application(self.daemon, KIOSK).userinfo(tokens["access_token"]))
            first = claims_of(tokens["id_token"])

            self.assertEqual((told["name"], told["email"]), (EVERYTHING["name"], EVERYTHING["email"]))
            self.assertEqual((told["email_verified"], first["email_verified"]), (verified, verified))

    def test_silently(self) -> None:
        """No page is needed, so a request that may show none is answered."""
        self.assertIn("code", self.told(self.bring(signed(invitation(prompt="none")))))

    def test_nothing_is_kept(self) -> None:
        """The browser keeps nothing of a guest."""
        self.tokens()

        self.assertEqual([name for name, _ in self.visitor.jar if "KKT" in name], [])

    def test_trusted_without_a_list(self) -> None:
        """A client that is trusted with everything may bring guests; they get nothing that names people."""
        tokens = self.tokens(WIDE, scope=f"{SCOPE} groups offline_access konnect/raw_sub konnect/uuid kopano/gc")

        self.assertEqual(set(tokens["scope"].split()), set(SCOPE.split()))
        self.assertNotIn("refresh_token", tokens)

    def test_trusted_scopes(self) -> None:
        """A scope the client is trusted with is granted, whoever knows it; one beside the object is not."""
        self.assertIn("kopano/kwm", self.tokens(scope=f"{SCOPE} kopano/kwm")["scope"].split())
        visit = self.bring(signed(invitation(jti="jti-2")), scope=f"{SCOPE} kopano/kwm")
        tokens = json_of(Application(self.daemon, KIOSK).redeem(self.told(visit)["code"]))
        self.assertNotIn("kopano/kwm", tokens["scope"].split())

    def test_introspection(self) -> None:
        """The token of a guest is alive."""
        token, application = self.tokens()["access_token"], Application(self.daemon, KIOSK)
        path = self.daemon.settings.paths.introspect
        answer = json_of(self.daemon.post(path, f"token={token}", application.basic()))

        self.assertEqual((answer["active"], answer.get("username")), (True, None))


class ApartTests(GuestCase):
    """A guest is nobody of the directory."""

    def test_id_of_a_person(self) -> None:
        """A guest whose id is that of a person is somebody else, and is looked up nowhere."""
        for number, guest_id in enumerate((ALICE.user_id, ALICE.subject, ALICE.username)):
            tokens = self.tokens(claims=guest_claims(guest_id), jti=f"jti-{number}", scope=f"{SCOPE} konnect/raw_sub")
            told = json_of(Application(self.daemon, KIOSK).userinfo(tokens["access_token"]))

            self.assertEqual(told["sub"], public_subject(guest_id, "guest"))
            self.assertNotEqual(told["sub"], public_subject(ALICE.subject, self.daemon.people.name))
            self.assertNotIn("name", told)
            self.assertEqual(claims_of(tokens["id_token"])["sub"], told["sub"])

    def test_person_who_is_signed_in(self) -> None:
        """Whoever is signed in stays who they are."""
        application = Application(self.daemon, KIOSK)
        application.sign_in(self.visitor)
        told = self.told(self.bring(signed(invitation(scope="openid konnect/guestok"))))
        claims = claims_of(json_of(application.redeem(told["code"]))["id_token"])

        self.assertEqual(claims["sub"], public_subject(ALICE.subject, self.daemon.people.name))
        self.assertNotIn("guest", claims)

    def test_person_must_be_asked(self) -> None:
        """A request that wants somebody to do something is for people."""
        for number, prompt in enumerate(("login", "consent", "select_account", "login consent")):
            self.assertSignInPage(self.bring(signed(invitation(prompt=prompt, jti=f"jti-{number}"))))

    def test_hint(self) -> None:
        """A guest is not whom the request means when it means somebody else."""
        asked = guest_claims()
        asked["id_token"]["sub"] = {"value": "somebody"}  # type: ignore[index] # an object

        self.assertSignInPage(self.bring(signed(invitation(claims=asked))))


class RefusedTests(GuestCase):
    """Clients and objects that are not good for it."""

    def refused(self, token: str, client: Client = KIOSK) -> str:
        """Return the error that the client is told."""
        return self.told(self.bring(token, client), client).get("error", "")

    def test_replay(self) -> None:
        """REPLAY: an object that was used is refused, to anybody, for as long as it could be good."""
        token = signed(invitation(exp=NOON + 300))
        first = self.told(self.bring(token))
        for seconds in (0, 100, 250):
            self.daemon.clock.advance(seconds)
            self.visitor = Visitor(self.daemon)
            self.assertEqual(self.refused(token), "invalid_request_object", seconds)
        self.assertIn("code", first)

    def test_same_jti_of_another(self) -> None:
        """What one client has used another may use."""
        self.assertIn("code", self.told(self.bring(signed(invitation()))))
        self.assertIn("code", self.told(self.bring(signed(invitation(WIDE)), WIDE), WIDE))

    def test_without_end_or_name(self) -> None:
        """An object that could be used for ever, or again, is refused."""
        for changes in (
            {"exp": None},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"jti": "x" * 256},
            {"exp": NOON + 100_000},
            {"exp": NOON - 100},
        ):
            self.assertEqual(self.refused(signed(invitation(**changes))), "invalid_request_object", changes)

    def test_untrusted(self) -> None:
        """A client that its registration does not trust with guests brings none."""
        self.assertEqual(self.refused(signed(invitation(PLAIN)), PLAIN), "invalid_scope")
        self.assertEqual(self.refused(signed(invitation(STRANGER)), STRANGER), "invalid_scope")

    def test_unsigned(self) -> None:
        """What nobody signed brings no guest, whatever the client is trusted with."""
        self.assertSignInPage(self.bring(unsigned(invitation(UNSIGNED)), UNSIGNED))

    def test_foreign_key(self) -> None:
        """A key of somebody else's signs for nobody here."""
        self.assertEqual(self.refused(signed(invitation(), p256_key(8))), "invalid_request_object")

    def test_foreign_client(self) -> None:
        """What one client signed another can not use."""
        self.assertEqual(self.refused(signed(invitation(KIOSK)), WIDE), "invalid_request_object")

    def test_foreign_address(self) -> None:
        """An address that is not registered is no address, for guests neither."""
        visit = self.bring(signed(invitation(redirect_uri="https://evil.example/cb")))

        self.assertEqual((visit.left, visit.answer.status), (False, 400))

    def test_beside(self) -> None:
        """What stands beside the object makes nobody a guest: neither claims nor the scope."""
        claims = '{"id_token":{"guest":{"value":"mallory"}}}'
        self.assertSignInPage(self.bring(signed(invitation(claims=None)), claims=claims))
        self.assertSignInPage(self.bring(signed(invitation(scope="openid", jti="jti-2"))))

    def test_odd_values(self) -> None:
        """A guest has to be described by text that can be shown, or by nothing."""
        for number, claims in enumerate(
            (
                guest_claims(""),
                guest_claims(7),
                guest_claims("x" * 256),
                guest_claims("a\nb"),
                guest_claims(name=["x"]),
                guest_claims(email={"a": 1}),
                guest_claims(email_verified="yes"),
                {"id_token": {"guest": None}},
                {**guest_claims(), "passthru": "x" * 3000},
            )
        ):
            token = signed(invitation(claims=claims, jti=f"jti-{number}"))
            self.assertEqual(self.refused(token), "invalid_request_object", claims)


class PushCase(GuestCase):
    """Objects that are pushed."""

    def push(self, token: str, client: Client = KIOSK, **beside: str) -> Heard:
        """Leave an object here."""
        sent = {"request": token, "client_id": client.client_id, **beside}
        return self.daemon.post(
            self.daemon.settings.paths.par, urlencode(sent), Application(self.daemon, client).basic()
        )

    def reference(self, token: str, client: Client = KIOSK) -> str:
        """Leave an object here, and return what stands for it."""
        return str(json_of(self.push(token, client))["request_uri"])

    def come(self, reference: str, client: Client = KIOSK, **beside: str) -> Visit:
        """Send the browser with a reference."""
        sent = urlencode({"client_id": client.client_id, "request_uri": reference, **beside})
        return self.visitor.open(f"{self.daemon.settings.paths.authorize}?{sent}")


class PushedTests(PushCase):
    """Guests in pushed requests."""

    def test_code_flow(self) -> None:
        """A guest in a pushed request is let in, with all that its client says of them."""
        asked = {**guest_claims(**EVERYTHING), "passthru": {"room": 7}}
        told = self.told(self.come(self.reference(signed(invitation(claims=asked)))))
        tokens = json_of(Application(self.daemon, KIOSK).redeem(told["code"]))
        access = claims_of(tokens["access_token"])

        self.assertEqual((told["state"], claims_of(tokens["id_token"])["guest"]), ("inside", "guest-77"))
        self.assertEqual(access["kc.identity"]["kc.i.da"]["e"], EVERYTHING["email"])
        self.assertEqual(access["kc.authorizedClaims"]["passthru"], {"room": 7})

    def test_used_twice(self) -> None:
        """REPLAY: a reference lets in one guest."""
        reference = self.reference(signed(invitation()))
        self.assertIn("code", self.told(self.come(reference)))
        visit = self.come(reference)

        self.assertEqual((visit.left, visit.answer.status), (False, 400))

    def test_pushed_twice(self) -> None:
        """REPLAY: an object that is pushed twice lets in one guest."""
        token = signed(invitation())
        first, second = self.reference(token), self.reference(token)
        self.assertIn("code", self.told(self.come(first)))

        self.assertEqual(self.told(self.come(second))["error"], "invalid_request_object")

    def test_pushed_and_sent(self) -> None:
        """REPLAY: an object is used up in whichever way it came first."""
        for number, pushed_first in enumerate((True, False)):
            token = signed(invitation(jti=f"jti-{number}"))
            reference = self.reference(token)
            ways = [lambda reference=reference: self.come(reference), lambda token=token: self.bring(token)]
            first, second = ways if pushed_first else reversed(ways)
            self.assertIn("code", self.told(first()))
            self.assertEqual(self.told(second())["error"], "invalid_request_object", pushed_first)

    def test_not_used_up_by_a_push(self) -> None:
        """An object whose browser never came is good for another push, for as long as it says."""
        token = signed(invitation(exp=NOON + 300))
        self.reference(token)
        self.daemon.clock.advance(200)

        self.assertIn("code", self.told(self.come(self.reference(token))))

    def test_object_ends_before_its_reference(self) -> None:
        """An object that ran out since it was pushed lets nobody in."""
        reference = self.reference(signed(invitation(exp=NOON - 30)))
        self.daemon.clock.advance(60)

        self.assertEqual(self.told(self.come(reference))["error"], "invalid_request_object")

    def test_untrusted(self) -> None:
        """A client that is not trusted with guests brings none."""
        told = self.told(self.come(self.reference(signed(invitation(PLAIN)), PLAIN), PLAIN), PLAIN)

        self.assertEqual(told["error"], "invalid_scope")

    def test_foreign_reference(self) -> None:
        """What one client pushed another can not use, however much it is trusted."""
        visit = self.come(self.reference(signed(invitation(KIOSK))), WIDE)

        self.assertEqual((visit.left, visit.answer.status), (False, 400))

    def test_unsigned(self) -> None:
        """What nobody signed brings no guest."""
        self.assertSignInPage(self.come(self.reference(unsigned(invitation(UNSIGNED)), UNSIGNED), UNSIGNED))

    def test_beside(self) -> None:
        """What stands beside the object, at the push or in the browser, makes nobody a guest."""
        claims = '{"id_token":{"guest":{"value":"mallory"}}}'
        answer = self.push(signed(invitation(claims=None)), claims=claims, scope=SCOPE)
        self.assertSignInPage(self.come(json_of(answer)["request_uri"], claims=claims, scope=SCOPE))

    def test_person_who_is_signed_in(self) -> None:
        """Whoever is signed in stays who they are, and uses up no object."""
        application, token = Application(self.daemon, KIOSK), signed(invitation(scope="openid konnect/guestok"))
        application.sign_in(self.visitor)
        told = self.told(self.come(self.reference(token)))
        claims = claims_of(json_of(application.redeem(told["code"]))["id_token"])
        self.visitor = Visitor(self.daemon)

        self.assertEqual(claims["sub"], public_subject(ALICE.subject, self.daemon.people.name))
        self.assertIn("code", self.told(self.come(self.reference(token))))

    def test_person_must_be_asked(self) -> None:
        """A request that wants somebody to do something is for people, from the page to the code."""
        page = self.come(self.reference(signed(invitation(prompt="login"))))
        self.assertSignInPage(page)
        visit = self.visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"])
        claims = claims_of(json_of(Application(self.daemon, KIOSK).redeem(self.told(visit)["code"]))["id_token"])

        self.assertNotIn("guest", claims)

    def test_deep(self) -> None:
        """An object of any depth is refused or lets its guest in, and is no mistake of ours."""
        for depth in (10, 500, *range(880, 1000), 2000):
            deep = json.dumps(invitation(jti=f"jti-{depth}", more=0)).replace(
                '"more": 0', f'"more": {"[" * depth}{"]" * depth}'
            )
            answer = self.push(signed_text(deep))
            self.assertIn(answer.status, {201, 400}, depth)
            if answer.status == 201:
                self.assertIn(self.come(json_of(answer)["request_uri"]).answer.status, {302, 400}, depth)


class OffTests(PushCase):
    """The option is not there."""

    words = ()

    def test_off(self) -> None:
        """Nobody brings anybody."""
        self.assertSignInPage(self.bring(signed(invitation())))

    def test_pushed(self) -> None:
        """Nor by a push."""
        self.assertSignInPage(self.come(self.reference(signed(invitation()))))
