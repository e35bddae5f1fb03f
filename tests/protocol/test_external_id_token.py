"""What an external ID token says beside who it is; what is not believed is in `tests.authorities.test_oidc_hostile`."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.external_id_token import MOST_METHODS, identity, is_time, methods


class MethodTests(SynchronousTestCase):
    """How somebody proved who they are."""

    def test_words(self) -> None:
        """Words are kept, each once."""
        self.assertEqual(methods({"amr": ["pwd", "otp", "pwd"]}), ("pwd", "otp"))

    def test_no_words(self) -> None:
        """Nothing else is."""
        self.assertEqual(methods({"amr": ["", "a\n", "x" * 33, 7, "\N{SNOWMAN}"]}), ())

    def test_no_list(self) -> None:
        """A text is no list of words."""
        self.assertEqual(methods({"amr": "pwd"}), ())

    def test_many(self) -> None:
        """There is an end."""
        self.assertEqual(len(methods({"amr": [f"m{number}" for number in range(99)]})), MOST_METHODS)


class IdentityTests(SynchronousTestCase):
    """Who it is."""

    def test_blanks(self) -> None:
        """Blanks around a name are none of it."""
        self.assertEqual(identity({"upn": " alice "}, "upn"), "alice")

    def test_verified_as_text(self) -> None:
        """Some providers write ``true`` as text."""
        self.assertEqual(identity({"email": "a@b", "email_verified": "true"}, "email"), "a@b")

    def test_verified_as_anything(self) -> None:
        """Nothing else is a verification."""
        self.assertEqual(
            [identity({"email": "a@b", "email_verified": word}, "email") for word in (1.5, "yes")], ["", ""]
        )


class TimeTests(SynchronousTestCase):
    """What a moment is."""

    def test_times(self) -> None:
        """Numbers are, also with a fraction; truth, text, and numbers without end are not."""
        self.assertEqual(
            [is_time(value) for value in (1, 1.5, True, "1", float("inf"), float("nan"), None)],
            [True, True, False, False, False, False, False],
        )
