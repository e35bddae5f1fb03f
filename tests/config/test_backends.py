"""Tests of the choice of a backend and of the options it brings."""

from pathlib import Path

from tests.config.cases import ISS, SettingsTestCase
from tests.support.files import write


class BackendTests(SettingsTestCase):
    """The backend is chosen by name, and its options count only then."""

    def test_words(self) -> None:
        """The first word is the backend, further ones are for it."""
        found = self.load("cookie", ISS, "https://backend.example")

        self.assertEqual((found.backend, found.backend_args), ("cookie", ("https://backend.example",)))

    def test_words_in_the_file(self) -> None:
        """The file can say both; words on the command line replace both."""
        file = "identity_manager = cookie\nidentity_manager_args = one two\n"

        self.assertEqual(self.load(ISS, file=file).backend_args, ("one", "two"))
        self.assertEqual(self.load(ISS, "ldap", file=file).backend_args, ())

    def test_words_for_nobody(self) -> None:
        """A backend that takes no words gets none."""
        self.assertEqual(self.faults(ISS, "ldap", "x"), ["identity_manager_args: ldap takes no further words: x"])

    def test_unknown(self) -> None:
        """The name of no backend is refused with those there are."""
        self.assertEqual(
            self.faults(ISS, "nis"),
            ["command line: identity_manager: there is no backend nis; there is absent, cookie, kc, ldap"],
        )

    def test_no_module_but_backends(self) -> None:
        """A name that is no file of the folder is never imported."""
        for name in ("os", "../settings", "ldap.x", "__init__", "LDAP"):
            with self.subTest(name=name):
                self.assertIn("there is no backend", self.faults(ISS, name)[0])

    def test_not_installed(self) -> None:
        """A backend without its library says so in one line."""
        self.assertIn("the backend absent can not be loaded", self.faults(ISS, "absent")[0])

    def test_flag_before_its_backend(self) -> None:
        """Its flags may stand before its name, with the value as the next word."""
        found = self.load("--ldap-uri", "ldap://x", ISS, "ldap")

        self.assertEqual((found.backend, found.backend_options["ldap_uri"]), ("ldap", "ldap://x"))

    def test_flag_of_another(self) -> None:
        """A flag of a backend that was not chosen is a mistake."""
        self.assertEqual(
            self.faults(ISS, "--ldap-uri=x", "kc"),
            ["command line: --ldap-uri: is an option of ldap, but the backend is kc"],
        )

    def test_lines_of_another(self) -> None:
        """One file carries the settings of all backends; those of the chosen one are checked."""
        file = "ldap_anything = 1\nLDAP_ANYTHING=1\nKOPANO_SERVER_USERNAM = x\nkc_server_ury = x\n"

        self.assertEqual(
            self.faults(ISS, "kc", file=file),
            ["k.conf:3: KOPANO_SERVER_USERNAM: is not an option", "k.conf:4: kc_server_ury: is not an option"],
        )
        self.assertEqual(
            self.load(ISS, "ldap", file="KOPANO_CLIENT_CERTIFICATE = x\nkc_server_ury = x\n").backend, "ldap"
        )

    def test_variables(self) -> None:
        """Its variables are its name in capitals, with and without our prefix, or names of its own."""
        self.assertEqual(self.load(ISS, "ldap", environ={"LDAP_URI": "x"}).backend_options["ldap_uri"], "x")
        self.assertEqual(self.load(ISS, "ldap", environ={"KONNECTD_LDAP_URI": "x"}).backend_options["ldap_uri"], "x")
        found = self.load(ISS, "kc", environ={"KOPANO_SERVER_DEFAULT_URI": "x"})
        self.assertEqual(found.backend_options["kc_server_uri"], "x")

    def test_bad_value(self) -> None:
        """A value that its option can not be is refused like any other."""
        self.assertEqual(
            self.faults(ISS, "ldap", environ={"LDAP_SCOPE": "deep"}),
            ["environment: LDAP_SCOPE: must be one of sub, one, base"],
        )


class SecretTests(SettingsTestCase):
    """A secret can be given as a file and is never shown."""

    def test_file(self) -> None:
        """Flag, variable and line can each name a file; its last line break does not count."""
        path = write(self, "password", "hunter2\r\n")
        ways = (
            self.load(ISS, "ldap", f"--ldap-bindpw-file={path}"),
            self.load(ISS, "ldap", environ={"LDAP_BINDPW_FILE": str(path)}),
            self.load(ISS, "ldap", file=f"ldap_bindpw_file = {path}\n"),
        )

        self.assertEqual([found.backend_options["ldap_bindpw"] for found in ways], ["hunter2"] * 3)

    def test_bad_file(self) -> None:
        """A file that is not there, empty or no text is a fault."""
        empty, binary = write(self, "empty", "\n"), write(self, "binary", b"\xff")
        for path, problem in (
            (Path("nowhere"), "can not be read"),
            (empty, "is empty"),
            (binary, "is not UTF-8"),
            (empty.parent, "can not be read"),
        ):
            with self.subTest(path=path):
                self.assertIn(problem, self.faults(ISS, "ldap", f"--ldap-bindpw-file={path}")[0])

    def test_not_shown(self) -> None:
        """Neither settings nor their faults repeat it."""
        found = self.load(ISS, "ldap", file="ldap_bindpw = hunter2\n")

        self.assertNotIn("hunter2", repr(found))

    def test_flag_is_warned_of(self) -> None:
        """Everybody on the machine sees the words a process was started with."""
        found = self.load(ISS, "ldap", "--ldap-bindpw=hunter2")

        self.assertIn("--ldap-bindpw shows a secret", found.warnings[0])
        self.assertNotIn("hunter2", found.warnings[0])
