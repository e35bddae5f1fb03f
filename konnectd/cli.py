"""The command ``konnectd``: which words start what. Serving itself is `konnectd.runner`.

Commands that do not serve import neither Twisted nor the options, because a container asks for its health every few
seconds and a key is best turned into a JWK on a machine where nothing runs.
"""

import contextlib
import getpass
import http.client
import json
import os
import platform
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

from konnectd import __version__
from konnectd.config import arguments
from konnectd.option import ConfigError, ConfigErrors, Option, one_of, seconds, switch

USAGE = """\
Usage: konnectd COMMAND [options]

Commands:
  serve BACKEND          run the OpenID Connect provider; konnectd serve --help lists its options
  demo                   run a provider with people and a client made up for trying out
  setup                  make the signing key and the encryption secret, once
  check-config           say what is wrong with the configuration, or which settings count
  doctor                 find out why signing in does not work, from the outside in
  keys                   show the signing keys, and rotate them
  healthcheck            ask a running provider whether it is well
  explain                say why a request was refused, by the reference on the page or a line of the log
  utils jwk-from-pem     print a key from a PEM file as a JSON Web Key
  utils hash-password    print the hash of a password, for the file of users
  version                print versions
  help [COMMAND]         print this, or the help of a command
"""

_HEALTHCHECK = (
    Option(
        name="hostname",
        help="Where the provider listens: host:port or unix:/path.",
        default="127.0.0.1:8777",
        metavar="ADDRESS",
    ),
    Option(name="path", help="What to ask for; may have a query.", default="/health-check", metavar="PATH"),
    Option(name="scheme", help="http or https.", parse=one_of("http", "https"), default="http", metavar="SCHEME"),
    Option(name="insecure", help="Do not check the certificate.", parse=switch, default=False, metavar=""),
    Option(
        name="proxy-protocol",
        help="Begin as a trusted proxy does, where proxy_protocol is set and this machine is one.",
        parse=switch,
        default=False,
        metavar="",
    ),
    Option(name="timeout", help="How long to wait for an answer.", parse=seconds, default=10, metavar="SECONDS"),
)
#: What the PROXY protocol has for a connection that is nobody's.
_NOBODY = b"PROXY UNKNOWN\r\n"
_JWK_FROM_PEM = (
    Option(name="kid", help="The key id; by default the name of the file.", default="", metavar="KID"),
    Option(name="use", help="What the key is for; empty leaves it out.", default="sig", metavar="USE"),
    Option(name="yaml", help="Print YAML instead of JSON.", parse=switch, default=False, metavar=""),
    Option(name="public", help="Print the public part of a private key.", parse=switch, default=False, metavar=""),
)
_EXPLAIN = (
    Option(
        name="log",
        help="The log to look into; without it, what is handed over on standard input.",
        default="",
        metavar="FILE",
    ),
)
_HELP_FLAGS = frozenset({"-h", "--help"})


@frozen(kw_only=True)
class Command:
    """A command that does not serve.

    Attributes:
        synopsis: how it is called.
        options: its flags.
        words: how many words it takes.
        run: does it, with the values of the flags and the words, and returns the exit status.
    """

    synopsis: str
    options: tuple[Option, ...] = ()
    words: int = 0
    run: Callable[[Mapping[str, object], tuple[str, ...]], int]

    def start(self, argv: Sequence[str]) -> int:
        """Read the flags and do it."""
        if _HELP_FLAGS & set(argv):
            print(self.help(), end="")
            return 0
        try:
            values, words = self._parse(argv)
        except ConfigErrors as error:
            for fault in error.faults:
                print(f"konnectd: {fault.option}: {fault.problem}", file=sys.stderr)
            return 1
        return self.run(values, words)

    def help(self) -> str:
        """Return what can be said to it."""
        lines = [f"Usage: {self.synopsis}"]
        for option in self.options:
            flag = f"--{option.name}={option.metavar}" if option.metavar else f"--{option.name}"
            shown = f" (default {option.default})" if option.default and option.metavar else ""
            lines.append(f"  {flag:<22} {option.help}{shown}")
        return "\n".join(lines) + "\n"

    def _parse(self, argv: Sequence[str]) -> tuple[dict[str, object], tuple[str, ...]]:
        """Read the flags.

        Raises:
            ConfigErrors: some are wrong.
        """
        by_name = {option.name: option for option in self.options}
        given = arguments.parse(argv, lambda name: (by_name[name], False) if name in by_name else None)
        faults = list(given.faults)
        values = {option.dest: option.default for option in self.options}
        for flag in given.flags:
            if flag.option is None:
                faults.append(flag.given.fault("is not an option"))
                continue
            try:
                values[flag.option.dest] = flag.option.parse(flag.given.text)
            except ValueError as error:
                faults.append(flag.given.fault(str(error)))
        if len(given.words) != self.words:
            faults.append(ConfigError("arguments", f"usage: {self.synopsis}"))
        if faults:
            raise ConfigErrors(faults)
        return values, given.words


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        print(USAGE, end="", file=sys.stderr)
        return 2
    name, rest = words[0], words[1:]
    if name == "help" or name in _HELP_FLAGS:
        return main([*rest, "--help"]) if rest and rest[0] in _STARTERS else _print_usage()
    start = _STARTERS.get({"--version": "version"}.get(name, name))
    if start is None:
        print(f"konnectd: there is no command {name}; konnectd help lists them", file=sys.stderr)
        return 2
    return start(rest)


