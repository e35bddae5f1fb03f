"""Files with certificates and keys, as operators give them and as they mix them up."""

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_address import Address, Kind
from konnectd.backends._kopano_dial import MOST_CONNECTIONS, Endpoints, make_pool
from konnectd.backends._kopano_tls import ClientCertificate, ServerTrust, client_options
from tests.support.files import folder, write
from tests.support.kopano.certificates import Certificates

#: When servers close a connection that nobody uses, in seconds.
SERVERS_CLOSE_AFTER = 5


class CertificateTests(SynchronousTestCase):
    """What the service shows."""

    def setUp(self) -> None:
        """Make some."""
        self.files = Certificates.in_folder(folder(self))

    def test_good(self) -> None:
        """A certificate and its key are taken, with the authorities between, in the order of the file."""
        content = self.files.certificate("client").read_bytes() + self.files.certificate("ca").read_bytes()
        found = ClientCertificate.load(write(self, "chain.pem", content), self.files.key("client"))

        self.assertEqual([one.getSubject().commonName for one in found.chain], [b"client", b"Groupware CA"])

    def test_one_file(self) -> None:
        """Both may stand in one file."""
        content = self.files.key("client").read_bytes() + self.files.certificate("client").read_bytes()
        path = write(self, "both.pem", content)

        self.assertEqual(len(ClientCertificate.load(path, path).chain), 1)

    def test_bad(self) -> None:
        """What can not be used is told with the file it is in, at start."""
        certificate, key = self.files.certificate("client"), self.files.key("client")
        private = load_pem_private_key(key.read_bytes(), None)
        locked = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s3cret"))
        missing = folder(self) / "missing.pem"
        for shown, proof, pattern in (
            (missing, key, "missing.pem can not be read: No such file"),
            (certificate, missing, "missing.pem can not be read: No such file"),
            (key, key, "client.key has no certificate"),
            (certificate, certificate, "client.pem has no key"),
            (certificate, write(self, "locked.key", locked), "locked.key has no key .* without a passphrase"),
            (certificate, write(self, "long.key", b"x" * 100_000), "long.key is larger than"),
            (certificate, self.files.key("client2"), "client2.key is not that of the certificate in .*client.pem"),
        ):
            with self.subTest(pattern=pattern), self.assertRaisesRegex(ValueError, pattern):
                ClientCertificate.load(shown, proof)

    def test_key_is_not_shown(self) -> None:
        """A key does not get into a traceback."""
        found = ClientCertificate.load(self.files.certificate("client"), self.files.key("client"))

        self.assertNotIn("PKey", repr(found))

    def test_trust(self) -> None:
        """Authorities are read from a file, and a file without any is refused."""
        self.assertEqual(len(ServerTrust.load(self.files.certificate("ca")).authorities), 1)
        self.assertRaises(ValueError, ServerTrust.load, self.files.key("ca"))


class EndpointTests(SynchronousTestCase):
    """Where TLS begins."""

    def test_only_where_it_should(self) -> None:
        """An address for TLS is never spoken to without, nor another one with it."""
        options = client_options("localhost", ServerTrust(), None)
        for text, tls in (("https://localhost", None), ("http://localhost", options), ("file:///run/s", options)):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Endpoints(Clock(), Address.parse(text), tls, 1)


class PoolTests(SynchronousTestCase):
    """How long connections are kept."""

    def test_times(self) -> None:
        """Clearly shorter than servers keep them, or long where servers keep them for ever."""
        kept = {kind: make_pool(Clock(), kind, persistent=True).cachedConnectionTimeout for kind in Kind}

        self.assertLessEqual(max(kept[Kind.TCP], kept[Kind.TLS]), SERVERS_CLOSE_AFTER - 1.5)
        self.assertGreater(kept[Kind.UNIX], 60)

    def test_numbers(self) -> None:
        """As many are kept as there may be, and Twisted sends nothing again by itself."""
        pool = make_pool(Clock(), Kind.TCP, persistent=True)

        self.assertEqual((pool.maxPersistentPerHost, pool.retryAutomatically), (MOST_CONNECTIONS, False))
