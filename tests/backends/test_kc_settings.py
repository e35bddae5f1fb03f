"""Settings of the Kopano backend: what is read, and what is found wrong without asking a server."""

from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_settings import Settings, read_settings
from konnectd.config.settings import load
from konnectd.option import ConfigErrors
from tests.support.files import folder, write
from tests.support.kopano.certificates import Certificates

ISS = "--iss=https://id.example.com"
SOCKET = "file:///run/kopano/server.sock"


class Case(SynchronousTestCase):
    """Reads settings."""

    def faults(self, **options: object) -> list[str]:
        """Return what is wrong with some options."""
        error = self.assertRaises(ConfigErrors, read_settings, options)
        return [str(fault) for fault in error.faults]


class OptionTests(SynchronousTestCase):
    """Where options are given, and under which names."""

    def read(self, *words: str, environ: Mapping[str, str] | None = None, file: str = "") -> Settings:
        """Return settings as the daemon reads them."""
        found = load((ISS, *words, f"--config={write(self, 'k.conf', file)}", "kc"), environ or {})
        return read_settings(found.backend_options)

    def test_defaults(self) -> None:
        """Without a word it is the server's port on this machine, and people have sessions of their own."""
        found = self.read()

        self.assertEqual((str(found.address), found.account), ("http://127.0.0.1:236", None))
        self.assertEqual((found.session_timeout, found.usable_for, found.timeout), (300, 240, 10))

    def test_variables(self) -> None:
        """The variables that Konnect has."""
        found = self.read(
            environ={
                "KOPANO_SERVER_DEFAULT_URI": SOCKET,
                "KOPANO_SERVER_USERNAME": "svc",
                "KOPANO_SERVER_PASSWORD": "svc-secret",
                "KOPANO_SERVER_SESSION_TIMEOUT": "900",
            }
        )

        self.assertEqual((str(found.address), found.session_timeout), (SOCKET, 900))
        self.assertEqual(found.account and (found.account.username, found.account.password), ("svc", "svc-secret"))

    def test_file(self) -> None:
        """The keys of Konnect's file, and its variables as lines in it."""
        keys = self.read(file=f"kc_server_uri = {SOCKET}\nkc_session_timeout = 900\n")
        lines = self.read(file=f"KOPANO_SERVER_DEFAULT_URI={SOCKET}\nKOPANO_SERVER_SESSION_TIMEOUT=900\n")

        self.assertEqual(keys, lines)
        self.assertEqual((str(keys.address), keys.session_timeout), (SOCKET, 900))

    def test_files_of_secrets(self) -> None:
        """Name and password may stand in files, under the names of Konnect's container too."""
        name, password = str(write(self, "name", "svc\n")), str(write(self, "password", "svc-secret\n"))
        for prefix in ("KOPANO_SERVER", "KONNECTD_KOPANO_SERVER", "KC_SERVER"):
            found = self.read(environ={f"{prefix}_USERNAME_FILE": name, f"{prefix}_PASSWORD_FILE": password})

            self.assertEqual(found.account and found.account.password, "svc-secret")

    def test_unknown(self) -> None:
        """A setting that is nearly one of ours is a mistake, whichever way it is spelled."""
        file = write(self, "k.conf", "kc_server_ury = x\nKOPANO_SERVER_USERNAM = x\nKOPANO_CLIENT_CERT = x\n")

        error = self.assertRaises(ConfigErrors, load, (ISS, f"--config={file}", "kc"), {})

        self.assertEqual([fault.option for fault in error.faults], file.read_text().split(" = x\n")[:3])

    def test_of_another_backend(self) -> None:
        """A file carries the settings of all backends, and the others do not mind ours."""
        file = write(self, "k.conf", "kc_server_ury = x\nKOPANO_SERVER_USERNAM = x\nKOPANO_CLIENT_CERTIFICATE = x\n")

        self.assertEqual(load((ISS, f"--config={file}", "ldap"), {}).backend, "ldap")

    def test_of_the_cookie_backend(self) -> None:
        """Pages of somebody else's sign-in do not go with this backend."""
        for flag in ("--authorization-endpoint-uri=https://x", "--endsession-endpoint-uri=https://x"):
            error = self.assertRaises(ConfigErrors, load, (ISS, flag, "kc"), {})

            self.assertIn(flag.partition("=")[0], str(error))

    def test_not_shown(self) -> None:
        """Neither settings nor their faults repeat the password."""
        found = self.read(environ={"KOPANO_SERVER_USERNAME": "svc", "KOPANO_SERVER_PASSWORD": "svc-secret"})

        self.assertNotIn("svc-secret", repr(found))


