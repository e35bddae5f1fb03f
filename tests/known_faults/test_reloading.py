"""Row 29: reloads that let something count by halves, or for longer than its file says so.

What is not here is where the rest of reloading is tested. Each test sees that one check is there.
"""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from konnectd import generations, inspection
from konnectd.inspection import Inspection
from tests.support.application import Application
from tests.support.fakes import claims_of
from tests.support.filed import CLIENTS, OTHER, FiledDaemon
from tests.support.files import folder
from tests.support.requests import PAGE


class Row29Tests(SynchronousTestCase):
    """A daemon that runs, whose files change."""

    def status(self, client_id: str) -> int:
        """Return how an authorization request of a client is answered: by 302, or by 400 if it is not known."""
        return self.daemon.get(Application(self.daemon, PAGE).url(client_id=client_id)).status

    def test_row_29_fault_elsewhere(self) -> None:
        """A fault of an option that has nothing to do with clients keeps clients as they are, too."""
        self.daemon = FiledDaemon(self)
        self.daemon.configure(listen="nowhere:x")
        self.daemon.write("clients.yaml", CLIENTS + OTHER)
        self.daemon.reload()

        self.assertEqual(self.status("other"), 400)

    def test_row_29_beside_registered_clients(self) -> None:
        """A client that was taken out of the file is gone, also where clients register themselves."""
        self.daemon = FiledDaemon(self, allow_dynamic_client_registration="yes")
        self.daemon.write("clients.yaml", f"clients:\n{OTHER}")
        self.daemon.reload()

        self.assertEqual(self.status("mail"), 400)

    def test_row_29_salt(self) -> None:
        """Who somebody is for a client does not change because a file has: the salt waits for a restart."""
        salt = folder(self) / "salt.key"
        salt.write_bytes(bytes(range(32)))
        salt.chmod(0o600)
        self.daemon = FiledDaemon(self, pairwise_salt=f"{salt}")
        self.daemon.write("clients.yaml", CLIENTS.replace("trusted: yes", "trusted: yes, subject_type: pairwise"))
        self.daemon.reload()
        before = claims_of(Application(self.daemon).tokens()["id_token"])["sub"]
        salt.write_bytes(bytes(range(32, 64)))
        self.daemon.reload()

        self.assertEqual(claims_of(Application(self.daemon).tokens()["id_token"])["sub"], before)

    def while_read(self, before: Callable[[], object], after: Callable[[], object]) -> None:
        """Reload, and do something before everything is read for the first time, and after that."""
        turns: list[Inspection] = []

        def inspect(*words: object, **more: object) -> Inspection:
            if not turns:
                before()
            turns.append(inspection.inspect(*words, **more))  # type: ignore[arg-type] # whatever it is
            if len(turns) == 1:
                after()
            return turns[-1]

        self.patch(generations, "inspect", inspect)
        self.daemon.reload()

    def test_row_29_first_named(self) -> None:
        """Half of a file that the configuration has not named before does not count."""
        self.daemon = FiledDaemon(self)
        path = self.daemon.write("more.yaml", CLIENTS)
        self.daemon.configure(identifier_registration_conf=f"{path}")
        self.while_read(lambda: None, lambda: path.write_text(CLIENTS + OTHER))

        self.assertEqual(self.status("other"), 302)

    def test_row_29_made_anew(self) -> None:
        """Nor does half of a file that is made anew in the place of another one, as version control does it."""
        self.daemon = FiledDaemon(self)
        path = self.daemon.root / "clients.yaml"

        def half() -> None:
            path.unlink()
            self.daemon.write("clients.yaml", CLIENTS)

        self.while_read(half, lambda: path.write_text(CLIENTS + OTHER))

        self.assertEqual(self.status("other"), 302)
