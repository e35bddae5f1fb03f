"""What is seen of files that change, and of those that are written to while they are read."""

import os

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.config.traces import changing, digests, stamps
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


class ChangingTests(SynchronousTestCase):
    """Files between the beginning of reading and its end."""

    def setUp(self) -> None:
        """Write a file."""
        self.path = write(self, "clients.yaml", "clients: []\n")
        os.utime(self.path, (1, 1))
        words = ("--iss=https://id.example.com", f"--identifier-registration-conf={self.path}")
        self.settings = load((*words, f"--templates-path={self.path.parent}", "file"), {})
        self.before = stamps(self.settings)

    def changing(self) -> list[str]:
        """Return the files that were written to meanwhile."""
        return [fault.source for fault in changing(self.before, stamps(self.settings))]

    def test_quiet(self) -> None:
        """A file that nobody touches is whole."""
        self.assertEqual(self.changing(), [])

    def test_written_to(self) -> None:
        """One that is written to may be half of what it will be."""
        self.path.write_text("clients: []\nx: y\n")

        self.assertEqual(self.changing(), [str(self.path)])

    def test_written_to_with_as_many_bytes(self) -> None:
        """So may one whose size stays the same."""
        self.path.write_text("clients: {}\n")

        self.assertEqual(self.changing(), [str(self.path)])

    def test_exchanged(self) -> None:
        """One that gave way to another was whole, and so is the other."""
        other = self.path.with_name("other")
        other.write_text("clients: []\nx: y\n")
        other.replace(self.path)

        self.assertEqual(self.changing(), [])

    def test_removed(self) -> None:
        """One that is gone was whole."""
        self.path.unlink()

        self.assertEqual(self.changing(), [])

    def test_inside_of_a_folder(self) -> None:
        """Files in folders are looked at as well."""
        template = self.path.with_name("error.html")
        template.write_text("")
        self.before = stamps(self.settings)
        template.write_text("x")

        self.assertEqual(self.changing(), [str(template)])

    def test_configuration_file(self) -> None:
        """The configuration file itself is looked at as well."""
        conf = write(self, "k.conf", "oidc_issuer_identifier = https://id.example.com\n")
        self.settings = load((f"--config={conf}", "file"), {})
        self.before = stamps(self.settings)
        conf.write_text("oidc_issuer_identifier = https://id.example.org\n#\n")

        self.assertEqual(self.changing(), [str(conf)])
