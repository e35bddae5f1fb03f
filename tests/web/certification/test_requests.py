"""Request objects by value and by address: the last rows of the basic plan, and those of the dynamic plan."""

from urllib.parse import urlencode

from attrs import evolve

from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.request_objects import (
    CLIENT_RSA_KEY,
    OBJECT_CLIENTS,
    OBJECT_URI,
    SIGNING,
    UNSIGNING,
    contents,
    signed,
    unsigned,
)
from tests.support.requests import CALLBACK, MAIL
from tests.support.visitor import Visit, Visitor
from tests.web.certification.case import LONG_STATE, CertificationCase, told


class RequestCase(CertificationCase):
    """A client that sends objects, with the parameters outside that the tests send there."""

    client = UNSIGNING

    def setUp(self) -> None:
        """Begin with clients that are registered for objects."""
        self.daemon = Daemon(clients=(MAIL, *OBJECT_CLIENTS))
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def bring(self, **sent: str | None) -> Visit:
        """Send the browser here with ``state`` and ``nonce`` nowhere but inside; it signs in when it is asked to."""
        visit = self.app.arrive(
            self.visitor,
            **{"state": None, "nonce": None, "code_challenge": None, "code_challenge_method": None, **sent},
        )
        if visit.answer.status == 200 and "password" in visit.fields:
            visit = self.visitor.submit(visit, username="alice", password=self.daemon.people.passwords["alice"])
        return visit

    def inside(self, **changes: object) -> dict[str, object]:
        """Return what the object of the tests says."""
        return contents(self.client, code_challenge=None, code_challenge_method=None, state=LONG_STATE, **changes)

    def assertGood(self, visit: Visit) -> None:
        """Fail unless the code is good and everything comes from inside."""
        answer = told(visit)
        tokens = json_of(self.app.redeem(answer.parts["code"], code_verifier=None))

        self.assertEqual(answer.parts["state"], LONG_STATE)
        self.id_token(tokens["id_token"], "nonce-inside")


class UnsignedTests(RequestCase):
    """Clients that are registered with ``request_object_signing_alg=none``."""

    def test_by_value(self) -> None:
        """``oidcc-unsigned-request-object-supported-correctly-...``: state and nonce stand only inside."""
        self.assertGood(self.bring(request=unsigned(self.inside())))

    def test_by_address(self) -> None:
        """``oidcc-request-uri-unsigned-supported-correctly-...``."""
        self.daemon.web.pages[OBJECT_URI] = unsigned(self.inside()).encode()

        self.assertGood(self.bring(request_uri=f"{OBJECT_URI}#registered"))

    def test_good_address_inside(self) -> None:
        """``oidcc-ensure-request-object-with-redirect-uri``: a bad one beside it is not used."""
        bad = f"{CALLBACK}/not-registered"

        self.assertGood(self.bring(request=unsigned(self.inside(redirect_uri=CALLBACK)), redirect_uri=bad))


class RefusedTests(RequestCase):
    """Clients that are not: an unsigned object is refused as one, and never silently passed over."""

    client = SIGNING

    def test_by_value(self) -> None:
        """The client is told at the address it sent."""
        parts = told(self.bring(request=unsigned(self.inside()))).parts

        self.assertEqual(parts["error"], "invalid_request_object")
        self.assertNotIn("code", parts)

    def test_bad_address_beside(self) -> None:
        """With no good address outside there is a page, and no redirect anywhere."""
        visit = self.bring(request=unsigned(self.inside()), redirect_uri=f"{CALLBACK}/not-registered")

        self.assertEqual((visit.left, visit.answer.status), (False, 400))


class SignedTests(RequestCase):
    """Clients that sign."""

    client = SIGNING

    def test_by_address(self) -> None:
        """``oidcc-request-uri-signed-rs256``: the address is registered with its fragment and asked without."""
        self.daemon.web.pages[OBJECT_URI] = rs256(self.inside()).encode()

        self.assertGood(self.bring(request_uri=f"{OBJECT_URI}#registered"))
        self.assertEqual(self.daemon.web.asked, [OBJECT_URI])

    def test_by_value(self) -> None:
        """The same by value."""
        self.assertGood(self.bring(request=rs256(self.inside())))


class LongNameTests(RequestCase):
    """Clients that registered themselves have their registration in their name, which an object says twice."""

    client = evolve(SIGNING, client_id="dyn." + "x" * 2800)

    def setUp(self) -> None:
        """Begin with a client that has such a name."""
        super().setUp()
        self.daemon = Daemon(clients=(self.client,))
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)

    def test_by_address(self) -> None:
        """``oidcc-request-uri-signed-rs256``: the address of our page is not too long for it."""
        self.daemon.web.pages[OBJECT_URI] = rs256(self.inside()).encode()

        self.assertGood(self.bring(request_uri=OBJECT_URI))

    def test_pushed(self) -> None:
        """A pushed request is not either, and it is kept."""
        body = urlencode({**self.app.parameters(), "client_secret": SIGNING.secret})
        pushed = json_of(self.daemon.post(self.daemon.settings.paths.par, body))
        sent = urlencode({"client_id": self.client.client_id, "request_uri": pushed["request_uri"]})
        page = self.visitor.open(f"{self.daemon.settings.paths.authorize}?{sent}")
        visit = self.visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"])

        self.assertIn("code", told(visit).parts)


class MetadataTests(RequestCase):
    """What is announced, by which the tests decide what they try."""

    def test_document(self) -> None:
        """Both ways are on, ``none`` is not for everybody, and RS256 is for everybody."""
        document = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        for name in ("request_parameter_supported", "request_uri_parameter_supported"):
            self.assertIs(document[name], True)
        self.assertIs(document["require_request_uri_registration"], True)
        self.assertIn("RS256", document["request_object_signing_alg_values_supported"])
        self.assertNotIn("none", document["request_object_signing_alg_values_supported"])
        self.assertIs(document["require_pushed_authorization_requests"], False)


def rs256(claims: dict[str, object]) -> str:
    """Sign an object by RS256."""
    return signed(claims, CLIENT_RSA_KEY, "RS256")
