"""Codes and requests of devices as values."""

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol import device
from konnectd.protocol.client import Client
from konnectd.protocol.device import ALPHABET, GRANT_TYPE, DeviceCodes, DeviceRequest
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.scope import Scope
from tests.support.requests import form
from tests.support.strategies import TEXT

TV = Client(client_id="tv", grant_types=(GRANT_TYPE,), resources=("https://files.example",))
SUPPORTED = frozenset({"openid", "email", "konnect/raw_sub"})
REQUEST = DeviceRequest(
    handle="h-1", client_id="tv", scope=Scope.parse("openid email"), resources=("https://files.example",), expires_at=9
)


class UserCodeTests(SynchronousTestCase):
    """What people read and type. Spec: RFC 8628 6.1."""

    def test_entropy(self) -> None:
        """There are more than 2**34 codes, and a person who guesses hits one of them below 2**-31 (row 22)."""
        codes = len(set(ALPHABET)) ** device.USER_CODE_LENGTH

        self.assertGreater(codes, 2**34)
        self.assertLess(device.MOST_TRIES / codes, 2**-31)
        self.assertEqual(set(ALPHABET) & set("AEIOUY"), set())

    @settings(deadline=None, max_examples=60)
    @given(TEXT)
    def test_any_chance(self, chance: str) -> None:
        """What is made is found again however it is typed."""
        code = device.user_code_of(chance.encode("utf-8", "replace").decode())
        shown = device.shown(code)
        ways = (code, shown, shown.lower(), f"  {code[:2]} {code[2:]}\n", shown.replace("-", "\u2013"))

        self.assertEqual((len(shown), shown[4]), (9, "-"))
        self.assertEqual([device.find_user_code(way) for way in ways], [code] * len(ways))

    def test_every_letter(self) -> None:
        """All letters are used at each place."""
        made = [device.user_code_of(str(number)) for number in range(1000)]

        self.assertEqual([len({code[place] for code in made}) for place in range(8)], [20] * 8)
        self.assertEqual(len(set(made)), 1000)

    def test_no_code(self) -> None:
        """What has other letters, or another length, can be none."""
        for typed in ("", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ1", "-" * 60 + "BCDF-GHJK"):
            with self.subTest(typed=typed):
                self.assertIsNone(device.find_user_code(typed))

    @settings(deadline=None, max_examples=60)
    @given(TEXT)
    def test_any_text(self, typed: str) -> None:
        """Whatever is typed, what is found is a code."""
        found = device.find_user_code(typed)

        self.assertTrue(found is None or (len(found) == 8 and set(found) <= set(ALPHABET)))


class RequestTests(SynchronousTestCase):
    """What a device asks for."""

    def refused(self, client: Client = TV, **sent: str) -> str:
        """Return the error of a request."""
        with self.assertRaises(OAuthError) as caught:
            device.read_request(client, form(**sent), SUPPORTED)
        return str(caught.exception.code)

    def test_round_trip(self) -> None:
        """What was written is read again."""
        self.assertEqual(DeviceRequest.from_text(REQUEST.to_text()), REQUEST)

    def test_what_others_wrote(self) -> None:
        """Anything else is no request."""
        for text in ("", "{", "1", "[]", "{}", REQUEST.to_text().replace('"v":1', '"v":2')):
            with self.subTest(text=text):
                self.assertIsNone(DeviceRequest.from_text(text))

    @settings(deadline=None, max_examples=60)
    @given(TEXT)
    def test_any_stored_text(self, text: str) -> None:
        """Whatever is in the store is read or passed over."""
        self.assertIsNone(DeviceRequest.from_text(text))

    def test_scope(self) -> None:
        """What can not be granted is passed over; without openid there is nothing to begin with."""
        scope, resources = device.read_request(TV, form(scope="openid email nonsense"), SUPPORTED)

        self.assertEqual((str(scope), resources), ("openid email", ()))
        self.assertEqual([self.refused(), self.refused(scope="email")], ["invalid_scope"] * 2)

    def test_resources(self) -> None:
        """Only servers that the client is registered for. Spec: RFC 8707 2."""
        good = device.read_request(TV, form(scope="openid", resource="https://files.example"), SUPPORTED)

        self.assertEqual(good[1], ("https://files.example",))
        self.assertEqual(self.refused(scope="openid", resource="https://other.example"), "invalid_target")

    def test_challenge(self) -> None:
        """A challenge that nobody would check is refused, not passed over (row 7)."""
        for name in ("code_challenge", "code_challenge_method", "code_verifier"):
            with self.subTest(name=name):
                self.assertEqual(self.refused(scope="openid", **{name: "x"}), "invalid_request")

    def test_pairwise(self) -> None:
        """A client that knows people by names of its own does not get the backend's."""
        client = evolve(TV, pairwise=Pairwise(salt=b"salt", sector="tv.example"))
        wanted = Scope.parse("openid konnect/raw_sub")

        self.assertEqual(str(device.grantable(wanted, client, SUPPORTED)), "openid")
        self.assertEqual(device.grantable(wanted, TV, SUPPORTED), wanted)

    def test_registered(self) -> None:
        """A client has to be registered for devices."""
        device.check_registered(TV)
        with self.assertRaises(OAuthError) as caught:
            device.check_registered(evolve(TV, grant_types=()))

        self.assertEqual(caught.exception.code, "unauthorized_client")


class AnswerTests(SynchronousTestCase):
    """What a device is told. Spec: RFC 8628 3.2."""

    def test_members(self) -> None:
        """All of them, the address with the code in it as well."""
        codes = DeviceCodes(device_code="d", user_code="WDJB-MJHT", verification_uri="https://sso.example/device")

        self.assertEqual(
            codes.to_json(),
            {
                "device_code": "d",
                "user_code": "WDJB-MJHT",
                "verification_uri": "https://sso.example/device",
                "verification_uri_complete": "https://sso.example/device?user_code=WDJB-MJHT",
                "expires_in": 600,
                "interval": 5,
            },
        )
        self.assertNotIn("WDJB", repr(codes))

    def test_interval(self) -> None:
        """It grows by five seconds each time, to a minute; one second is given. Spec: RFC 8628 3.5."""
        waits = [device.interval_after(haste) for haste in (None, "1", "2", "11", "500")]

        self.assertEqual(waits, [4, 9, 14, 59, 59])

    def test_keys(self) -> None:
        """Entries of one device are apart, and none has the code in it."""
        handle = device.handle_of("the code")
        names = (device.request_key, device.answer_key, device.poll_key, device.haste_key)
        keys = {name(handle) for name in names}

        self.assertEqual(len(keys), 4)
        self.assertFalse(any("the code" in key for key in keys))
