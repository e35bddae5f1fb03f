"""What ``konnectd demo`` fills in, and how the issuer and the address to listen at follow each other."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from argon2 import PasswordHasher
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.contents import read_contents
from konnectd.config.settings import Settings
from konnectd.demo.assembly import CLIENT_ID, application_of, has_own_people, read_world, with_client
from konnectd.demo.command import read_settings, run
from konnectd.demo.people import PEOPLE
from konnectd.option import ConfigErrors
from tests.support.fakes import run as drive

FOUR = "127.0.0.1:8777"


def read(*argv: str, **environ: str) -> Settings:
    """Read a command line."""
    return read_settings(argv, environ)


class DefaultTests(SynchronousTestCase):
    """What counts when nobody said anything."""

    def test_nothing_has_to_be_given(self) -> None:
        """The demo has an issuer, an address and a backend of its own."""
        settings = read()

        self.assertEqual((settings.iss, settings.listen[0], settings.backend), ("http://localhost:8777", FOUR, "file"))

    def test_only_this_machine_is_listened_to(self) -> None:
        """Passwords that everybody knows are of no use to the network."""
        hosts = {address.rpartition(":")[0] for address in read().listen}

        self.assertEqual(hosts - {"127.0.0.1", "[::1]"}, set())

    def test_the_log_is_quiet(self) -> None:
        """The address to open does not drown, unless somebody wants to see more."""
        self.assertEqual((read().log_level, read("--log-level=debug").log_level), ("warn", "debug"))

    def test_everything_can_be_given_elsewhere(self) -> None:
        """Environment and file go before what the demo fills in."""
        file = Path(self.mktemp())
        file.write_text("oidc_issuer_identifier = https://file.example.com\nlisten = 127.0.0.1:9001\n")

        settings = read("--config", str(file))
        self.assertEqual((settings.iss, settings.listen), ("https://file.example.com", ("127.0.0.1:9001",)))
        self.assertEqual(read(OIDC_ISSUER_IDENTIFIER="https://env.example.com").iss, "https://env.example.com")

    def test_mistakes_are_told(self) -> None:
        """An option that does not exist is no less wrong here than anywhere else."""
        self.assertRaises(ConfigErrors, read, "--lisen=1")


class FollowTests(SynchronousTestCase):
    """Issuer and address go together."""

    def test_the_issuer_follows_the_address(self) -> None:
        """Another port is another issuer."""
        for address in ("127.0.0.1:9000", "localhost:9000", "[::1]:9000", ":9000", "0.0.0.0:9000"):
            self.assertEqual(read(f"--listen={address}").iss, "http://localhost:9000", address)

    def test_the_issuer_follows_the_base_path(self) -> None:
        """A path before all others is part of the issuer."""
        self.assertEqual(read("--uri-base-path=/sub").iss, "http://localhost:8777/sub")

    def test_the_address_follows_the_issuer(self) -> None:
        """Another issuer on this machine is another port."""
        settings = read("--iss=http://127.0.0.1:9000")

        self.assertEqual((settings.iss, settings.listen[0]), ("http://127.0.0.1:9000", "127.0.0.1:9000"))

    def test_both_can_be_given(self) -> None:
        """Then neither is changed."""
        settings = read("--iss=http://localhost:9000", "--listen=127.0.0.1:9001")

        self.assertEqual((settings.iss, settings.listen), ("http://localhost:9000", ("127.0.0.1:9001",)))

    def test_behind_a_proxy(self) -> None:
        """An issuer with TLS is served by a proxy, and the demo listens where it always does."""
        settings = read("--iss=https://id.example.com")

        self.assertEqual((settings.listen[0], settings.secure_cookies), (FOUR, True))

    def test_addresses_browsers_can_not_reach_need_an_issuer(self) -> None:
        """The demo does not guess what a socket or another interface is called."""
        for address in ("unix:/run/demo.sock", "192.0.2.1:8777", "127.0.0.1:0"):
            error = self.assertRaises(ConfigErrors, read, f"--listen={address}")

            self.assertIn("iss", str(error))


class ClientTests(SynchronousTestCase):
    """What the application is registered as."""

    def test_it_is_an_ordinary_public_client(self) -> None:
        """Nobody is spared the consent page, and PKCE is all that binds a code."""
        settings = read("--signing-method=ES256")
        contents = with_client(read_contents(settings, warn=lambda _: None), settings)
        client = contents.registry.by_id[CLIENT_ID]

        self.assertEqual((client.trusted, client.public), (False, True))
        self.assertEqual(client.redirect_uris, ("http://localhost:8777/demo/callback",))

    def test_it_is_below_the_base_path(self) -> None:
        """A proxy that passes on one path passes on the demo as well."""
        settings = read("--uri-base-path=/sub")

        self.assertEqual(application_of(settings).redirect_uri, "http://localhost:8777/sub/demo/callback")

    def test_own_clients_stay(self) -> None:
        """The registered applications are there beside it, and may not take its name."""
        file = Path(self.mktemp())
        file.write_text("clients:\n  - id: mine\n    redirect_uris: [http://localhost:3000/cb]\n")
        settings = read("--signing-method=ES256", "--identifier-registration-conf", str(file))
        contents = read_contents(settings, warn=lambda _: None)
        both = with_client(contents, settings)

        self.assertEqual([client.client_id for client in both.registry.clients], [CLIENT_ID, "mine"])
        error = self.assertRaises(ConfigErrors, with_client, both, settings)
        self.assertIn("demo", str(error))


class PeopleTests(SynchronousTestCase):
    """Whose passwords are shown."""

    def test_the_hashes_are_those_of_the_passwords(self) -> None:
        """What the first page shows lets people in."""
        for person in PEOPLE:
            self.assertTrue(PasswordHasher().verify(person.password_hash, person.password))

    def test_people_of_ones_own(self) -> None:
        """Another backend, or a file of users, replaces alice and bob."""
        self.assertFalse(has_own_people(read()))
        self.assertTrue(has_own_people(read("--file-users=users.yaml")))
        self.assertTrue(has_own_people(read("ldap", "--ldap-uri=ldap://localhost", "--ldap-basedn=dc=example")))

    def test_the_demos_own_people_are_found(self) -> None:
        """Without a backend of somebody's own, alice and bob are there."""
        _, backend = read_world(read("--signing-method=ES256"), Clock())
        found = [drive(backend.find(person.end_user.user_id)) for person in PEOPLE]

        self.assertEqual(found, [person.end_user for person in PEOPLE])

    def test_all_faults_are_told_together(self) -> None:
        """Nobody has to start twice to find a missing file of users and a missing file of clients."""
        settings = read("--file-users=/nowhere/users.yaml", "--identifier-registration-conf=/nowhere/clients.yaml")
        error = self.assertRaises(ConfigErrors, read_world, settings, Clock())

        self.assertEqual({fault.option for fault in error.faults}, {"file_users", "identifier_registration_conf"})


class RunTests(SynchronousTestCase):
    """What ends the command before anything is served."""

    def test_help_is_no_start(self) -> None:
        """Whoever asks for help gets it, with what is most useful first."""
        shown = io.StringIO()
        with redirect_stdout(shown):
            status = run(["--help"])

        self.assertEqual(status, 0)
        self.assertLess(shown.getvalue().index("alice and bob"), shown.getvalue().index("--iss=URL"))
        self.assertIn("konnectd demo [options] [BACKEND]", shown.getvalue())

    def test_mistakes_end_it(self) -> None:
        """A wrong option is told on standard error, and the status says so."""
        told = io.StringIO()
        with redirect_stderr(told):
            status = run(["--lisen=1"])

        self.assertEqual(status, 1)
        self.assertIn("--lisen", told.getvalue())
