"""Row 16: addresses that clients chose, and that must not lead into the provider's own network."""

from typing import Any

from attrs import evolve
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI
from twisted.web.error import SchemeNotSupported

from konnectd.config.registration import load_clients
from konnectd.fetch import LONGEST_ANSWER, MOST_AT_ONCE, SECONDS, GuardedFetch
from konnectd.interfaces import FetchError
from konnectd.jose.client_keys import MOST_KEYS, PAUSE, RegisteredKeys
from konnectd.option import ConfigErrors
from konnectd.outward import MOST_ADDRESSES, MOST_RECEIVED, GuardedEndpoint, GuardedEndpoints, LimitedEndpoint
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.request_object import locate
from konnectd.reach import Reach
from tests.support.assembly import Daemon
from tests.support.assertions import PUBLISHING, keyed
from tests.support.fakes import FixedClock, run
from tests.support.files import write
from tests.support.keys import p256_key
from tests.support.registering import ON, register
from tests.support.request_objects import OBJECT_URI, SIGNING
from tests.support.requests import CALLBACK
from tests.support.web_of_clients import WebOfClients
from tests.test_fetch import Server
from tests.test_outward import HOST, PORT, Net, Reader

PUBLIC = "93.184.216.34"
URL = f"https://{HOST}/keys"
#: One address of each network that is nobody's to be asked about, by what it is.
INSIDE = {
    "this network": "0.1.2.3",
    "private, large": "10.0.0.1",
    "shared by customers": "100.64.0.1",
    "this machine": "127.0.0.1",
    "link-local": "169.254.169.254",
    "private, middle": "172.16.0.1",
    "protocols": "192.0.0.8",
    "documentation 1": "192.0.2.1",
    "relays": "192.88.99.1",
    "private, small": "192.168.1.1",
    "benchmarks": "198.18.0.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "documentation 6": "2001:db8::1",
    "6to4": "2002:7f00:1::",
    "documentation 7": "3fff::1",
}


class Row16ReachTests(SynchronousTestCase):
    """Which machines are asked."""

    def test_row_16_networks(self) -> None:
        """No machine of any network that is not public."""
        self.assertEqual([name for name, address in INSIDE.items() if Reach().permits(address)], [])

    def test_row_16_public(self) -> None:
        """Public ones, so that the others are refused for their own reasons."""
        self.assertEqual([Reach().permits(address) for address in (PUBLIC, "2606:4700::1111")], [True, True])

    def test_row_16_six(self) -> None:
        """No address of the newer kind but ordinary ones."""
        for address in ("::1", "fe80::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1"):
            self.assertFalse(Reach().permits(address), address)

    def test_row_16_wrapped(self) -> None:
        """No address of the older kind inside one of the newer kind that it could not be by itself."""
        self.assertFalse(Reach().permits("::ffff:127.0.0.1"))
        self.assertTrue(Reach().permits(f"::ffff:{PUBLIC}"))

    def test_row_16_zone(self) -> None:
        """No interface of this machine."""
        self.assertFalse(Reach().permits("2606:4700::1111%eth0"))

    def test_row_16_nonsense(self) -> None:
        """Nothing that is no address."""
        for text in ("localhost", "127.1", "0x7f000001", ""):
            self.assertFalse(Reach().permits(text), text)


