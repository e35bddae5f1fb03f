"""From what counts to what the files say now: a whole new generation, made beside the old one.

A generation is everything that depends on clients, scopes, keys, templates and branding: keys that sign and check,
flows, pages, routes. It is made of files read anew, in a thread, while the old one answers; then one reference is
exchanged, and requests from then on are the new one's. Requests that are being answered keep the one they began with.
Whatever is wrong with a file, all of it is told and the old one goes on.

What lives as long as the process is shared by all generations: store, backend, background work, fetched keys and
logos, connections, figures, secrets. What in the configuration belongs to those is told to wait for a restart.

External authorities belong to a generation like its clients; those whose entries say the same go from one to the next.
"""

from collections.abc import Callable

from attrs import evolve, field, frozen
from twisted.logger import Logger

from konnectd.assembly import put_together
from konnectd.config.changes import Changes, shown
from konnectd.config.contents import Contents, read_contents
from konnectd.config.reloadable import settle
from konnectd.config.settings import Settings
from konnectd.config.traces import digests, held
from konnectd.flows.concealed import Concealing, Revealing
from konnectd.inspection import Inspection, inspect, read_looks
from konnectd.interfaces import ClientRegistry
from konnectd.jose.signing import Defer, KeyRingSigner, KeyRingVerifier
from konnectd.late_generations import Standing
from konnectd.looks import Looks
from konnectd.option import ConfigError, ConfigErrors
from konnectd.parts import World
from konnectd.reloading import NOT_DONE, Outcome
from konnectd.web.bygone import Bygone
from konnectd.web.edge import Edge

log = Logger(namespace="konnectd")

#: What all depends on that is out: cookies, codes, pairwise subjects. Names of options, and of what is read of them.
_SECRETS = ("encryption_secret", "pairwise_salt")


@frozen(kw_only=True)
class Generation:
    """What counts at one time, or is ready to.

    Attributes:
        bygone: what pages of earlier ones refer to.
        edge: answers requests; None for the first one, whose edge the site has from its beginning.
    """

    world: World
    looks: Looks
    bygone: Bygone = field(factory=Bygone)
    edge: Edge | None = None


@frozen(kw_only=True)
class Built:
    """What came of reading.

    Attributes:
        ready: None where there are faults.
        faults: all of them.
        waiting: options that have changed and wait for a restart.
        advice: what an operator should look at.
    """

    ready: Generation | None
    faults: tuple[ConfigError, ...]
    waiting: tuple[str, ...]
    advice: tuple[str, ...]


