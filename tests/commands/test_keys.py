"""``konnectd keys`` as somebody types it, or as a timer does."""

import json

from twisted.trial.unittest import SynchronousTestCase

from konnectd.commands import keys
from konnectd.config import key_rotation_options
from konnectd.option import ConfigErrors
from tests.support.commands import Result, caught
from tests.support.files import folder, write
from tests.support.key_folders import MADE, YEAR, Installation, installation
from tests.support.keys import p256_key

DAY = 86_400


class KeysCase(SynchronousTestCase):
    """An installation, and the command."""

    def setUp(self) -> None:
        """Make an installation as Konnect has it."""
        self.place = installation(self, p256_key())
        self.now = MADE + 10 * DAY

    def run_keys(self, *words: str, place: Installation | None = None) -> Result:
        """Run the command."""
        flags = ("--signing-method=ES256", *(place or self.place).flags)
        return caught(lambda: keys.run((*words, *flags), {}, lambda: self.now))


class RotationTests(KeysCase):
    """One rotation, from the first word to the last."""

    def test_step_by_step(self) -> None:
        """New, a day, activate, three years, retire."""
        made = self.run_keys("new", "2024")
        early = self.run_keys("activate", "2024")
        self.now += DAY
        active = self.run_keys("activate", "2024")
        too_early = self.run_keys("retire", "2023")
        self.now += 3 * YEAR + DAY
        gone = self.run_keys("retire", "2023")

        self.assertEqual(
            [found.status for found in (made, early, active, too_early, gone)],
            [0, 1, 0, 1, 0],
        )
        self.assertEqual(self.place.states(), {"2024": "active"})

    def test_repeated(self) -> None:
        """Saying it again does no harm."""
        self.run_keys("new", "2024")
        again = self.run_keys("new", "2024")
        self.now += DAY
        first, second = self.run_keys("activate", "2024"), self.run_keys("activate", "2024")

        self.assertEqual((again.status, first.status, second.status), (0, 0, 0))
        self.assertIn("is there already", again.output)
        self.assertIn("signs already", second.output)

    def test_forced(self) -> None:
        """A stolen key is out at once."""
        self.run_keys("new", "2024")
        self.run_keys("activate", "2024", "--force")
        self.run_keys("retire", "2023", "--force")

        self.assertEqual(self.place.states(), {"2024": "active"})

    def test_timer(self) -> None:
        """A timer that runs every day does all of it, and never two things that have to wait for each other."""
        told: list[str] = []
        for _ in range(120):
            self.now += DAY
            told += self.run_keys("rotate", "--every=60d").output.splitlines()
        told = [
            line
            for line in told
            if line not in {"nothing is due", "Reload konnectd now, so that it knows (systemctl reload, or SIGHUP)."}
        ]

        self.assertEqual(
            [line.partition(": ")[2].partition(",")[0] for line in told],
            ["made and published", "signs now", "only its public half is kept"] * 2,
        )

    def test_nothing_due(self) -> None:
        """A timer that has nothing to do says so, and changes nothing."""
        before = self.place.files
        found = self.run_keys("rotate", "--every=60d")

        self.assertEqual((found, self.place.files), (Result(0, "nothing is due\n", ""), before))

    def test_no_secrets(self) -> None:
        """Nothing of a private key is printed."""
        outputs = [self.run_keys(*words) for words in (["new"], ["list"], ["list", "--json"])]

        self.assertNotIn("PRIVATE", "".join(found.output + found.errors for found in outputs))
        self.assertNotIn('"d"', outputs[2].output)

    def test_as_the_daemon(self) -> None:
        """Without spans, those that are configured for the daemon count, and those that are given win."""
        path = write(self, "k.conf", "key_rotation = 60d\nkey_rotation_ahead = 5d\n")
        self.now = MADE + 56 * DAY
        given = self.run_keys("rotate", f"--config={path}", "--ahead=1d")
        configured = self.run_keys("rotate", f"--config={path}")

        self.assertEqual(given.output, "nothing is due\n")
        self.assertIn("made and published", configured.output)