class Row16ConnectionTests(SynchronousTestCase):
    """Connections."""

    def connect(self, net: Net) -> Deferred[Any]:
        """Begin to connect."""
        return LimitedEndpoint(GuardedEndpoint(net, HOST, PORT, Reach())).connect(Factory.forProtocol(Reader))

    def test_row_16_inside(self) -> None:
        """A name that means a machine inside is not connected to."""
        net = Net(("127.0.0.1",), (PUBLIC,))
        self.failureResultOf(self.connect(net), FetchError)

        self.assertEqual(net.targets(), [])

    def test_row_16_one_inside(self) -> None:
        """Of several addresses those inside are not."""
        net = Net(("127.0.0.1", PUBLIC))
        connecting = self.connect(net)
        net.refuse(0)

        self.failureResultOf(connecting, ConnectError)
        self.assertEqual(net.targets(), [(PUBLIC, PORT)])

    def test_row_16_checked_address(self) -> None:
        """What was checked is what is connected to, and not its name once more."""
        net = Net((PUBLIC,), ("127.0.0.1",))
        self.connect(net)

        self.assertEqual((net.targets(), net.asked), ([(PUBLIC, PORT)], [HOST]))

    def test_row_16_many_addresses(self) -> None:
        """A name with very many addresses is not knocked at everywhere."""
        net = Net(tuple(f"93.184.216.{number}" for number in range(1, 50)))
        connecting = self.connect(net)
        for number in range(MOST_ADDRESSES):
            net.refuse(number)

        self.failureResultOf(connecting, ConnectError)
        self.assertEqual(len(net.targets()), MOST_ADDRESSES)

    def test_row_16_flood(self) -> None:
        """A server that sends without end is cut off."""
        net = Net((PUBLIC,))
        self.connect(net)
        ours, transport = net.accept()
        ours.dataReceived(b"x" * (MOST_RECEIVED + 1))

        self.assertTrue(transport.cut)

    def test_row_16_lingering(self) -> None:
        """One that does not let go is left."""
        net = Net((PUBLIC,))
        connecting = self.connect(net)
        _, transport = net.accept()
        self.successResultOf(connecting).transport.loseConnection()

        self.assertTrue(transport.cut)

    def test_row_16_in_the_clear(self) -> None:
        """Nothing is spoken but https."""
        for insecure in (False, True):
            endpoints = GuardedEndpoints(Net((PUBLIC,)), Reach(), insecure=insecure)

            self.assertRaises(
                SchemeNotSupported, endpoints.endpointForURI, URI.fromBytes(b"http://client.example.org/keys")
            )

    def test_row_16_guarded(self) -> None:
        """What the daemon asks with is guarded, for forms as for keys."""
        net = Net(("10.0.0.1",))
        fetch = GuardedFetch.over_network(net, Reach(), insecure=False)
        for asking in (fetch.get(URL), fetch.post(URL, ())):
            self.failureResultOf(Deferred.fromCoroutine(asking), FetchError)

        self.assertEqual(net.targets(), [])


class Row16FetchTests(SynchronousTestCase):
    """Questions and answers."""

    def setUp(self) -> None:
        """Start a client's server."""
        self.server = Server()
        self.clock = Clock()
        self.fetch = GuardedFetch(RequestTraversalAgent(self.server), self.clock)

    def get(self, url: str = URL) -> Deferred[bytes]:
        """Ask for something."""
        return Deferred.fromCoroutine(self.fetch.get(url))

    def test_row_16_scheme(self) -> None:
        """No address is asked but one of https."""
        for url in ("http://client.example.org/keys", "file:///etc/passwd"):
            self.failureResultOf(self.get(url), FetchError)

        self.assertEqual(self.server.asked, [])

    def test_row_16_plain(self) -> None:
        """Nor one that two readers could split differently."""
        self.failureResultOf(self.get("https://user@client.example.org/keys"), FetchError)

        self.assertEqual(self.server.asked, [])

    def test_row_16_redirect(self) -> None:
        """Nobody is followed elsewhere, and what is said with a redirect is no answer."""
        self.server.status, self.server.headers = 302, {"Location": "https://127.0.0.1/"}
        self.failureResultOf(self.get(), FetchError)

        self.assertEqual(len(self.server.asked), 1)

    def test_row_16_size(self) -> None:
        """No answer is read without end."""
        self.server.body = b"x" * (LONGEST_ANSWER + 1)

        self.failureResultOf(self.get(), FetchError)

    def test_row_16_time(self) -> None:
        """No answer is waited for without end."""
        self.server.body = None
        asking = self.get()
        self.clock.advance(SECONDS)

        self.failureResultOf(asking, FetchError)

    def test_row_16_at_once(self) -> None:
        """Nobody makes us ask without end at one time."""
        self.server.body = None
        asking = [self.get(f"https://host{number}.example{number}.org/") for number in range(MOST_AT_ONCE + 1)]
        begun = len(self.server.asked)
        self.clock.advance(SECONDS)
        for each in asking:
            self.failureResultOf(each, FetchError)

        self.assertEqual(begun, MOST_AT_ONCE)

    def test_row_16_same_address(self) -> None:
        """Nor twice for the same at one time."""
        self.server.body = None
        asking = [self.get() for _ in range(3)]
        self.clock.advance(SECONDS)
        for each in asking:
            self.failureResultOf(each, FetchError)

        self.assertEqual(len(self.server.asked), 1)


