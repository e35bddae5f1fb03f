"""Files that earlier pages refer to: for how long, and how many of them, they are still there."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web import bygone
from konnectd.web.bygone import Bygone
from konnectd.web.static import StaticFile, StaticFiles


def files(**contents: str | bytes) -> StaticFiles:
    """Return style sheets by name."""
    made = {
        name: StaticFile.of(f"{name}.css", bytes(text, "ascii") if isinstance(text, str) else text, "/s/")
        for name, text in contents.items()
    }
    return StaticFiles(made)


class BygoneTests(SynchronousTestCase):
    """Files that gave way to others."""

    def paths(self, kept: Bygone) -> list[str]:
        """Return where they are, without what tells contents apart."""
        return [f"{route.path.partition('.')[0]}" for route in kept.routes]

    def test_replaced(self) -> None:
        """A file whose content has changed is still there."""
        old, new = files(a="1", b="2"), files(a="9", b="2")
        (route,) = Bygone().after(old, new, 0).routes

        self.assertEqual(route.path, old.url("a"))

    def test_same(self) -> None:
        """One that is served anyhow is not there twice, as no path may be."""
        self.assertEqual(Bygone().after(files(a="1"), files(a="1"), 0).routes, ())

    def test_back_again(self) -> None:
        """One that has come back is served anyhow."""
        kept = Bygone().after(files(a="1"), files(a="2"), 0)

        self.assertEqual(
            [route.path for route in kept.after(files(a="2"), files(a="1"), 0).routes], [files(a="2").url("a")]
        )

    def test_twice_gone(self) -> None:
        """One that was replaced a second time is there once."""
        kept = Bygone().after(files(a="1"), files(a="2"), 0).after(files(a="2"), files(a="1"), 1)

        self.assertEqual(len(kept.after(files(a="1"), files(a="2"), 2).routes), 1)

    def test_end(self) -> None:
        """After an hour they are gone."""
        kept = Bygone().after(files(a="1"), files(a="2"), 0)
        left = [kept.after(files(a="2"), files(a="2"), now).routes for now in (bygone.KEPT - 1, bygone.KEPT)]

        self.assertEqual([len(routes) for routes in left], [1, 0])

    def test_too_much(self) -> None:
        """When they are too many bytes, the oldest go first."""
        large = b"x" * (bygone.MOST_BYTES // 2)
        kept = (
            Bygone()
            .after(files(a=large), files(), 0)
            .after(files(b=large), files(), 1)
            .after(files(c=large), files(), 2)
        )

        self.assertEqual(self.paths(kept), ["/s/c", "/s/b"])
