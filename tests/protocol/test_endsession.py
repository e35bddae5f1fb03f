"""Leaving: where to, and whether the person has to say so."""

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.protocol.errors import Doubt, UntrustedRequestError
from konnectd.protocol.hint import Hint
from tests.support.people import ALICE, BOB, logon_of
from tests.support.redirects import answer_of, without_query
from tests.support.requests import BYE, CALLBACK, MAIL, NOTES, PAGE, form
from tests.support.strategies import HOSTILE_URIS, TEXT

LOGON = logon_of(ALICE, 1)
HINT = Hint(sub=LOGON.sub, client_id="notes", session_id=LOGON.session_id)


class VerifyTests(SynchronousTestCase):
    """Who asks, and where they want the browser to go."""

    def test_good(self) -> None:
        """A registered address is where the browser goes, with the state once and encoded."""
        cases = (
            (NOTES, HINT, form(post_logout_redirect_uri=BYE), BYE),
            (NOTES, HINT, form(post_logout_redirect_uri=BYE, client_id="notes"), BYE),
            (NOTES, None, form(post_logout_redirect_uri=BYE, client_id="notes"), BYE),
            (NOTES, HINT, form(post_logout_redirect_uri=BYE, state="a b&c"), f"{BYE}?state=a%20b%26c"),
            (PAGE, None, form(post_logout_redirect_uri=CALLBACK, client_id="page"), CALLBACK),
            (NOTES, HINT, form(), ""),
            (NOTES, HINT, form(state="s"), ""),
            (None, None, form(), ""),
            (None, None, form(client_id="stranger", state="s"), ""),
        )
        for client, hint, parameters, location in cases:
            request = EndSessionRequest.verify(client, hint, parameters)

            self.assertEqual((request.client, request.hint, request.location), (client, hint, location))

    def test_planted_state(self) -> None:
        """A state that stands in a registered address gives way to the one that was sent."""
        request = EndSessionRequest.verify(
            NOTES, HINT, form(post_logout_redirect_uri=NOTES.post_logout_redirect_uris[1], state="s")
        )

        self.assertEqual(answer_of(request.location), {"tenant": "1", "state": "s"})

    def test_refused(self) -> None:
        """An address nobody registered, or nobody answers for, and a hint of another client, are refused."""
        cases = (
            (None, None, form(post_logout_redirect_uri=BYE), Doubt.CLIENT),
            (None, None, form(post_logout_redirect_uri=BYE, client_id="stranger"), Doubt.CLIENT),
            (None, HINT, form(post_logout_redirect_uri=BYE), Doubt.CLIENT),
            (NOTES, HINT, form(client_id="mail"), Doubt.REQUEST),
            (NOTES, HINT, form(post_logout_redirect_uri=CALLBACK), Doubt.REDIRECT_URI),
            *((NOTES, HINT, form(post_logout_redirect_uri=uri), Doubt.REDIRECT_URI) for uri in HOSTILE_URIS if uri),
        )
        for client, hint, parameters, doubt in cases:
            with self.assertRaises(UntrustedRequestError, msg=str(list(parameters.items()))) as caught:
                EndSessionRequest.verify(client, hint, parameters)

            self.assertEqual(caught.exception.doubt, doubt)

    def test_languages_are_cut(self) -> None:
        """What is only for show does not grow beyond measure."""
        self.assertEqual(EndSessionRequest.verify(None, None, form(ui_locales="d" * 999)).ui_locales, "d" * 256)

    @settings(deadline=None)
    @given(TEXT)
    def test_any_state(self, state: str) -> None:
        """Whatever the state is, it arrives as it is behind the registered address."""
        request = EndSessionRequest.verify(NOTES, HINT, form(post_logout_redirect_uri=BYE, state=state))

        self.assertEqual(without_query(request.location), BYE)
        self.assertEqual(answer_of(request.location) if state else {}, {"state": state} if state else {})


class ConfirmTests(SynchronousTestCase):
    """Whether the person has to say that they want to leave."""

    def test_table(self) -> None:
        """Only the hint of this person's very session makes the question unnecessary."""
        client: Client = NOTES
        cases = (
            (None, True),
            (HINT, False),
            (Hint(sub="alice", client_id="notes", session_id=LOGON.session_id), False),
            (Hint(sub=LOGON.sub, client_id="notes"), False),
            (Hint(sub=LOGON.sub, client_id="notes", session_id=NOTES.sid_of(LOGON.session_id)), False),
            (Hint(sub=LOGON.sub, client_id="notes", session_id=MAIL.sid_of(LOGON.session_id)), True),
            (Hint(sub=LOGON.sub, client_id="notes", session_id="another"), True),
            (Hint(sub=logon_of(BOB, 1).sub, client_id="notes", session_id=LOGON.session_id), True),
            (Hint(sub="bob", client_id="notes"), True),
            (Hint(sub="", client_id="notes"), True),
        )
        for hint, wanted in cases:
            request = EndSessionRequest(client=client, hint=hint)

            self.assertIs(request.must_confirm(LOGON), wanted, hint)
