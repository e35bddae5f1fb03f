"""Start the stand-in by hand: ``python -m tests.support.kopano --socket /tmp/kopano.sock``."""

import argparse
import json
import signal
import ssl
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve
from twisted.internet import reactor as installed
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import CannotListenError

from tests.support.kopano.certificates import Certificates
from tests.support.kopano.people import People
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.settings import Settings
from tests.support.kopano.sso import Issuer, KeySet
from tests.support.kopano.untyped import Untyped

#: How long an issuer's keys are waited for, in seconds.
_PATIENCE = 5.0
_DISCOVERY = "/.well-known/openid-configuration"


def host_and_port(text: str) -> tuple[str, int]:
    """Read HOST:PORT.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError("not HOST:PORT")
    return host, int(port)


def account(text: str) -> tuple[str, str, str, str]:
    """Read name:password:Full Name:mail, the last two of which can be left out.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    parts = text.split(":", 3)
    if len(parts) < 2 or not parts[0] or not parts[1]:
        raise argparse.ArgumentTypeError("not name:password[:Full Name[:mail]]")
    name, password, full_name, mail = (*parts, "", "")[:4]
    return name, password, full_name, mail


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    found = argparse.ArgumentParser(prog="python -m tests.support.kopano", description=__doc__)
    found.add_argument("--socket", type=Path, help="listen on a unix socket")
    found.add_argument("--http", type=host_and_port, metavar="HOST:PORT", help="listen without TLS; port 0 for any")
    found.add_argument("--https", type=host_and_port, metavar="HOST:PORT", help="listen with TLS; port 0 for any")
    found.add_argument("--tls-folder", type=Path, help="certificates; made if there are none")
    found.add_argument("--sso-issuer", default="", metavar="URL", help="whose tokens are taken for a password")
    found.add_argument("--sso-ca", type=Path, metavar="FILE", help="the authority of the issuer's certificate")
    found.add_argument("--no-sso", action="store_true", help="take no tokens, as with enable_sso = no")
    found.add_argument("--user", type=account, action="append", default=[], metavar="name:password:Full Name:mail")
    found.add_argument("--idle", type=float, default=5.0, metavar="SECONDS", help="when idle connections are closed")
    found.add_argument("--session-timeout", type=float, default=300.0, metavar="SECONDS")
    found.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="how long each answer takes")
    found.add_argument("--no-local-admins", action="store_true", help="whoever runs the client is nobody special")
    return found


def keys_of(issuer: str, ca_file: Path | None) -> Callable[[], KeySet]:
    """Return what fetches the keys of an issuer, anew each time: they are few who ask."""
    context = ssl.create_default_context(cafile=ca_file)

    def fetch(url: str) -> KeySet:
        """Fetch JSON."""
        with urllib.request.urlopen(url, timeout=_PATIENCE, context=context) as response:
            found: KeySet = json.loads(response.read(1024 * 1024))
        return found

    def keys() -> KeySet:
        """Fetch them."""
        try:
            return fetch(str(fetch(issuer.rstrip("/") + _DISCOVERY)["jwks_uri"]))
        except (OSError, ValueError, KeyError) as error:
            say(f"no keys of {issuer}: {type(error).__name__}")
            return {"keys": []}

    return keys


def say(text: str) -> None:
    """Write a line for whoever waits for it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def listen(server: KopanoServer, options: argparse.Namespace) -> None:
    """Listen wherever it should, and say where."""
    if options.socket:
        server.listen_unix(options.socket)
        say(f"listening on file://{options.socket}")
    if options.http:
        host, port = options.http
        say(f"listening on http://{host}:{server.listen_tcp(port, host)}")
    if options.https:
        host, port = options.https
        certificates = Certificates.in_folder(options.tls_folder)
        server.settings.trusted_keys.update(certificates.trusted_keys())
        say(f"listening on https://{host}:{server.listen_tls(certificates.options(), port, host)}")


def build(options: argparse.Namespace, reactor: Untyped) -> KopanoServer:
    """Make the server that is asked for."""
    settings = Settings(enable_sso=not options.no_sso, idle_seconds=options.idle)
    if options.sso_issuer:
        settings.issuer = Issuer(keys=keys_of(options.sso_issuer, options.sso_ca), identifier=options.sso_issuer)
    if options.no_local_admins:
        settings = evolve(settings, local_admins=frozenset(), own_uid=-1, local_users=False)
    people = People()
    for name, password, full_name, mail in options.user:
        people.add(name, password, full_name, mail)
    server = KopanoServer(reactor, people=people, settings=settings)
    server.sessions.idle_limit = options.session_timeout
    server.troubles.delay = options.delay
    return server


def obey_signals(reactor: Untyped, server: KopanoServer) -> None:
    """Take over the signals, which are the reactor's until now, and say that it is ready."""

    def stop() -> None:
        """Stop, leaving nothing behind, and say what went wrong with that."""
        stopped = ensureDeferred(server.stop()).addErrback(lambda failure: say(failure.getTraceback()))
        stopped.addBoth(lambda _: reactor.stop())

    def forget() -> None:
        """Forget all sessions."""
        server.restart()
        say("all sessions forgotten")

    def count() -> None:
        """Say what was asked, by call."""
        say(f"asked {json.dumps(Counter(asked.call for asked in server.asked))}")

    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(count))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: reactor.callFromThread(stop))
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(forget))
    say("ready")


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; SIGHUP lets it forget all sessions, SIGUSR1 lets it say what it was asked."""
    found = parser()
    options = found.parse_args(arguments)
    if not (options.socket or options.http or options.https):
        found.error("nowhere to listen: give --socket, --http or --https")
    if options.https and not options.tls_folder:
        found.error("--https needs --tls-folder")
    reactor: Untyped = installed
    server = build(options, reactor)
    try:
        listen(server, options)
    except (CannotListenError, OSError) as error:
        say(f"can not listen: {error}")
        return 1
    reactor.callWhenRunning(obey_signals, reactor, server)
    reactor.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
