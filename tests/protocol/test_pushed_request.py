"""What a client pushes, and how it is kept."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.pushed_request import (
    LONGEST_PUSHED,
    PREFIX,
    PushedRequest,
    check_size,
    is_pushed,
    pushable,
    pushed_key,
)
from tests.support.requests import form, sent


class PushedRequestTests(SynchronousTestCase):
    """Keeping requests."""

    def test_kept_as_it_is(self) -> None:
        """Reading what was written gives the same request."""
        pushed = PushedRequest(client_id="notes", parameters=sent(state="\u00e4 & ="), expires_at=7)

        self.assertEqual(PushedRequest.from_text(pushed.to_text()), pushed)

    def test_guest(self) -> None:
        """Of a request that brings a guest the object is kept, once, and says what it asks for."""
        signed: dict[str, object] = {"client_id": "notes", "state": "s", "exp": 9, "max_age": 7, "claims": {"a": 1}}
        parameters = form(client_id="notes", state="s", max_age="7", claims='{"a":1}')
        pushed = PushedRequest(client_id="notes", parameters=parameters, expires_at=7, signed=signed)

        self.assertEqual(PushedRequest.from_text(pushed.to_text()), pushed)
        self.assertEqual(pushed.to_text().count('"state"'), 1)

    def test_too_deep(self) -> None:
        """What can not be written is refused."""
        deep: object = 0
        for _ in range(5000):
            deep = [deep]
        pushed = PushedRequest(client_id="notes", parameters=sent(), expires_at=7, signed={"deep": deep})

        self.assertRaises(OAuthError, pushed.to_text)

    def test_too_deep_to_read(self) -> None:
        """What can not be read any more is as good as gone."""
        text = '{"v":2,"client":"notes","exp":7,"signed":{"a":' + "[" * 5000 + "]" * 5000 + "}}"

        self.assertIsNone(PushedRequest.from_text(text))

    def test_long_names(self) -> None:
        """The name of a client may be long, so it is kept once."""
        pushed = PushedRequest(client_id="notes", parameters=sent(), expires_at=7)

        self.assertEqual(pushed.to_text().count('"notes"'), 1)

    def test_another_version(self) -> None:
        """What another version wrote is not read."""
        self.assertIsNone(PushedRequest.from_text('{"v":2}'))

    def test_no_secrets(self) -> None:
        """What proves who the client is goes no further, nor does what only our own pages may say."""
        proof = {"client_secret": "s", "client_assertion": "a", "client_assertion_type": "t"}
        found = pushable(form(**proof, interaction="i", konnect="k", state="s"), "notes")

        self.assertEqual(dict(found.items()), {"client_id": "notes", "state": "s"})

    def test_reference_to_a_reference(self) -> None:
        """A reference can not be pushed."""
        with self.assertRaises(OAuthError):
            pushable(form(request_uri="urn:x"), "notes")

    def test_size(self) -> None:
        """What is kept has a limit."""
        self.assertEqual(check_size("x" * LONGEST_PUSHED), "x" * LONGEST_PUSHED)
        with self.assertRaises(OAuthError):
            check_size("x" * (LONGEST_PUSHED + 1))

    def test_key(self) -> None:
        """Who reads the store learns no reference."""
        self.assertNotIn("secret", pushed_key(f"{PREFIX}secret"))
        self.assertNotEqual(pushed_key(f"{PREFIX}a"), pushed_key(f"{PREFIX}b"))

    def test_references(self) -> None:
        """References are told from addresses."""
        self.assertTrue(is_pushed(f"{PREFIX}x"))
        self.assertFalse(is_pushed("https://notes.example.org/request.jwt"))
        self.assertFalse(is_pushed(""))
