"""The token with which a backend begins a session of its own."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.vouching import vouching_token
from tests.support.fakes import NOON
from tests.support.requests import ISSUER


class VouchingTests(SynchronousTestCase):
    """What a groupware server reads in it."""

    def test_claims(self) -> None:
        """It is for a minute, names the person by the backend's own id, and says nothing that our endpoints go by."""
        claims = vouching_token("ZW50cnkgaWQ=", ISSUER, "j-1", NOON)

        self.assertEqual(
            claims,
            {
                "iss": ISSUER,
                "aud": "konnect",
                "sub": "ZW50cnkgaWQ=",
                "iat": NOON,
                "exp": NOON + 60,
                "jti": "j-1",
                "kc.isAccessToken": True,
                "kc.authorizedScopes": ["openid", "kopano/gc"],
                "kc.identity": None,
            },
        )
