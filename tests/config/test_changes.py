"""What a reload has changed: clients and keys by their ids."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.changes import Changes, shown
from konnectd.config.contents import Contents
from konnectd.config.registration import FileRegistry
from konnectd.jose.keys import KeyRing, PrivateKey
from konnectd.protocol.client import Client
from konnectd.protocol.scope import ScopeCatalog
from tests.support.keys import p256_key


def contents(*clients: Client, ring: KeyRing | None = None) -> Contents:
    """Return what files hold."""
    keys = ring or KeyRing((p256_key(),), method="ES256")
    return Contents(keys=keys, encryption_secret=bytes(32), registry=FileRegistry(clients), scopes=ScopeCatalog())


class ClientTests(SynchronousTestCase):
    """Clients."""

    def test_each(self) -> None:
        """Those that are new, gone or otherwise are told; those that are as before are not."""
        same, gone, old = (Client(client_id=name) for name in ("same", "gone", "x"))
        new, other = Client(client_id="x", secret="s"), Client(client_id="new")
        found = Changes.between(contents(same, gone, old), contents(same, new, other))

        self.assertEqual((found.clients, found.keys), ({"new": "added", "gone": "removed", "x": "changed"}, {}))

    def test_no_secret(self) -> None:
        """Nothing but the id is told."""
        found = Changes.between(contents(), contents(Client(client_id="x", secret="marked")))

        self.assertNotIn("marked", repr(found) + shown(found.clients))


class KeyTests(SynchronousTestCase):
    """Keys."""

    def between(self, old: KeyRing, new: KeyRing) -> dict[str, str]:
        """Compare keys."""
        return dict(Changes.between(contents(ring=old), contents(ring=new)).keys)

    def test_rotation(self) -> None:
        """A new key signs, and the one that did is published."""
        one, two = p256_key(1), p256_key(2)
        found = self.between(KeyRing((one,), method="ES256"), KeyRing((two,), (one.public,), method="ES256"))

        self.assertEqual(found, {two.kid: "signs", one.kid: "published"})

    def test_removed(self) -> None:
        """A key that is gone is told."""
        one, two = p256_key(1), p256_key(2)
        found = self.between(KeyRing((two,), (one.public,), method="ES256"), KeyRing((two,), method="ES256"))

        self.assertEqual(found, {one.kid: "removed"})

    def test_another_key(self) -> None:
        """Another key under the same id is a change, though it does the same."""
        one, two = p256_key(1), PrivateKey(p256_key(1).kid, p256_key(2).key)

        self.assertEqual(
            self.between(KeyRing((one,), method="ES256"), KeyRing((two,), method="ES256")), {one.kid: "signs"}
        )


class ShownTests(SynchronousTestCase):
    """Changes in one line."""

    def test_none(self) -> None:
        """Nothing is said in words."""
        self.assertEqual(shown({}), "as before")

    def test_many(self) -> None:
        """Of many, the first are named and the rest is counted."""
        text = shown({f"c{number}": "added" for number in range(12)})

        self.assertEqual((text[:18], text[-10:]), ("c0 added, c1 added", "and 2 more"))
