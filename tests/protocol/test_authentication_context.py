"""What ``acr`` says."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authentication_context import PASSWORD, SUPPORTED, context_of


class ContextTests(SynchronousTestCase):
    """From methods to a context."""

    def test_password(self) -> None:
        """A typed password is what SAML's class of that name means, and it is what metadata names."""
        self.assertEqual(context_of(("pwd",)), PASSWORD)
        self.assertEqual(context_of(("pwd", "mfa")), PASSWORD)
        self.assertEqual(SUPPORTED, (PASSWORD,))

    def test_nothing_known(self) -> None:
        """Nothing is claimed about a logon of which nothing is known."""
        self.assertEqual([context_of(amr) for amr in ((), ("swk",), ("password",))], [""] * 3)