class Row16RegistrationTests(SynchronousTestCase):
    """Which addresses a client has."""

    def loads(self, line: str) -> bool:
        """Tell whether a file with one more line in a client's entry loads."""
        text = f"clients:\n  - id: a\n    secret: b\n    redirect_uris: ['{CALLBACK}']\n    {line}\n"
        try:
            load_clients(write(self, "c.yaml", text), loopback_issuer=False, warn=lambda _: None)
        except ConfigErrors:
            return False
        return True

    def test_row_16_in_a_file(self) -> None:
        """Addresses of keys, of objects and for sign-out are of https, in a file."""
        for name, value in (
            ("jwks_uri", "http://127.0.0.1/"),
            ("request_uris", "['http://127.0.0.1/']"),
            ("backchannel_logout_uri", "http://127.0.0.1/"),
        ):
            self.assertFalse(self.loads(f"{name}: {value}"), name)
            self.assertTrue(self.loads(f"{name}: {value.replace('http', 'https')}"), name)

    def test_row_16_by_registering(self) -> None:
        """So are they where a client registers itself."""
        daemon = Daemon(ON)
        for members in (
            {"jwks_uri": "http://127.0.0.1/"},
            {"request_uris": ["http://127.0.0.1/"]},
            {"backchannel_logout_uri": "http://127.0.0.1/"},
            {"sector_identifier_uri": "http://127.0.0.1/"},
        ):
            self.assertEqual(register(daemon, {"redirect_uris": [CALLBACK], **members}).status, 400, members)
        self.assertEqual(daemon.web.asked, [])

    def test_row_16_request_uri(self) -> None:
        """No request object is fetched but from an address that the client registered."""
        for uri in ("https://127.0.0.1/", f"{OBJECT_URI}/more", f"{OBJECT_URI}?x=1"):
            self.assertRaises(OAuthError, locate, SIGNING, uri)

        self.assertEqual(locate(SIGNING, OBJECT_URI), OBJECT_URI)

    def test_row_16_plain_request_uri(self) -> None:
        """Nor from one that two readers could split differently, though it is registered."""
        for uri in ("https://user@127.0.0.1/", "https://a.example/" + "a" * 512):
            self.assertRaises(OAuthError, locate, evolve(SIGNING, request_uris=(uri,)), uri)


class Row16KeyTests(SynchronousTestCase):
    """Keys at a client's address."""

    def setUp(self) -> None:
        """Publish a key."""
        self.web = WebOfClients()
        self.clock = FixedClock()
        self.keys = RegisteredKeys(self.web, self.clock)
        self.web.publish(PUBLISHING.jwks_uri, {"keys": [p256_key().public.to_jwk()]})

    def show(self, token: str, client: Client = PUBLISHING) -> bool:
        """Show a token; tell whether it is good."""
        return run(self.keys.verify(client, token, ("ES256",))) is not None

    def test_row_16_again_and_again(self) -> None:
        """Nobody makes us ask a client all the time by bad tokens."""
        for number in range(5):
            self.show(keyed(PUBLISHING, p256_key(2), jti=str(number)))
        self.assertEqual(len(self.web.asked), 1)
        self.clock.advance(PAUSE)
        self.show(keyed(PUBLISHING, p256_key(2)))

        self.assertEqual(len(self.web.asked), 2)

    def test_row_16_many_keys(self) -> None:
        """Nor try keys without end."""
        others = [p256_key(2).public.to_jwk() | {"kid": None} for _ in range(MOST_KEYS)]
        self.web.publish(PUBLISHING.jwks_uri, {"keys": [*others, p256_key().public.to_jwk()]})

        self.assertFalse(self.show(keyed(PUBLISHING)))

    def test_row_16_address_in_the_token(self) -> None:
        """Nor ask an address that stands in a token."""
        self.show(keyed(PUBLISHING, p256_key(2), jku="https://evil.example/keys"))

        self.assertEqual(set(self.web.asked), {PUBLISHING.jwks_uri})
