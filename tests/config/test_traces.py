"""What is seen of files that change, and of those that are written to while they are read."""

import os
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.config.traces import digests, held
from tests.support.files import folder, write


class DigestTests(SynchronousTestCase):
    """Files that options of a backend name."""

    def test_changed(self) -> None:
        """Another content is another digest."""
        path = write(self, "users.yaml", "a")
        before = digests({"file_users": str(path)})
        path.write_text("b")

        self.assertNotEqual(digests({"file_users": str(path)}), before)

    def test_written_again(self) -> None:
        """The same content is the same, whenever it was written."""
        path = write(self, "users.yaml", "a")
        before = digests({"file_users": path})
        os.utime(path, (1, 1))

        self.assertEqual(digests({"file_users": path}), before)

    def test_no_files(self) -> None:
        """What is no file has none, whatever it is."""
        values = {"a": 1, "b": "ldap://x", "c": folder(self), "d": "x\0y", "e": "x" * 9999, "f": None}

        self.assertEqual(digests(values), {})


class HeldTests(SynchronousTestCase):
    """Files between the beginning of reading and its end."""

    def setUp(self) -> None:
        """Write a file, long ago."""
        self.path = write(self, "clients.yaml", "clients: []\n")
        os.utime(self.path, (1, 1))
        words = ("--iss=https://id.example.com", f"--identifier-registration-conf={self.path}")
        self.settings = load((*words, f"--templates-path={self.path.parent}", "file"), {})

    def written_to(self, do: Callable[[], object]) -> list[str]:
        """Do something while files are held, and return those that were written to."""
        with held(self.settings) as files:
            do()
            return [fault.source for fault in files.written_to()]

    def exchange(self) -> None:
        """Let the file give way to another one."""
        other = self.path.with_name("other")
        other.write_text("clients: []\nx: y\n")
        other.replace(self.path)

    def test_quiet(self) -> None:
        """A file that nobody touches is whole."""
        self.assertEqual(self.written_to(lambda: None), [])

    def test_written_to(self) -> None:
        """One that is written to may be half of what it will be."""
        self.assertEqual(self.written_to(lambda: self.path.write_text("clients: []\nx: y\n")), [str(self.path)])

    def test_row_29_written_to_with_as_many_bytes(self) -> None:
        """So may one whose size stays the same."""
        self.assertEqual(self.written_to(lambda: self.path.write_text("clients: {}\n")), [str(self.path)])

    def test_exchanged(self) -> None:
        """One that gave way to another was whole."""
        self.assertEqual(self.written_to(self.exchange), [])

    def test_row_29_written_to_and_exchanged(self) -> None:
        """Unless somebody wrote to it before that."""

        def both() -> None:
            self.path.write_text("")
            self.exchange()

        self.assertEqual(self.written_to(both), [str(self.path)])

    def test_row_29_in_the_place_of_another(self) -> None:
        """One that has taken the place of another is looked at from then on."""
        with held(self.settings) as files:
            self.exchange()
            files.add_all(self.settings)
            self.path.write_text("")
            found = [fault.source for fault in files.written_to()]

        self.assertEqual(found, [str(self.path)])

    def test_nothing_new(self) -> None:
        """Whoever looks again where nothing has changed is told so."""
        with held(self.settings) as files:
            self.assertFalse(files.add_all(self.settings))

    def test_removed(self) -> None:
        """One that is gone was whole."""
        self.assertEqual(self.written_to(self.path.unlink), [])

    def test_row_29_inside_of_a_folder(self) -> None:
        """Files in folders are looked at as well."""
        template = self.path.with_name("error.html")
        template.write_text("")

        self.assertEqual(self.written_to(lambda: template.write_text("x")), [str(template)])

    def test_row_29_configuration_file(self) -> None:
        """The configuration file itself is looked at as well."""
        conf = write(self, "k.conf", "oidc_issuer_identifier = https://id.example.com\n")
        self.settings = load((f"--config={conf}", "file"), {})

        self.assertEqual(self.written_to(lambda: conf.write_text("#\n")), [str(conf)])

    def test_pipe(self) -> None:
        """A pipe that nobody writes into is not waited for."""
        self.path.unlink()
        os.mkfifo(self.path)

        self.assertEqual(self.written_to(lambda: None), [])

    def test_nothing_is_left_open(self) -> None:
        """Afterwards no file is open that was not before."""
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
        self.written_to(lambda: None)

        self.assertEqual(len(os.listdir("/proc/self/fd")), before)  # noqa: PTH208 - names
