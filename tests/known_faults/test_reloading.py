"""Row 29: reloads that let something count by halves, or for longer than its file says so.

What is not here is where the rest of reloading is tested. Each test sees that one check is there.
"""

from twisted.trial.unittest import SynchronousTestCase

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
