"""Invariants of the authorization endpoint that no request may break."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToClient
from konnectd.flows.browser import LOGON, Browser
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.grant import code_key
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.fakes import memory_store, run
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.redirects import without_query
from tests.support.requests import CLIENTS, sent
from tests.support.strategies import CHANGES, LOGONS, PAIRS

#: Where a browser may be sent, ports of programs aside.
ADDRESSES = {uri.partition("?")[0].replace(":8000", "") for client in CLIENTS for uri in client.redirect_uris}


class RedirectTests(SynchronousTestCase):
    """Where browsers are sent."""

    def setUp(self) -> None:
        """Make one provider for all that is tried."""
        self.provider = Provider()
        self.browsers = (Browser(), self.provider.browser_of(ALICE), self.provider.browser_of(ALICE, ago=400))

    @settings(deadline=None, max_examples=400)
    @given(CHANGES, st.sampled_from([0, 1, 2]))
    def test_no_redirect_leaves(self, changes: dict[str, str | None], browser: int) -> None:
        """Whatever is sent, by whomever, no redirect leaves the registered addresses, and each is one clear answer."""
        try:
            answer = run(self.provider.authorize(sent(**changes), self.browsers[browser]))
        except UntrustedRequestError:
            return
        if not isinstance(answer, ToClient):
            return

        self.assertIn(without_query(answer.delivery.location).replace(":5555", ""), ADDRESSES)
        pairs = told(answer)
        self.assertNotEqual(bool({"code", "id_token"} & set(pairs)), "error" in pairs)
        self.assertEqual(pairs.get("state", ""), changes.get("state", "state-1") or "")

    @settings(deadline=None, max_examples=200)
    @given(CHANGES, st.sampled_from([0, 1, 2]), st.sampled_from(["none", " none", "none  "]))
    def test_silence(self, changes: dict[str, str | None], browser: int, prompt: str) -> None:
        """With prompt=none no page of ours is shown to anybody whose address is proven."""
        parameters = sent(**{**changes, "prompt": prompt})
        try:
            answer = run(self.provider.authorize(parameters, self.browsers[browser]))
        except UntrustedRequestError:
            return

        self.assertIsInstance(answer, ToClient)

    @settings(deadline=None, max_examples=200)
    @given(CHANGES, st.sampled_from([0, 1, 2]))
    def test_what_clients_are_told(self, changes: dict[str, str | None], browser: int) -> None:
        """An error has a code of the specification and a description in its characters."""
        try:
            answer = run(self.provider.authorize(sent(**changes), self.browsers[browser]))
        except UntrustedRequestError as error:
            self.assertRegex(error.description, r"\A[\x20\x21\x23-\x5B\x5D-\x7E]+\Z")
            return
        pairs = told(answer) if isinstance(answer, ToClient) else {}
        if "error" in pairs:
            self.assertIn(pairs["error"], set(ErrorCode))
            self.assertRegex(pairs["error_description"], r"\A[\x20\x21\x23-\x5B\x5D-\x7E]+\Z")

    @settings(deadline=None)
    @given(PAIRS)
    def test_any_parameters(self, pairs: list[tuple[str, str]]) -> None:
        """Parameters without any sense are refused by a page."""
        with self.assertRaises(UntrustedRequestError):
            run(self.provider.authorize(Parameters.from_pairs(dict(pairs).items()), self.browsers[1]))

    @settings(deadline=None)
    @given(CHANGES)
    def test_nothing_is_stored_for_nobody(self, changes: dict[str, str | None]) -> None:
        """A request of nobody stores nothing, so nobody can fill the store."""
        store = memory_store()
        provider = Provider(store=store)
        try:
            run(provider.authorize(sent(**changes), Browser()))
        except UntrustedRequestError:
            return

        self.assertEqual(len(store), 0)


class SealTests(SynchronousTestCase):
    """Sealed values, with the real sealer."""

    def setUp(self) -> None:
        """Make a provider with a secret."""
        self.sealer = SecretSealer(bytes(range(32)))
        self.provider = Provider(sealer=self.sealer)

    @settings(deadline=None)
    @given(LOGONS, st.sampled_from(["interaction", "consent", "retry", "KKFT", "", "kkt"]))
    def test_purpose(self, logon: object, purpose: str) -> None:
        """A logon that was sealed for any other purpose signs nobody in."""
        now = self.provider.clock.now()
        claims = self.provider.sign_in.begin(ALICE)[0].to_json()
        wrong = Browser({LOGON: self.sealer.seal(purpose, claims, now + 60)})
        right = Browser({LOGON: self.sealer.seal(LOGON, claims, now + 60)})

        self.assertIsNone(self.provider.sign_in.find(wrong))
        self.assertIsNotNone(self.provider.sign_in.find(right))

    @settings(deadline=None)
    @given(st.integers(0, 400), st.integers(1, 255))
    def test_damage(self, place: int, change: int) -> None:
        """A logon of which one character was changed signs nobody in."""
        sealed = self.provider.browser_of(ALICE).sealed[LOGON]
        place %= len(sealed)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        other = letters[(letters.index(sealed[place]) + change % 63 + 1) % 64]
        changed = sealed[:place] + other + sealed[place + 1 :]

        self.assertIsNone(self.provider.sign_in.find(Browser({LOGON: changed})))

    def test_whole_run(self) -> None:
        """With the real sealer a code is redeemed as with the readable one, and its tag tells who may."""
        code = self.provider.code()

        self.assertTrue(self.provider.redeem(code).access_token)
        self.assertIsNone(run(self.provider.store.get(code_key(code))))
