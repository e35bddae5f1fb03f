"""Folders for secrets: who may have a say in where they are, and changes that happen or do not."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.config.safe_folder import Owner, SafeFolder, UnsafeError, make, opened
from tests.support.files import folder

ME = Owner.myself()
#: Some user who is neither root nor who runs the tests.
STRANGER = 65_533


class FolderCase(SynchronousTestCase):
    """A folder that nobody else can change."""

    def setUp(self) -> None:
        """Make one."""
        self.path = folder(self)
        self.path.chmod(0o700)

    def refused(self, path: Path, friend: Owner | None = None) -> str:
        """Return why a folder can not be used."""

        def enter() -> None:
            with opened(path, friend):
                pass

        return str(self.assertRaises(UnsafeError, enter))

    def changed(self, change: Callable[[SafeFolder], object]) -> object:
        """Change the folder."""
        with opened(self.path) as place, place.alone():
            return change(place)

    def give_away(self, path: Path) -> None:
        """Give something to a stranger."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


class ReachTests(FolderCase):
    """Where a path may lead."""

    def test_own(self) -> None:
        """A folder of one's own can be used, also over one's own links."""
        (self.path / "inner").mkdir(0o700)
        (self.path / "link").symlink_to("inner")
        with opened(self.path / "link") as place:
            place.write_new("x", b"1", ME)

        self.assertEqual((self.path / "inner" / "x").read_bytes(), b"1")

    def test_upwards(self) -> None:
        """A link may lead up and down again."""
        (self.path / "inner").mkdir(0o700)
        (self.path / "inner" / "link").symlink_to("../inner/../inner")
        with opened(self.path / "inner" / "link") as place:
            self.assertEqual(place.state("nothing"), None)

    def test_missing(self) -> None:
        """There has to be one."""
        self.assertIn("No such file", self.refused(self.path / "nowhere"))

    def test_no_folder(self) -> None:
        """A file is none."""
        (self.path / "file").touch()

        self.assertIn("Not a directory", self.refused(self.path / "file"))

    def test_loop(self) -> None:
        """A loop of links ends."""
        (self.path / "a").symlink_to("b")
        (self.path / "b").symlink_to("a")

        self.assertIn("loop", self.refused(self.path / "a"))

    def test_row_28_writable_by_everybody(self) -> None:
        """Where everybody may write, anybody can exchange what is there."""
        self.path.chmod(0o777)

        self.assertIn("everybody may write", self.refused(self.path))

    def test_sticky(self) -> None:
        """A folder like /tmp can be on the way, but nothing is made in it itself."""
        self.path.chmod(0o1777)
        (self.path / "mine").mkdir(0o700)
        with opened(self.path / "mine") as place:
            place.write_new("x", b"1", ME)

        self.assertIn("everybody may write", self.refused(self.path))

    def test_link_of_a_stranger(self) -> None:
        """Nobody else leads us anywhere, not even to a good place."""
        (self.path / "good").mkdir(0o700)
        link = self.path / "link"
        link.symlink_to("good")
        self.give_away(link)

        self.assertIn("not followed", self.refused(link))

    def test_link_of_a_friend(self) -> None:
        """Not even who will own the files."""
        (self.path / "good").mkdir(0o700)
        link = self.path / "link"
        link.symlink_to("good")
        self.give_away(link)

        self.assertIn("not followed", self.refused(link, Owner(STRANGER, STRANGER)))

    def test_folder_of_a_stranger(self) -> None:
        """A folder of somebody else is not used, unless the files will be theirs."""
        self.give_away(self.path)

        self.assertIn("belongs to somebody else", self.refused(self.path))
        with opened(self.path, Owner(STRANGER, STRANGER)) as place:
            self.assertIsNone(place.state("x"))

    def test_group(self) -> None:
        """A group that is not ours must not write."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        os.chown(self.path, -1, STRANGER)
        self.path.chmod(0o770)

        self.assertIn("a group may write", self.refused(self.path))


class MakeTests(FolderCase):
    """Folders that are made."""

    def test_all_that_are_missing(self) -> None:
        """Each with its mode, whatever the mask is."""
        mask = os.umask(0)
        try:
            made = make(self.path / "a" / "b", ME, 0o750)
        finally:
            os.umask(mask)
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (self.path / "a", self.path / "a" / "b")]

        self.assertEqual((made, modes), (True, [0o750, 0o750]))

    def test_again(self) -> None:
        """What is there stays as it is."""
        self.path.chmod(0o711)

        self.assertEqual(make(self.path, ME, 0o700), False)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o711)

    def test_not_where_everybody_writes(self) -> None:
        """Nothing is made in a place that is not safe."""
        self.path.chmod(0o777)

        self.assertRaises(UnsafeError, make, self.path / "a", ME, 0o700)
        self.assertFalse((self.path / "a").exists())


class ChangeTests(FolderCase):
    """Changes of one step."""

    def test_new_file(self) -> None:
        """It is there whole and for its owner alone."""
        made = self.changed(lambda place: place.write_new("key", b"secret", ME))
        path = self.path / "key"

        self.assertEqual((made, path.read_bytes(), stat.S_IMODE(path.stat().st_mode)), (True, b"secret", 0o600))
        self.assertEqual([found.name for found in self.path.iterdir()], ["key"])

    def test_row_28_never_overwritten(self) -> None:
        """What is there stays, also a link that leads nowhere."""
        (self.path / "key").write_bytes(b"old")
        (self.path / "link").symlink_to("nowhere")
        made = [self.changed(lambda place, name=name: place.write_new(name, b"new", ME)) for name in ("key", "link")]  # type: ignore[misc] # a default

        self.assertEqual((made, (self.path / "key").read_bytes()), ([False, False], b"old"))
        self.assertEqual(sorted(found.name for found in self.path.iterdir()), ["key", "link"])

    def test_replace(self) -> None:
        """The new content comes in one step, with its own mode."""
        (self.path / "key").write_bytes(b"old")
        self.changed(lambda place: place.replace("key", b"new", ME, 0o640))

        self.assertEqual((self.path / "key").read_bytes(), b"new")
        self.assertEqual(stat.S_IMODE((self.path / "key").stat().st_mode), 0o640)

    def test_links(self) -> None:
        """A link is made once, and led somewhere else in one step."""
        first = self.changed(lambda place: place.link("l", "a"))
        second = self.changed(lambda place: place.link("l", "b"))
        self.changed(lambda place: place.relink("l", "c"))

        self.assertEqual((first, second, str((self.path / "l").readlink())), (True, False, "c"))

    def test_row_28_a_file_is_no_link(self) -> None:
        """A file is not taken away for a link."""
        (self.path / "key").write_bytes(b"old")

        self.assertRaises(UnsafeError, self.changed, lambda place: place.relink("key", "c"))
        self.assertEqual([found.name for found in self.path.iterdir()], ["key"])

    def test_remove(self) -> None:
        """What is not there can be taken away too."""
        (self.path / "key").touch()
        self.changed(lambda place: place.remove("key"))
        self.changed(lambda place: place.remove("key"))

        self.assertEqual(list(self.path.iterdir()), [])

    def test_alone(self) -> None:
        """Two commands do not change a folder at once."""
        with opened(self.path) as first, first.alone():
            self.assertIn("another command", str(self.assertRaises(UnsafeError, self.changed, lambda _: None)))

    def test_leftovers(self) -> None:
        """What a command that was killed has left behind is taken away; the rest stays."""
        for name in (".key.pem.0123456789ab.new", ".hidden", "key.pem"):
            (self.path / name).touch()
        self.changed(lambda _: None)

        self.assertEqual(sorted(found.name for found in self.path.iterdir()), [".hidden", "key.pem"])


class OwnerTests(SynchronousTestCase):
    """Users of the machine."""

    def test_known(self) -> None:
        """Root is always there."""
        self.assertEqual(Owner.of("root"), Owner(0, 0))

    def test_unknown(self) -> None:
        """Nobody else is made up."""
        self.assertRaises(ValueError, Owner.of, "no-such-user-here")
