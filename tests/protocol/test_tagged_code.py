"""Codes that we know as our own."""

from hypothesis import assume, given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.tagged_code import CODE, DEVICE_CODE, TAG_LENGTH, check_code, make_code
from tests.support.fakes import CountingEntropy, ReadableSealer
from tests.support.strategies import TEXT

TAG = ReadableSealer().tag
SECRET = CountingEntropy().token()


class TaggedCodeTests(SynchronousTestCase):
    """Whose a code is."""

    def is_ours(self, code: str, client_id: str = "notes", purpose: str = CODE) -> bool:
        """Tell whether a code is taken for one of ours."""
        try:
            check_code(code, client_id, purpose, TAG)
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_grant")
            return False
        return True

    def test_ours(self) -> None:
        """A code is the secret with its tag, and known again: for its client, and for its purpose."""
        code = make_code(SECRET, "notes", CODE, TAG)

        self.assertEqual((code[:-TAG_LENGTH], len(code)), (SECRET, 65))
        self.assertTrue(self.is_ours(code))
        self.assertFalse(self.is_ours(code, "mail"))
        self.assertFalse(self.is_ours(code, purpose=DEVICE_CODE))

    def test_changed(self) -> None:
        """One that was cut off, prolonged or changed is not."""
        code = make_code(SECRET, "notes", CODE, TAG)
        for other in (code[:-1], code[1:], code + "A", "A" + code, code[:-1] + "~", code[-TAG_LENGTH:], SECRET, ""):
            self.assertFalse(self.is_ours(other), other)

    @settings(deadline=None)
    @given(TEXT, TEXT)
    def test_any_text(self, text: str, client_id: str) -> None:
        """Whatever somebody makes up is none of ours, whoever they say they are."""
        assume(text[-TAG_LENGTH:] != TAG(CODE, f"{text[:-TAG_LENGTH]} {client_id}"))

        self.assertFalse(self.is_ours(text, client_id))
