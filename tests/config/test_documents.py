"""Tests of what people read about the options."""

from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import documents
from konnectd.config.given import keys_of, variables_of
from konnectd.config.options import ABSENT, OPTIONS
from konnectd.config.settings import load
from tests.support.files import folder, write

BACKENDS = "tests.config.backends"


class DocumentTests(SynchronousTestCase):
    """Help, configuration and manual come from the table and have all of it."""

    def test_generated_files_are_up_to_date(self) -> None:
        """What is delivered is what the table says."""
        root = Path(__file__).resolve().parents[2]
        for name, make in documents.DOCUMENTS.items():
            with self.subTest(name=name):
                self.assertEqual((root / name).read_text(encoding="utf-8"), make())

    def test_help(self) -> None:
        """Every option is in the help, and so are those of backends that can be loaded."""
        text = documents.usage("konnectd serve", BACKENDS)

        for option in OPTIONS:
            self.assertIn(f"  --{option.name}", text)
        self.assertIn("--ldap-uri=URI   [LDAP_URI]", text)
        self.assertIn("BACKEND says where users come from: absent, cookie, kc, ldap.", text)

    def test_configuration_can_be_read(self) -> None:
        """With every option's comment sign taken away, the file says the defaults."""
        lines = documents.configuration(BACKENDS).splitlines()
        text = "\n".join(line.removeprefix("#") for line in lines if line[:2] != "# ")
        path = write(self, "k.conf", text)
        argv = ["--iss=https://id.example.com", "ldap"]
        found, wanted = load([f"--config={path}", *argv], {}, BACKENDS), load(argv, {}, BACKENDS)

        self.assertEqual(
            set(found.sources) - set(wanted.sources) - {"ldap_scope"},
            {
                "key_rotation",
                "key_rotation_ahead",
                "listen",
                "response_types",
                "disable_identifier_client",
                "insecure",
                "proxy_protocol",
                *(f"survey{name}" for name in ("", "_enabled", "_url", "_insecure")),
                *(f"survey_{name}" for name in ("start_delay", "error_delay", "interval")),
                "require_pushed_authorization_requests",
                "allow_client_guests",
                "disable_local_logon",
                "allow_dynamic_client_registration",
                "dynamic_client_secret_expiration",
                "signing_method",
                "access_token_expiration",
                "id_token_expiration",
                "refresh_token_expiration",
                "refresh_token_grace",
                "consent_expiration",
                "stay_signed_in",
                "with_metrics",
                "metrics_listen",
                "with_pprof",
                "pprof_listen",
                "pprof_remote",
                "log_format",
                "logon_idle",
                "logon_lifetime",
                "log_level",
                "log_timestamp",
                "request_log",
                "store",
                "brand_logo_height",
                "username_label",
            },
        )
        self.assertEqual(found.backend_options, wanted.backend_options)
        self.assertEqual(found.branding, wanted.branding)
        self.assertEqual(
            (found.listen, found.signing_method, found.log_level, found.warnings),
            (wanted.listen, wanted.signing_method, wanted.log_level, ()),
        )

    def test_manual(self) -> None:
        """Every name an option can be given by is in the manual, and so is what is not there yet."""
        text = documents.manual(BACKENDS)

        for option in OPTIONS:
            for name in (*keys_of(option), *(variable for variable, _ in variables_of(option))):
                self.assertIn(f"`{name}`", text)
        for option in ABSENT:
            self.assertIn(option.env[0] if option.env else option.name, text)
        self.assertIn("`ldap_bindpw_file`", text)

    def test_asks_for_help(self) -> None:
        """Help is a flag anywhere before the end of flags."""
        found = [
            documents.asks_for_help(words)
            for words in (["ldap", "--help"], ["-h"], ["--", "--help"], ["--iss=--help"], [])
        ]

        self.assertEqual(found, [True, True, False, False, False])


class CommandTests(SynchronousTestCase):
    """Writing and checking."""

    def test_write_then_check(self) -> None:
        """What was written is up to date until somebody changes it."""
        root, errors = folder(self), StringIO()
        missing = documents.main(["--check"], root, errors)
        documents.main(["--write"], root, errors)
        fresh = documents.main(["--check"], root, errors)
        with (root / "etc" / "konnectd.conf").open("a") as file:
            file.write("x")
        changed = documents.main(["--check"], root, errors)

        self.assertEqual((missing, fresh, changed), (1, 0, 1))
        self.assertEqual(errors.getvalue().count("etc/konnectd.conf is not up to date"), 2)

    def test_usage(self) -> None:
        """Anything else is not understood."""
        self.assertEqual([documents.main(argv, folder(self), StringIO()) for argv in ([], ["--help"])], [2, 2])
