"""The stand-in for the groupware server says byte for byte what the real one has said."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.kopano.captures import FOLDER, Capture, Preparation, captures, replay

_ISSUER_IS_GONE = "the token is over and nobody has the key of its issuer, so the stand-in refuses it"
_NO_SESSION = "uses the session that such a token would have opened"

#: The exchanges that are not the same unless the stand-in is told to take their tokens as good.
EXCEPTIONS = {
    "konnectd-go-ssoLogon": _ISSUER_IS_GONE,
    "konnectd-go-logoff": _NO_SESSION,
    "ssoLogon-kcoidc-ok": _ISSUER_IS_GONE,
    "ssoLogon-kcoidc-session-usable": _NO_SESSION,
    "ssoLogon-kcoidc-empty-username": _ISSUER_IS_GONE,
    "ssoLogon-kcoidc-no-unicode": _ISSUER_IS_GONE,
}
#: Exchanges that show a token that was good in itself, signed by its issuer and not over.
SIGNED = (
    "konnectd-go-ssoLogon",
    "ssoLogon-kcoidc-ok",
    "ssoLogon-kcoidc-missing-scope",
    "ssoLogon-kcoidc-id-token",
)


def different(preparation: Preparation) -> list[str]:
    """Return the exchanges whose response is another one with the stand-in."""
    heard = replay(preparation)
    return [capture.name for capture in captures() if heard[capture.name] != capture.response]


def named(name: str) -> Capture:
    """Return an exchange."""
    return next(capture for capture in captures() if capture.name == name)


class CaptureTests(SynchronousTestCase):
    """All exchanges with a real server are had again."""

    def test_all_of_them(self) -> None:
        """With the ids of its sessions, and tokens taken as good that once were, every response is the same."""
        tokens = frozenset(named(name).token for name in SIGNED)

        self.assertEqual(different(Preparation(tokens=tokens)), [])

    def test_exceptions(self) -> None:
        """Without those tokens, the responses of the table are others, and no further one."""
        self.assertEqual(different(Preparation()), list(EXCEPTIONS))

    def test_sessions_have_ids_of_their_own(self) -> None:
        """Left alone, the stand-in gives no id that a real server has given."""
        heard = replay(Preparation(sessions=False))
        given = [capture for capture in captures() if capture.new_session]

        self.assertEqual([capture.name for capture in given if heard[capture.name] == capture.response], [])

    def test_none_is_left_out(self) -> None:
        """Whatever has files is in the index, and so is had again."""
        files = {path.name.partition(".")[0] for path in FOLDER.glob("*.request.http")}

        self.assertEqual({capture.name for capture in captures()}, files)
