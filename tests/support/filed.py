"""The daemon put together from files, which it can read anew; its people are known without one."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.contents import read_contents
from konnectd.config.settings import load
from konnectd.interfaces import Backend
from konnectd.option import ConfigError
from konnectd.parts import World
from konnectd.reloading import Outcome
from konnectd.service import build_watch, serve
from konnectd.supervisor import Supervisor
from konnectd.world import SystemClock
from tests.config.test_keys import private_pem
from tests.support.assembly import SECRET, Daemon
from tests.support.fakes import People, memory_store
from tests.support.files import folder
from tests.support.keys import p256_key, quick_hash
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.requests import CALLBACK, ISSUER
from tests.support.threads import ThreadedReactor
from tests.support.web_of_clients import WebOfClients

#: `tests.support.requests.MAIL`, as an operator writes it.
MAIL = f"  - {{id: mail, secret: mail-secret, trusted: yes, redirect_uris: ['{CALLBACK}']}}\n"
OTHER = f"  - {{id: other, redirect_uris: ['{CALLBACK}']}}\n"
CLIENTS = f"clients:\n{MAIL}"


class FiledDaemon(Daemon):
    """A daemon whose operator writes files.

    Attributes:
        root: where they are.
        world: what it is built on at first.
        lines: of the configuration file.
        service: everything that runs.
    """

    def __init__(
        self,
        case: SynchronousTestCase,
        backend: Backend | None = None,
        supervisor: Supervisor = Supervisor(),  # noqa: B008 - frozen
        environ: Mapping[str, str] | None = None,
        **lines: str,
    ) -> None:
        """Write the files, and start.

        Args:
            case: in which it runs.
            backend: instead of people in memory; what files say about it is checked all the same.
            supervisor: has started it.
            environ: what it reads again and again, instead of nothing.
            lines: of the configuration file, besides those that are always there.
        """
        self.root = folder(case)
        self.reactor = ThreadedReactor()
        (self.root / "keys").mkdir()
        self.write("signing.pem", private_pem(p256_key()))
        self.write("secret.key", SECRET)
        self.write("clients.yaml", CLIENTS)
        self.write("scopes.yaml", "scopes: {}\n")
        self.write("users.yaml", f"users: [{{username: alice, password: '{quick_hash('a')}'}}]\n")
        self.lines = {
            "oidc_issuer_identifier": ISSUER,
            "identity_manager": "file",
            "signing_method": "ES256",
            "signing_private_key": f"{self.root}/signing.pem",
            "validation_keys_path": f"{self.root}/keys",
            "encryption_secret_key": f"{self.root}/secret.key",
            "identifier_registration_conf": f"{self.root}/clients.yaml",
            "identifier_scopes_conf": f"{self.root}/scopes.yaml",
            "file_users": f"{self.root}/users.yaml",
            **lines,
        }
        self.configure()
        self.people = People(ALICE, BOB, passwords=PASSWORDS)
        self.web = WebOfClients()
        self.clock = SystemClock()
        self.settings = load((f"--config={self.root}/k.conf",), {})
        if environ is not None:
            self.settings = evolve(self.settings, said=evolve(self.settings.said, environ=environ))
        contents = read_contents(self.settings, warn=lambda _: None)
        watch = build_watch(self.settings, contents, self.reactor)
        store = memory_store(self.clock)
        self.world = World.build(self.settings, contents, backend or self.people, store, fetch=self.web)
        self.service = serve(
            self.settings, self.world, self.reactor, supervisor=supervisor, watch=watch, reads_again=True
        )
        self.service.privilegedStartService()
        self.service.startService()
        self.reactor.run()
        case.addCleanup(self.service.stopService)
        self.site = next(site for port, site, *_ in self.reactor.tcpServers if port == 8777)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, as its own again and again."""
        path: Path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        return path

    def configure(self, **lines: str) -> None:
        """Write the configuration file, with some lines changed."""
        self.lines.update(lines)
        self.write("k.conf", "".join(f"{name} = {value}\n" for name, value in self.lines.items()))

    def ask_for_reload(self, reason: str = "SIGHUP") -> "Deferred[Outcome]":
        """Ask for a reload."""
        return Deferred.fromCoroutine(self.service.reloads.reload(reason))

    def reload(self) -> Outcome:
        """Reload, and return what came of it."""
        found: list[Outcome] = []
        self.ask_for_reload().addCallback(found.append)
        (outcome,) = found
        return outcome

    def faults(self) -> list[ConfigError]:
        """Reload, and return why it was refused."""
        outcome = self.reload()
        if outcome.done:
            raise AssertionError("it was not refused")
        return list(outcome.faults)
