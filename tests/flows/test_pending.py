"""Requests on their way through our pages."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import OAuthError, UntrustedRequestError
from konnectd.protocol.progress import PROGRESS_TTL, Progress
from tests.support.fakes import run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider, told
from tests.support.request_objects import SIGNING, contents, signed
from tests.support.requests import CALLBACK, NOTES, request_of, sent


class PendingRequestsTests(SynchronousTestCase):
    """Opening requests and keeping track of them."""

    def setUp(self) -> None:
        """Begin with a good request."""
        self.provider = Provider()
        self.pending = self.provider.pending
        self.request = request_of()

    def test_open(self) -> None:
        """A page gets the request that the authorization endpoint would have let through."""
        request = run(self.pending.open(sent(interaction="x", retry="y")))

        self.assertEqual(request.fingerprint, self.request.fingerprint)
        self.assertEqual((request.return_address, request.scope), (self.request.return_address, self.request.scope))

    def test_refused(self) -> None:
        """A page checks what it is given from the client's registration on."""
        with self.assertRaises(UntrustedRequestError):
            run(self.pending.open(sent(redirect_uri="https://evil.example/cb")))
        with self.assertRaises(UntrustedRequestError):
            run(self.pending.open(sent(client_id=None)))
        with self.assertRaises(OAuthError) as caught:
            run(self.pending.open(sent(scope="email")))
        self.assertNotIsInstance(caught.exception, UntrustedRequestError)

    def test_arrive(self) -> None:
        """The address that answers go to is the one that was proven; a plain request means what it says."""
        arrival = run(self.pending.arrive(sent()))

        self.assertEqual(arrival.address.client, NOTES)
        self.assertEqual((arrival.parameters, arrival.carried, arrival.reference), (sent(), sent(), ""))

    def test_begin(self) -> None:
        """It is noted since when a request is under way, and which session there was."""
        now = self.provider.clock.now()
        logon = logon_of(ALICE, now)
        begun = Progress(fingerprint=self.request.fingerprint, started_at=now)

        self.assertEqual(self.pending.begin(self.request, None), begun)
        self.assertEqual(self.pending.begin(self.request, logon).session_id, logon.session_id)

    def test_progress(self) -> None:
        """What was noted is found with its request, for an hour from the first page on, whenever it is sealed."""
        begun = self.pending.begin(self.request, None)
        self.provider.clock.advance(PROGRESS_TTL - 1)
        parameters = sent(interaction=self.pending.seal(begun))

        self.assertEqual(self.pending.progress(self.request, parameters), begun)
        self.assertIsNone(self.pending.progress(request_of(state="other"), parameters))
        self.provider.clock.advance(1)
        self.assertIsNone(self.pending.progress(self.request, parameters))

    def test_no_progress(self) -> None:
        """A request that has just begun, or carries what is not ours, has made none."""
        now = self.provider.clock.now()
        strange = self.provider.sealer.seal("interaction", {"v": 9}, now + 60)

        for parameters in (sent(), sent(interaction="x"), sent(interaction=strange)):
            self.assertIsNone(self.pending.progress(self.request, parameters))

    def test_wanted(self) -> None:
        """What can not be granted is passed over."""
        self.assertEqual(str(self.pending.wanted(request_of(scope="admin openid email"))), "openid email")

    def test_unreadable_and_nobody_looks(self) -> None:
        """With prompt=none the client is told that its keys are not to be had, where an address stands beside."""
        client = evolve(SIGNING, client_id="gone", jwks=None, jwks_uri="https://notes.example.org/keys")
        provider = Provider(client)
        browser, request = provider.browser_of(ALICE), signed(contents(client))
        known = {"client_id": "gone", "request": request}
        answer = provider.ask(browser, **known, prompt="none", redirect_uri=CALLBACK)

        self.assertEqual(told(answer)["error"], "temporarily_unavailable")
        for prompt, redirect_uri in ((None, CALLBACK), ("none", None), ("none", "https://evil.example/")):
            with self.assertRaises(BackendUnavailableError):
                provider.ask(browser, **known, prompt=prompt, redirect_uri=redirect_uri)
