"""RP-Initiated Logout, module by module of the certification plan."""

import json

from konnectd.jose.keys import KeyRing, PrivateKey
from konnectd.jose.signing import KeyRingSigner
from tests.support.fakes import ReadableSigner, claims_of, header_of, run
from tests.support.forgery import segment
from tests.support.keys import rsa_key
from tests.support.requests import BYE
from tests.support.visitor import Visit, Visitor
from tests.web.certification.case import LONG_STATE
from tests.web.certification.leaving_case import LeavingCase


class BackTests(LeavingCase):
    """The person comes back to the application."""

    def test_rp_initiated_logout(self) -> None:
        """Exactly one state, as it was sent; then nobody is signed in."""
        self.assertEqual(self.back(self.leave()), {"state": LONG_STATE})
        self.assertSignedOut()

    def test_other_response_types(self) -> None:
        """The plan may be run with any response type; the hint is then the ID token of the answer itself."""
        for response_type in ("id_token", "id_token token", "code id_token", "code id_token token"):
            with self.subTest(response_type=response_type):
                self.visitor = Visitor(self.daemon)
                self.hint = self.authorize(response_type).parts["id_token"]

                self.assertEqual(self.back(self.leave()), {"state": LONG_STATE})
                self.assertSignedOut()

    def test_no_state(self) -> None:
        """Without a state there is none, not even an empty one."""
        visit = self.leave(state=None)

        self.assertEqual(visit.url, BYE)
        self.assertSignedOut()

    def test_everything_at_once(self) -> None:
        """A client may say in several ways who it is and whom it means."""
        visit = self.leave(client_id="leaver", logout_hint="alice")

        self.assertEqual(self.back(visit), {"state": LONG_STATE})


class StayTests(LeavingCase):
    """What is not proven leads nowhere."""

    def assertNowhere(self, visit: Visit) -> None:
        """Fail when the browser was sent away, or the session ended without a word."""
        self.assertFalse(visit.left, visit.url)
        self.assertEqual((visit.answer.status, visit.answer.header("Location")), (400, ""))
        self.assertIn("code", self.silent())

    def test_bad_post_logout_redirect_uri(self) -> None:
        """An address that is not registered is refused on a page."""
        self.assertNowhere(self.leave(post_logout_redirect_uri="https://notes.example.org/elsewhere"))

    def test_query_added_to_post_logout_redirect_uri(self) -> None:
        """A query that is not registered makes it another address."""
        for added in ("?x=1", "?", "?state=1"):
            with self.subTest(added=added):
                self.assertNowhere(self.leave(post_logout_redirect_uri=BYE + added))

    def test_modified_id_token_hint(self) -> None:
        """A hint without a signature is no hint."""
        header, claims = (segment(json.dumps(part).encode()) for part in ({"alg": "none"}, claims_of(self.hint)))

        self.assertNowhere(self.leave(id_token_hint=f"{header}.{claims}."))

    def test_bad_id_token_hint(self) -> None:
        """A hint that somebody else signed is no hint."""
        foreign = run(ReadableSigner(("RS256",), name="somebody else").sign(claims_of(self.hint)))

        self.assertNowhere(self.leave(id_token_hint=foreign))

    def test_forged_id_token_hint(self) -> None:
        """So is one that somebody signed who gave our key's id to a key of their own."""
        header = header_of(self.hint)
        own = PrivateKey(str(header["kid"]), rsa_key(9).key)
        forged = run(KeyRingSigner(KeyRing((own,), (), str(header["alg"]))).sign(claims_of(self.hint)))

        self.assertEqual(header_of(forged), header)
        self.assertNowhere(self.leave(id_token_hint=forged))

    def test_no_id_token_hint(self) -> None:
        """An address alone says nothing about whose it is."""
        self.assertNowhere(self.leave(id_token_hint=None))

    def test_logout_token_as_hint(self) -> None:
        """A token that told a client of another sign-out is no hint either."""
        claims = {**claims_of(self.hint), "events": {"http://schemas.openid.net/event/backchannel-logout": {}}}

        async def sign() -> str:
            return await self.daemon.world.signer.sign(claims)

        self.assertNowhere(self.leave(id_token_hint=run(sign())))


class AloneTests(LeavingCase):
    """The person leaves, and is not awaited anywhere."""

    def assertGone(self, visit: Visit) -> None:
        """Fail unless a page of ours says that nobody is signed in."""
        self.assertFalse(visit.left, visit.url)
        self.assertEqual(visit.title, "You are signed out")
        self.assertSignedOut()

    def test_no_params(self) -> None:
        """Without any parameter."""
        self.assertGone(self.leave(id_token_hint=None, post_logout_redirect_uri=None, state=None))

    def test_only_state(self) -> None:
        """With a state and nothing it could go back to."""
        self.assertGone(self.leave(id_token_hint=None, post_logout_redirect_uri=None))

    def test_no_post_logout_redirect_uri(self) -> None:
        """With a good hint and nowhere to go."""
        self.assertGone(self.leave(post_logout_redirect_uri=None))


class HintTests(LeavingCase):
    """Whether the person is asked."""

    def asked(self, **parameters: str) -> bool:
        """Tell whether the person is asked before anything ends."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.asks(self.visitor.open(f"/signin/v1/identifier/_/endsession?{query}"))

    def test_logout_hint(self) -> None:
        """Whoever is meant by a hint that proves nothing is asked; and so is who is not meant, in spite of a proof."""
        self.assertTrue(self.asked(client_id="leaver", logout_hint="alice"))
        self.assertTrue(self.asked(id_token_hint=self.hint, logout_hint="bob"))
        self.assertTrue(self.asked(id_token_hint=self.hint, client_id="leaver", logout_hint="another-session"))
        self.assertFalse(self.asked(id_token_hint=self.hint, logout_hint=str(self.claims["sid"])))

    def test_no_hint(self) -> None:
        """A client that only names itself has proven nothing."""
        self.assertTrue(self.asked(client_id="leaver", post_logout_redirect_uri=BYE))

    def test_expired_hint(self) -> None:
        """A hint may be old."""
        self.daemon.clock.advance(7200)

        self.assertEqual(self.back(self.leave()), {"state": LONG_STATE})