class FaultTests(Case):
    """What is wrong is told in words, all at once."""

    def test_addresses(self) -> None:
        """An address is one of three kinds."""
        for uri in ("", "kopano.example", "ftp://x", "http://", "file://run/x", "https://x:99999", "http://a b/"):
            with self.subTest(uri=uri):
                self.assertRegex(self.faults(kc_server_uri=uri)[0], "^kc_server_uri: must ")

    def test_timeouts(self) -> None:
        """A session of a minute or less could not be used before its end."""
        for value in ("60", "0", "-1", "x", "", "1.5", "99999999"):
            with self.subTest(value=value):
                self.assertRegex(self.faults(kc_session_timeout=value)[0], "^kc_session_timeout: must be")
        self.assertEqual(read_settings({"kc_session_timeout": 61}).usable_for, 1)
        self.assertRegex(self.faults(kc_timeout="0")[0], "^kc_timeout: must be")

    def test_accounts(self) -> None:
        """A password needs a name, a name a password; SYSTEM needs something else that proves it."""
        self.assertEqual(
            self.faults(kc_server_password="x"),
            ["kc_server_password: is a password without an account: give kc_server_username too"],
        )
        self.assertRegex(self.faults(kc_server_username="svc")[0], "^kc_server_password: is needed")
        for name in ("SYSTEM", "system"):
            self.assertRegex(self.faults(kc_server_username=name)[0], "unix socket or with kc_client_certificate")
        found = read_settings({"kc_server_uri": SOCKET, "kc_server_username": "SYSTEM"})

        self.assertEqual(found.account and found.account.username, "SYSTEM")

    def test_unsendable(self) -> None:
        """A name or password with characters that can not be sent is told without being repeated."""
        for name, password in (("a\x01", "x"), ("svc", "hunter\x022")):
            found = self.faults(kc_server_username=name, kc_server_password=password)

            self.assertRegex(found[0], "^kc_server_username: .* can not be sent")
            self.assertNotIn("hunter", found[0])

    def test_all_at_once(self) -> None:
        """Nobody has to start three times to find three faults."""
        found = self.faults(kc_server_uri="x", kc_session_timeout="1", kc_server_password="x", kc_tls_cacert="/nowhere")

        self.assertEqual(
            [fault.partition(":")[0] for fault in found],
            ["kc_server_uri", "kc_tls_cacert", "kc_server_password", "kc_session_timeout"],
        )


class CertificateTests(Case):
    """A certificate proves the service, and nothing else."""

    def setUp(self) -> None:
        """Make certificates."""
        self.files = Certificates.in_folder(folder(self))

    def certificate(self, **more: object) -> dict[str, object]:
        """Return options with a certificate and its key."""
        shown = {
            "kc_client_certificate": self.files.certificate("client"),
            "kc_client_private_key": self.files.key("client"),
        }
        return {"kc_server_uri": "https://localhost:237", **shown, **more}

    def test_alone(self) -> None:
        """Alone it stands for the server's own account."""
        found = read_settings(self.certificate())

        self.assertEqual(found.account and found.account.username, "SYSTEM")
        self.assertIsNotNone(found.certificate)

    def test_with_a_name(self) -> None:
        """With a name it is that of the name."""
        found = read_settings(self.certificate(kc_server_username="svc", kc_server_password="x"))

        self.assertEqual(found.account and found.account.username, "svc")

    def test_one_without_the_other(self) -> None:
        """Certificate and key go together, whether there is a name or not."""
        for missing in ("kc_client_certificate", "kc_client_private_key"):
            self.assertIn(f"{missing}: is needed with", self.faults(**self.certificate(**{missing: None}))[0])

    def test_without_tls(self) -> None:
        """It could never be shown without TLS."""
        for uri in (SOCKET, "http://localhost"):
            self.assertIn("of use with https:// only", self.faults(**self.certificate(kc_server_uri=uri))[0])

    def test_files(self) -> None:
        """Files that can not be read, or do not belong together, are told."""
        for options in (
            {"kc_client_certificate": Path("/nowhere")},
            {"kc_client_private_key": Path("/nowhere")},
            {"kc_client_private_key": self.files.key("ca")},
            {"kc_client_private_key": self.files.certificate("client")},
        ):
            self.assertRegex(self.faults(**self.certificate(**options))[0], "^kc_client_certificate: ")

    def test_authorities(self) -> None:
        """Authorities come from a file, and believing anybody is a choice."""
        trust = read_settings({"kc_tls_cacert": self.files.certificate("ca")}, insecure=True).trust

        self.assertEqual((len(trust.authorities), trust.insecure), (1, True))
        self.assertRegex(self.faults(kc_tls_cacert=self.files.key("ca"))[0], "^kc_tls_cacert: .* no certificate")
