"""The daemon as `konnectd.assembly` puts it together, on one clock and in memory, reached by HTTP and nothing else.

Nothing in it is a fake but its users, its clients, its clock and what keeps codes when a test wants that.
"""

from collections.abc import Mapping
from functools import cache

from twisted.internet.task import Clock

from konnectd.assembly import Assembly, assemble
from konnectd.authority import Ask
from konnectd.authority_entry import AuthorityEntry
from konnectd.background import Background
from konnectd.config.branding import read_branding
from konnectd.config.contents import Contents
from konnectd.config.registration import FileRegistry
from konnectd.config.settings import Settings, load
from konnectd.flows.concealed import Concealing, Revealing
from konnectd.interfaces import Backend, Entropy, Store
from konnectd.jose.keys import KeyRing
from konnectd.jose.sealing import SecretSealer
from konnectd.jose.signing import KeyRingSigner, KeyRingVerifier
from konnectd.parts import World
from konnectd.protocol.client import Client
from konnectd.protocol.scope import ScopeCatalog
from konnectd.world import SystemEntropy
from tests.support.connection import Connection, Heard, request
from tests.support.fakes import FixedClock, People, memory_store
from tests.support.keys import p256_key, rsa_key
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.requests import BYE, CALLBACK, CLIENTS, ISSUER
from tests.support.web_of_clients import WebOfClients

SECRET = bytes(range(32))
#: A web application that wants its tokens signed otherwise than by default, and userinfo signed too.
SIGNED = Client(
    client_id="signed",
    secret="signed secret+%/:",
    trusted=True,
    redirect_uris=(CALLBACK,),
    post_logout_redirect_uris=(BYE,),
    id_token_signed_response_alg="RS256",
    userinfo_signed_response_alg="RS256",
)
FORM_HEADER = "Content-Type: application/x-www-form-urlencoded"


@cache
def ring() -> KeyRing:
    """Return the keys of the daemon: the quickest by default, and one of the kind every client knows."""
    return KeyRing((p256_key(), rsa_key()), method="ES256")


def settings_of(*words: str, issuer: str = ISSUER) -> Settings:
    """Return settings as they are read from a command line."""
    return load((f"--iss={issuer}", *words, "file"), {})


class Daemon:
    """The assembled daemon, its clock and its people.

    Attributes:
        clock: the time of day.
        reactor: the time of connections.
        people: the users, if no other backend is given.
    """

    def __init__(
        self,
        *words: str,
        issuer: str = ISSUER,
        clients: tuple[Client, ...] = (*CLIENTS, SIGNED),
        backend: Backend | None = None,
        store: Store | None = None,
        entropy: Entropy | None = None,
        scopes: ScopeCatalog | None = None,
        pairwise_salt: bytes = b"",
        web_app: Mapping[str, bytes] | None = None,
        authorities: tuple[AuthorityEntry, ...] = (),
        ask: Ask | None = None,
    ) -> None:
        """Assemble.

        Args:
            words: further words of the command line.
            issuer: the issuer identifier.
            clients: the registered clients.
            backend: instead of `people`.
            store: instead of one in memory.
            entropy: instead of the machine's.
            scopes: instead of the built-in ones.
            pairwise_salt: goes into pairwise subjects.
            web_app: files of a front end in the place of our pages; ``words`` have to say that there is one.
            authorities: who else may say who somebody is.
            ask: asks them.
        """
        self.clock = FixedClock()
        self.reactor = Clock()
        self.people = People(ALICE, BOB, passwords=PASSWORDS)
        self.web = WebOfClients()
        # What requests come of is told only where somebody counts it.
        self.settings = settings_of("--with-metrics", *words, issuer=issuer)
        contents = Contents(
            keys=ring(),
            encryption_secret=SECRET,
            registry=FileRegistry(clients),
            scopes=scopes or ScopeCatalog(),
            pairwise_salt=pairwise_salt,
            web_app=web_app or {},
            branding=read_branding(self.settings.branding),
            authorities=authorities,
        )
        self.world = World(
            settings=self.settings,
            contents=contents,
            backend=backend or self.people,
            store=memory_store(self.clock) if store is None else store,
            clock=self.clock,
            entropy=entropy or SystemEntropy(),
            sealer=SecretSealer(SECRET),
            signer=Concealing(KeyRingSigner(ring()), SecretSealer(SECRET)),
            verifier=Revealing(KeyRingVerifier(ring()), SecretSealer(SECRET), self.clock),
            fetch=self.web,
            ask=ask,
        )
        self.background = Background(self.reactor)
        self.assembly: Assembly = assemble(self.world, self.background)
        self.site = self.assembly.site(self.reactor)

    @property
    def origin(self) -> str:
        """Scheme and host that browsers know it by."""
        return self.settings.origin

    def connect(self) -> Connection:
        """Connect a peer."""
        return Connection(self.site)

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"") -> Heard:
        """Ask once, on a connection of its own."""
        peer = self.connect()
        answer = peer.ask(request(method, target, *headers, body=body))
        peer.hang_up()
        return answer

    def get(self, target: str, *headers: str) -> Heard:
        """Ask for something."""
        return self.ask("GET", target, *headers)

    def post(self, target: str, body: str, *headers: str) -> Heard:
        """Post a form."""
        return self.ask("POST", target, FORM_HEADER, *headers, body=body.encode())