class ListTests(KeysCase):
    """What there is."""

    def test_table(self) -> None:
        """One line each, the one that signs first."""
        self.run_keys("new", "2024")
        lines = self.run_keys("list").output.splitlines()

        self.assertEqual(
            [line.split()[:4] for line in lines],
            [["2023", "P-256", "active", "since"], ["2024", "P-256", "published", "since"]],
        )

    def test_json(self) -> None:
        """The same for programs, with everything there is to know."""
        self.run_keys("new", "2024")
        found = json.loads(self.run_keys("list", "--json").output)

        self.assertEqual(
            [(key["kid"], key["state"], key["bits"]) for key in found["keys"]],
            [("2023", "active", 256), ("2024", "published", 256)],
        )
        self.assertEqual(found["keys"][1]["may_sign_from"], "2023-11-25T22:13:20Z")

    def test_broken(self) -> None:
        """A file that is no key is told, and the exit status is 1."""
        (self.place.keys / "x.pem").write_text("x")
        found = self.run_keys("list")

        self.assertEqual((found.status, found.output.count("\n"), found.errors.count("\n")), (1, 1, 1))

    def test_nothing(self) -> None:
        """Without any keys the way to some is told."""
        found = caught(lambda: keys.run(["list"], {}))

        self.assertEqual((found.status, found.output), (0, ""))
        self.assertIn("konnectd setup", found.errors)

    def test_configuration_file(self) -> None:
        """The file of the daemon says where keys are, whatever else is in it."""
        text = (
            f"oidc_issuer_identifier = nonsense\nsigning_private_key = {self.place.link}\n"
            f"validation_keys_path = {self.place.keys}\nrefresh_token_expiration = 86400\n"
        )
        path = write(self, "k.conf", text)
        found = caught(lambda: keys.run(["list", f"--config={path}"], {}))

        self.assertEqual((found.status, found.output.split()[0]), (0, "2023"))


class UsageTests(KeysCase):
    """Wrong words."""

    def test_misused(self) -> None:
        """The exit status is 2, and nothing is changed."""
        before = self.place.files
        cases = (
            (),
            ("frobnicate",),
            ("activate",),
            ("retire", "--force"),
            ("list", "extra"),
            ("rotate",),
            ("new", "--method=none"),
            ("activate", "2023", "--ahead=1"),
            ("rotate", "--every=x"),
            ("list", "--bogus"),
        )
        for words in cases:
            with self.subTest(words=words):
                found = self.run_keys(*words)

                self.assertEqual((found.status, found.output, found.errors[:16]), (2, "", "konnectd: keys: "))
        self.assertEqual(self.place.files, before)

    def test_help(self) -> None:
        """Help is no mistake."""
        self.assertEqual(caught(lambda: keys.run(["--help"], {})).status, 0)

    def test_unsafe(self) -> None:
        """A folder where everybody may write is refused in one line."""
        self.place.keys.chmod(0o777)
        found = self.run_keys("new")

        self.assertEqual((found.status, found.errors.count("\n")), (1, 1))

    def test_spans(self) -> None:
        """Spans are written as people write them."""
        self.assertEqual(
            [key_rotation_options.span(text) for text in ("90d", "36h", "10m", "5s", "7")],
            [90 * DAY, 129_600, 600, 5, 7],
        )
        for text in ("", "d", "-1d", "1w", "9" * 40, "4000d"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, key_rotation_options.span, text)

    def test_broken_configuration(self) -> None:
        """A line that can not be read is told with its number."""
        path = write(self, "k.conf", "signing_private_key\n")
        error = self.assertRaises(ConfigErrors, keys.read_key_settings, [f"--config={path}"], {})

        self.assertEqual([fault.source for fault in error.faults], [f"{path}:1"])

    def test_no_folder(self) -> None:
        """A folder that is not there is one line."""
        place = Installation(root=folder(self))
        found = self.run_keys("new", place=place)

        self.assertEqual((found.status, found.errors.count("\n")), (1, 1))