class Generations:
    """Knows what counts, and lets something else count."""

    def __init__(self, first: Generation, standing: Standing, alive: Callable[[], bool]) -> None:
        """Begin with what the daemon was started with.

        Args:
            first: counts now.
            standing: what it has in common with those that follow.
            alive: tells whether the daemon is not about to end.
        """
        self._now = first
        self._standing = standing
        self._alive = alive
        self._advised: tuple[str, ...] = ()

    async def reload(self, reason: str) -> Outcome:
        """Read everything anew and let it count, or log each fault and change nothing.

        Args:
            reason: who wants it.
        """
        begun = self._standing.reactor.seconds()
        log.info("{reason}: files are read anew", reason=reason)
        built = await self._standing.in_thread(self._build)
        if not self._alive():
            return NOT_DONE
        self._advise(built)
        if built.ready is None or built.ready.edge is None:
            return self._refuse(reason, built)
        changes = Changes.between(self._now.world.contents, built.ready.world.contents)
        self._exchange(built.ready, built.ready.edge)
        log.info(
            "{reason}: what was read counts now, after {ms:.0f} ms; clients: {clients}; keys: {keys}",
            reason=reason,
            ms=(self._standing.reactor.seconds() - begun) * 1000,
            clients=shown(changes.clients),
            keys=shown(changes.keys),
        )
        if self._standing.watching is not None:
            world = built.ready.world
            self._standing.watching.reloaded(reason, world.settings, world.contents, changes)
        return Outcome(done=True, restart=built.waiting)

    def _advise(self, built: Built) -> None:
        """Log what is doubtful, unless the reload before this one has said so, and what does not count yet."""
        for advice in built.advice:
            if advice not in self._advised:
                log.warn("{advice}", advice=advice)
        self._advised = built.advice
        for option in built.waiting:
            log.warn("{option} has changed, which counts after a restart", option=option)

    def _refuse(self, reason: str, built: Built) -> Outcome:
        """Say what is wrong, in one line each, and change nothing."""
        for fault in built.faults:
            log.error("not reloaded: {fault}", fault=str(fault))
        text = "{reason}: nothing has changed, as there is something wrong ({count}); what counted before still does"
        log.error(text, reason=reason, count=len(built.faults))
        if self._standing.watching is not None:
            self._standing.watching.not_reloaded(reason, len(built.faults))
        return Outcome(done=False, faults=built.faults, restart=built.waiting)

    def _exchange(self, ready: Generation, edge: Edge) -> None:
        """Let another generation answer from the next request on."""
        give_way(self._now.world, ready.world)
        ready.world.introduce()
        self._standing.site.exchange(edge)
        self._now = ready

    def _build(self) -> Built:
        """Read everything and put a generation together. Runs in a thread; nothing that counts is touched."""
        world, ready = self._now.world, None
        with held(world.settings) as files:
            found = self._inspect(world)
            if not found.faults and files.add_all(found.settings):
                # Named for the first time, or in the place of another one: it was read without being held.
                found = self._inspect(world)
            faults = list(found.faults)
            settled, waiting = settle(world.settings, found.settings)
            waiting += self._waiting_files(found.contents)
            if not faults:
                try:
                    ready = self._successor(found, settled)
                except ConfigErrors as error:
                    faults += error.faults
            faults += files.written_to()
        return Built(
            ready=None if faults else ready,
            faults=tuple(faults),
            waiting=tuple(dict.fromkeys(waiting)),
            advice=found.advice,
        )

    def _inspect(self, world: World) -> Inspection:
        """Read everything as a start would."""
        said = world.settings.said
        reactor = self._standing.reactor
        return inspect(said.argv, said.environ, reactor, defaults=said.defaults, earlier=world.contents)

    def _waiting_files(self, contents: Contents | None) -> tuple[str, ...]:
        """Return the options whose files have changed but have gone into what lives as long as the process."""
        world, standing = self._now.world, self._standing
        now = digests(world.settings.backend_options)
        names = [name for name, digest in now.items() if standing.files.get(name) != digest]
        if contents is not None:
            names += [name for name in _SECRETS if getattr(contents, name) != getattr(world.contents, name)]
        return tuple(names)

    def _successor(self, found: Inspection, settled: Settings) -> Generation:
        """Put a generation together.

        What was found is as a start would have it. If part of that has to wait, files are read once more, as the
        settings and secrets that still count want it.

        Raises:
            ConfigErrors: with those they can not be used.
        """
        world, standing = self._now.world, self._standing
        contents, looks = found.contents, found.looks
        kept = contents is not None and all(
            getattr(contents, name) == getattr(world.contents, name) for name in _SECRETS
        )
        if contents is None or looks is None or not kept or settled is not found.settings:
            contents = read_contents(settled, warn=_ignore, earlier=world.contents, fixed=True)
            looks = read_looks(settled, contents.branding)
        new = succeed(world, settled, contents, standing.defer)
        bygone = self._now.bygone.after(self._now.looks.static, looks.static, world.clock.now())
        assembly = put_together(new, standing.background, looks)
        edge = assembly.edge(standing.site, *standing.more, *bygone.routes)
        return Generation(world=new, looks=looks, bygone=bygone, edge=edge)


def succeed(world: World, settings: Settings, contents: Contents, defer: Defer) -> World:
    """Return the world of other files, with all that lives as long as the process.

    Args:
        world: counts now.
        settings: with the same store, backend and secrets.
        contents: what the files say.
        defer: where slow keys sign.
    """
    same_keys = contents.keys == world.contents.keys
    sealer, clock = world.sealer, world.clock
    new = World(
        settings=settings,
        contents=contents,
        backend=world.backend,
        store=world.store,
        clock=clock,
        entropy=world.entropy,
        sealer=sealer,
        signer=world.signer if same_keys else Concealing(KeyRingSigner(contents.keys, defer), sealer),
        verifier=world.verifier if same_keys else Revealing(KeyRingVerifier(contents.keys), sealer, clock),
        fetch=world.fetch,
        client_keys=world.client_keys,
        ask=world.ask,
        before=tuple(world.authorities.values()),
    )
    if same_keys and settings.allow_dynamic_client_registration:
        new = evolve(new, clients=_beside(world, contents))
    return evolve(new, logos=evolve(world.logos, clients=new.clients))


def give_way(world: World, successor: World) -> None:
    """Let requests and background work of a world sign as its successor does: others would not find the old key."""
    old, new = _signer(world), _signer(successor)
    if old is not None and new is not None and old is not new:
        old.give_way(new)


def _signer(world: World) -> KeyRingSigner | None:
    """Return what has the keys of a world."""
    signer = world.signer.signer if isinstance(world.signer, Concealing) else world.signer
    return signer if isinstance(signer, KeyRingSigner) else None


def _beside(world: World, contents: Contents) -> ClientRegistry:
    """Return the clients that registered themselves, as they are known, beside other clients of the file."""
    from konnectd.flows.dynamic_clients import DynamicClients  # noqa: PLC0415 - only where clients may register

    clients = world.clients
    return evolve(clients, listed=contents.registry) if isinstance(clients, DynamicClients) else contents.registry


def _ignore(_text: str) -> None:
    """Say nothing: it was said when the same was read before."""
