"""Tests of the choice of a store and of the options it brings."""

from tests.config.cases import ISS, SettingsTestCase


class StoreTests(SettingsTestCase):
    """The store is chosen by name, and its options count only then."""

    def test_default(self) -> None:
        """Without a word it is the memory, which has no options."""
        found = self.load(ISS, "ldap")

        self.assertEqual((found.store, found.store_options), ("memory", {}))

    def test_chosen(self) -> None:
        """Flag, variable and line each choose it and give it its options."""
        ways = (
            self.load(ISS, "--store=redis", "--redis-prefix=k:", "ldap"),
            self.load(ISS, "ldap", environ={"KONNECTD_STORE": "redis", "REDIS_PREFIX": "k:"}),
            self.load(ISS, "ldap", environ={"KONNECTD_STORE": "redis", "KONNECTD_REDIS_PREFIX": "k:"}),
            self.load(ISS, "ldap", file="store = redis\nredis_prefix = k:\n"),
        )

        for found in ways:
            self.assertEqual((found.store, found.store_options["redis_prefix"]), ("redis", "k:"))
            self.assertEqual((found.warnings, found.backend), ((), "ldap"))

    def test_unknown(self) -> None:
        """The name of no store is refused with those there are."""
        self.assertEqual(
            self.faults(ISS, "--store=etcd", "ldap"),
            ["command line: --store: there is no store etcd; there is memory, redis, sqlite"],
        )

    def test_no_module_but_stores(self) -> None:
        """A name that is no file of the folder is never imported."""
        for name in ("os", "_redis_link", "../settings", "__init__"):
            with self.subTest(name=name):
                self.assertIn("there is no store", self.faults(ISS, f"--store={name}", "ldap")[0])

    def test_flag_of_another(self) -> None:
        """A flag of a store that was not chosen is a mistake."""
        self.assertEqual(
            self.faults(ISS, "--redis-prefix=x", "--store=sqlite", "ldap"),
            ["command line: --redis-prefix: is an option of redis, but the store is sqlite"],
        )

    def test_lines_of_another(self) -> None:
        """One file carries the settings of all stores; those of the chosen one are checked."""
        file = "store = sqlite\nredis_anything = 1\nREDIS_URL = x\nsqlite_pth = x\n"

        self.assertEqual(self.faults(ISS, "ldap", file=file), ["k.conf:4: sqlite_pth: is not an option"])

    def test_variables_of_another(self) -> None:
        """Nothing is said of variables of a store that was not chosen."""
        found = self.load(ISS, "ldap", environ={"REDIS_URL": "redis://x", "KONNECTD_REDIS_URL": "redis://x"})

        self.assertEqual(found.warnings, ())

    def test_bad_value(self) -> None:
        """A value that its option can not be is refused, and a password in it is not repeated."""
        (fault,) = self.faults(ISS, "--store=redis", "ldap", environ={"REDIS_URL": "redis://:geheim@redis.example"})

        self.assertIn("environment: REDIS_URL: must not have a password in it", fault)
        self.assertNotIn("geheim", fault)

    def test_secret(self) -> None:
        """Its password is not shown."""
        found = self.load(ISS, "--store=redis", "ldap", file="redis_password = hunter2\n")

        self.assertEqual(found.store_options["redis_password"], "hunter2")
        self.assertNotIn("hunter2", repr(found))