def _print_usage() -> int:
    """Print what commands there are."""
    print(USAGE, end="")
    return 0


def serve(argv: Sequence[str]) -> int:
    """Run the provider until a signal ends it."""
    # Only here, so that the other commands start at once and without Twisted.
    from konnectd.config import documents  # noqa: PLC0415 - see above
    from konnectd.config.settings import load  # noqa: PLC0415 - see above
    from konnectd.supervisor import Supervisor  # noqa: PLC0415 - see above

    # First of all: Twisted takes what is said about sockets out of the environment.
    supervisor = Supervisor.read(os.environ, os.getpid())
    if documents.asks_for_help(argv):
        print(documents.usage("konnectd serve"), end="")
        return 0
    try:
        settings = load(argv, os.environ)
    except ConfigErrors as error:
        for fault in error.faults:
            print(f"konnectd: {fault}", file=sys.stderr)
        return 1
    from twisted.internet import reactor  # noqa: PLC0415 - settings that are wrong should be told at once

    from konnectd import runner  # noqa: PLC0415 - see above

    return runner.run(settings, reactor, partial(runner.make_service, supervisor=supervisor))


def demo(argv: Sequence[str]) -> int:
    """Run the demonstration."""
    from konnectd.demo.command import run  # noqa: PLC0415 - the other commands do not need it

    status: int = run(argv)
    return status


def setup(argv: Sequence[str]) -> int:
    """Make the signing key and the encryption secret."""
    from konnectd.commands.setup import run  # noqa: PLC0415 - the other commands do not need it

    return run(argv, os.environ, int(time.time()))


def keys(argv: Sequence[str]) -> int:
    """Show or change the signing keys."""
    from konnectd.commands.keys import run  # noqa: PLC0415 - the other commands do not need it

    return run(argv, os.environ)


def check_config(argv: Sequence[str]) -> int:
    """Say what a start would say about the configuration."""
    from twisted.internet import reactor  # noqa: PLC0415 - the other commands do not need it

    from konnectd.commands.check_config import run  # noqa: PLC0415 - see above

    return run(argv, os.environ, reactor)


def doctor(argv: Sequence[str]) -> int:
    """Find out what is wrong with an installation."""
    from twisted.internet import reactor  # noqa: PLC0415 - the other commands do not need it

    from konnectd.doctor.command import run  # noqa: PLC0415 - see above

    return run(argv, os.environ, reactor)


def utils(argv: Sequence[str]) -> int:
    """Run one of the small commands."""
    if not argv or argv[0] in _HELP_FLAGS or argv[0] not in _UTILS:
        wanted = bool(argv) and argv[0] in _HELP_FLAGS
        lines = [f"  {command.synopsis}" for command in _UTILS.values()]
        print("\n".join(["Usage:", *lines]), file=sys.stdout if wanted else sys.stderr)
        return 0 if wanted else 2
    return _UTILS[argv[0]].start(argv[1:])


def print_version(_values: Mapping[str, object], _words: tuple[str, ...]) -> int:
    """Print our version and those that matter for a fault report."""
    try:
        twisted = version("Twisted")
    except PackageNotFoundError:
        twisted = "not installed"
    print(f"Version : {__version__}\nPython  : {platform.python_version()}\nTwisted : {twisted}")
    return 0


def check_health(values: Mapping[str, object], _words: tuple[str, ...]) -> int:
    """Ask a provider whether it is well; it is if it answers 200."""
    try:
        status, reason, body = _ask(values)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"konnectd: healthcheck: {values['hostname']}: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    if status != http.client.OK:
        shown = body.decode("utf-8", "replace").strip()
        print(f"konnectd: healthcheck: status {status} {reason}: {shown!r}", file=sys.stderr)
        return 1
    print("healthy")
    return 0


