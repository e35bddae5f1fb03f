"""Which options count after a reload, and which wait for a restart."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.options import OPTIONS
from konnectd.config.reloadable import RELOADABLE, settle
from konnectd.config.settings import Settings, load

ISS = "--iss=https://id.example.com"


def settings_of(*words: str) -> Settings:
    """Read settings."""
    return load((ISS, *words, "file"), {})


class SettleTests(SynchronousTestCase):
    """Old settings and new ones."""

    def test_nothing_changed(self) -> None:
        """Nothing waits where nothing has changed."""
        self.assertEqual(settle(settings_of(), settings_of())[1], ())

    def test_reloadable(self) -> None:
        """What says which clients, scopes and keys there are counts at once, and so does how pages look."""
        new = settings_of("--identifier-registration-conf=/c.yaml", "--brand-name=Example")
        settled, waiting = settle(settings_of(), new)

        self.assertEqual((settled, waiting), (new, ()))

    def test_row_29_waiting(self) -> None:
        """What the process was started with does not, and is named."""
        settled, waiting = settle(settings_of(), settings_of("--listen=127.0.0.1:1", "--access-token-expiration=7"))

        self.assertEqual(waiting, ("listen", "access_token_expiration"))
        self.assertEqual(settled.listen, ("127.0.0.1:8777",))

    def test_option_of_the_backend(self) -> None:
        """Options of backends and stores wait as well."""
        self.assertEqual(settle(settings_of(), settings_of("--file-users=/u.yaml"))[1], ("file_users",))

    def test_both(self) -> None:
        """What can count does, though something else waits."""
        new = settings_of("--listen=127.0.0.1:1", "--signing-kid=k", "--brand-name=Example")
        settled, _ = settle(settings_of(), new)

        self.assertEqual((settled.signing_kid, settled.branding.brand_name), ("k", "Example"))

    def test_place(self) -> None:
        """Faults found from now on have the new place of what counts, and the old one of what waits."""
        new = settings_of("--listen=127.0.0.1:1", "--signing-kid=k")
        settled, _ = settle(load((ISS, "file"), {"KONNECTD_LISTEN": "127.0.0.1:2"}), new)

        self.assertEqual((settled.sources["signing_kid"], settled.sources["listen"]), ("command line", "environment"))

    def test_waits_until_the_restart(self) -> None:
        """It is named again by the next reload."""
        new = settings_of("--listen=127.0.0.1:1")
        settled, _ = settle(settings_of(), new)

        self.assertEqual(settle(settled, new)[1], ("listen",))

    def test_names(self) -> None:
        """Each option that can be reloaded is one."""
        self.assertEqual(RELOADABLE - {option.dest for option in OPTIONS}, set())