def _ask(values: Mapping[str, object]) -> tuple[int, str, bytes]:
    """Return status, reason and the beginning of the body of an answer.

    Raises:
        OSError: nobody answers in time.
        HTTPException: the answer is no HTTP, or the address is none.
    """
    timeout = float(str(values["timeout"]))
    hostname, scheme, insecure = str(values["hostname"]), str(values["scheme"]), bool(values["insecure"])
    # A query stays one; what can not stand in a request line is encoded instead of sent.
    path = quote(f"/{str(values['path']).removeprefix('/')}", safe="/?&=%:@!$'()*+,;~")
    with contextlib.closing(_connection(hostname, scheme, timeout, insecure=insecure)) as connection:
        if values["proxy_protocol"]:
            connection.connect()
            connection.sock.sendall(_NOBODY)
        connection.request("GET", path, headers={"User-Agent": f"konnectd-healthcheck/{__version__}"})
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.read(1000)


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a socket in the file system."""

    def __init__(self, path: str, timeout: float) -> None:
        """Keep the path."""
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(hostname: str, scheme: str, timeout: float, *, insecure: bool) -> http.client.HTTPConnection:
    """Return a connection that is not open yet."""
    timeout = timeout or 10.0  # 0 would mean not to wait at all
    if hostname.startswith("unix:"):
        return _UnixConnection(hostname.removeprefix("unix:").split(":")[0], timeout)
    # An address to listen at on all interfaces is reached through the loopback one.
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104 - nothing listens here
    name, colon, port = hostname.rpartition(":")
    address = f"{host.get(name, name)}{colon}{port}"
    if scheme == "http":
        return http.client.HTTPConnection(address, timeout=timeout)
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, timeout=timeout, context=context)


def explain(values: Mapping[str, object], words: tuple[str, ...]) -> int:
    """Say in words what was decided about a request, and why."""
    from konnectd.explain import run  # noqa: PLC0415 - the other commands do not need it

    return run(words[0], str(values["log"]))


def print_jwk(values: Mapping[str, object], words: tuple[str, ...]) -> int:
    """Print a key as a JSON Web Key."""
    from konnectd.config.keys import read_key  # noqa: PLC0415 - the other commands do not need it
    from konnectd.jose.export import to_private_jwk  # noqa: PLC0415 - see above
    from konnectd.jose.keys import PrivateKey  # noqa: PLC0415 - see above

    try:
        key = read_key(Path(words[0]), str(values["kid"]))
    except ValueError as error:
        print(f"konnectd: {words[0]}: {error}", file=sys.stderr)
        return 1
    if isinstance(key, PrivateKey) and not values["public"]:
        print("konnectd: this is a PRIVATE key; --public prints what others may see", file=sys.stderr)
        jwk = to_private_jwk(key)
    else:
        jwk = key.public.to_jwk() if isinstance(key, PrivateKey) else key.to_jwk()
    jwk.pop("use", None)
    jwk = {"use": values["use"], **jwk} if values["use"] else jwk
    print(_as_yaml(jwk) if values["yaml"] else json.dumps(jwk, indent="\t"))
    return 0


def _as_yaml(jwk: Mapping[str, object]) -> str:
    """Write a JWK as YAML, to stand in the registration of clients; JSON strings are YAML strings."""
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in jwk.items())


def print_password_hash(_values: Mapping[str, object], _words: tuple[str, ...]) -> int:
    """Ask for a password, or read a line where nobody types, and print its hash."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - the other commands do not need it

    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            print("konnectd: the two are not the same", file=sys.stderr)
            return 1
    else:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password:
        print("konnectd: the password is empty", file=sys.stderr)
        return 1
    print(PasswordHasher().hash(password))
    return 0


_UTILS: Mapping[str, Command] = {
    "jwk-from-pem": Command(
        synopsis="konnectd utils jwk-from-pem [options] FILE", options=_JWK_FROM_PEM, words=1, run=print_jwk
    ),
    "hash-password": Command(synopsis="konnectd utils hash-password", run=print_password_hash),
}
_STARTERS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "serve": serve,
    "demo": demo,
    "setup": setup,
    "check-config": check_config,
    "doctor": doctor,
    "keys": keys,
    "utils": utils,
    "version": Command(synopsis="konnectd version", run=print_version).start,
    "explain": Command(
        synopsis="konnectd explain [--log=FILE] REFERENCE|LINE|-", options=_EXPLAIN, words=1, run=explain
    ).start,
    "healthcheck": Command(synopsis="konnectd healthcheck [options]", options=_HEALTHCHECK, run=check_health).start,
}


if __name__ == "__main__":
    sys.exit(main())
