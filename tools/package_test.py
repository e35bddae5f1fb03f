"""Build the Debian package, install it into a clean bookworm, sign somebody in there, remove it: ``make package-test``.

It needs root, Debian, and the network for packages. No systemd runs in the clean system; what it would do is played by
`tests.real.manager`, as the units in the package say. All of it is below ``build/package``, and the clean system stays
there for the next time.
"""

import argparse
import hashlib
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from tests.real.authlib_client import RelyingParty
from tests.real.hammer import Hammer
from tests.real.manager import Manager, Plan, Unit
from tests.real.person import Person
from tools.package_boot import NEEDED_TO_BOOT, booted
from tools.package_build import build, raised
from tools.package_keys import (
    CONF,
    ENCRYPTION_SECRET,
    KEYS,
    LINK,
    age_keys,
    expect_konnects_key,
    lay_out_like_konnect,
    leave_konnect,
    let_read,
    rotate,
    wait_for_rotation,
)
from tools.package_reload import reload_clients
from tools.package_root import Root, RunError, need

CALLBACK = "http://127.0.0.1:9/callback"
PASSWORD = "wonderland"  # noqa: S105 - of nobody
SECRET = "secret-of_letters"  # noqa: S105 - of nobody
REGISTRATION = "/etc/konnectd/identifier-registration.yaml"
METADATA = "/.well-known/openid-configuration"
CREDENTIALS = "/run/credentials/konnectd.service"
#: Who may do what after the installation.
MODES: Mapping[str, str] = {
    "/etc/konnectd": "root:konnectd 750",
    "/etc/konnectd/keys": "root:root 700",
    KEYS: "konnectd:konnectd 700",
    ENCRYPTION_SECRET: "konnectd:konnectd 600",
    CONF: "root:konnectd 640",
    REGISTRATION: "root:konnectd 640",
    "/etc/konnectd/scopes.yaml": "root:konnectd 640",
    "/var/lib/konnectd": "konnectd:konnectd 700",
    "/usr/lib/konnectd": "root:root 755",
}
CLIENTS = f"""\
clients:
  - id: app
    secret: {SECRET}
    trusted: yes
    application_type: native
    redirect_uris: ["{CALLBACK}"]
"""
#: What dpkg itself remembers of a package, and what the system remembers of its user.
_KEPT_BY_OTHERS = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/konnectd_")
_RESTARTS = 3
#: What a system that boots needs beside what it is made of.
_SYSTEMD = ("systemd", "systemd-sysv")
_SOCKET_FOLDER = "/etc/systemd/system/konnectd.socket.d"
_SOCKET = """\
[Socket]
ListenStream=
ListenStream=127.0.0.1:{port}
"""


class WrongError(Exception):
    """Something is not as it should be."""


def expect(what: str, found: object, wanted: object) -> None:
    """Check something.

    Raises:
        WrongError: it is not as wanted.
    """
    if found != wanted:
        raise WrongError(f"{what}: {found!r} instead of {wanted!r}")


@frozen
class Installation:
    """The package in a clean system.

    Attributes:
        root: the system.
        port: where it listens on 127.0.0.1.
    """

    root: Root
    port: int

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return f"http://localhost:{self.port}"

    def install(self, package: Path) -> None:
        """Install a package, or another version of it."""
        shutil.copy2(package, self.root.at("/"))
        self.root.apt("install", f"/{package.name}")
        for path, wanted in MODES.items():
            expect(path, self.root.mode(path), wanted)
        key = self.root.run("readlink", "--canonicalize", LINK).strip()
        expect(key, (self.root.mode(key), key.startswith(f"{KEYS}/")), ("konnectd:konnectd 600", True))

    def look(self) -> None:
        """Try what can be tried before anything is configured."""
        version = self.root.run("konnectd", "version")
        print(version.strip())
        expect("what twistd knows", "konnectd" in self.root.run("/usr/lib/konnectd/bin/twistd", "--help"), wanted=True)
        said = self.root.run(*self.unit.words, status=1)
        expect("the issuer is missed", "iss: is required" in said, wanted=True)

    def configure(self, *lines: str) -> None:
        """Do what the manual says: issuer, backend, people, clients; and write further lines."""
        conf = self.root.at(CONF).read_text(encoding="utf-8")
        for key, value in (
            ("oidc_issuer_identifier", self.issuer),
            ("identity_manager", "file"),
            ("file_users", "/etc/konnectd/users.yaml"),
        ):
            conf = conf.replace(f"\n#{key} =", f"\n{key} = {value}\n#{key} =", 1)
        self.root.write(CONF, conf + "".join(f"{line}\n" for line in lines))
        hashed = self.root.run("konnectd", "utils", "hash-password", text=f"{PASSWORD}\n").strip()
        people = (
            f"users:\n  - username: alice\n    password: '{hashed}'\n    name: Alice\n    email: alice@example.org\n"
        )
        self.root.write("/etc/konnectd/users.yaml", people, 0o640)
        self.root.run("chgrp", "konnectd", "/etc/konnectd/users.yaml")
        self.root.write(REGISTRATION, CLIENTS)

    @property
    def unit(self) -> Unit:
        """The unit as it is installed."""
        return Unit.parse(self.root.at("/lib/systemd/system/konnectd.service").read_text(encoding="utf-8"))

    def manager(self, listening: socket.socket, *words: str) -> Manager:
        """Return what starts the daemon as its unit says, or with other words, and hands it a socket."""
        unit = self.unit
        user = self.root.user(unit.one("User"))
        self.root.at(CREDENTIALS).parent.mkdir(parents=True, exist_ok=True)
        unit.give_credentials(self.root.path, self.root.at(CREDENTIALS), user)
        folder = self.root.at("/run/manager")
        folder.mkdir(exist_ok=True)
        plan = Plan(
            words=words or unit.words,
            environ={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "CREDENTIALS_DIRECTORY": CREDENTIALS},
            root=self.root.path,
            user=user,
            guarded=True,
            watchdog=float(unit.one("WatchdogSec")),
        )
        return Manager(plan, folder, listening)

    def sign_in(self) -> None:
        """Sign somebody in, as a client and a browser do; the client checks what it gets.

        Raises:
            WrongError: it is somebody else.
        """
        party = RelyingParty(self.issuer, "app", CALLBACK, SECRET)
        person = Person(CALLBACK)
        person.open(party.begin(), typed=True)
        signed_in = party.finish(person.submit(username="alice", password=PASSWORD).url)
        user = party.user(signed_in)
        expect("who it is", (user["name"], user["email"]), ("Alice", "alice@example.org"))
        expect("a refreshed token", "access_token" in party.refresh(signed_in), wanted=True)
        print(f"signed in: {user['name']}, {signed_in.claims['iss']}")

    def restart_under_requests(self, restart: Callable[[], object]) -> None:
        """Start the daemon anew while people ask; each of them is answered."""
        with Hammer(self.port, METADATA) as hammer:
            for _ in range(_RESTARTS):
                hammer.wait_for(200)
                restart()
            hammer.wait_for(200)
        expect("requests that failed", hammer.failures, [])
        print(f"{_RESTARTS} restarts, {hammer.answered} requests answered, none lost")

    def fingerprint(self) -> str:
        """Return something that changes when a key does, or the secret."""
        files = (*sorted(self.root.at(KEYS).iterdir()), self.root.at(ENCRYPTION_SECRET))
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()

    def take_over(self, listening: socket.socket) -> None:
        """Move over from Konnect: its keys and secret are used as they are."""
        conf = self.root.at(CONF).read_bytes()
        lay_out_like_konnect(self.root)
        let_read(self.root)
        serve(self, listening, then=lambda _: expect_konnects_key(self.root, self.port))
        leave_konnect(self.root, conf)

    def left(self) -> list[str]:
        """Return what there is of the package, apart from what others keep about it."""
        return [path for path in self.root.named("konnectd") if not path.startswith(_KEPT_BY_OTHERS)]


def serve(
    here: Installation, listening: socket.socket, *words: str, then: Callable[[Manager], object] = lambda _: None
) -> None:
    """Run the daemon, sign somebody in, and do something with it."""
    manager = here.manager(listening, *words)
    try:
        manager.start()
        print(f"ready after {manager.ready_after:.2f} s")
        here.sign_in()
        then(manager)
        expect("the exit status", manager.stop(), 0 if not words else -15)
        expect("lines about faults", [line for line in manager.log.splitlines() if "level=error" in line], [])
    finally:
        manager.close()


def test(package: Path) -> None:
    """Install, use, upgrade, remove and purge a package.

    Raises:
        WrongError: something is not as it should be.
        RunError: a command failed.
    """
    step("a clean system")
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        here = Installation(Root.clean(), int(listening.getsockname()[1]))
        here.root.apt("update")
        before = here.left()
        step("installing")
        here.install(package)
        here.look()
        here.configure()
        step("the command line of the unit")
        serve(here, listening, then=lambda manager: here.restart_under_requests(manager.restart))
        step("twistd")
        twistd = ("/usr/lib/konnectd/bin/twistd", "-n", "--pidfile=", "konnectd", f"--config={CONF}")
        serve(here, listening, *twistd, "--listen=systemd:domain=INET:index=0")
        step("other keys")
        serve(here, listening, then=lambda manager: rotate(here.root, here.port, manager.reload))
        serve(here, listening)
        step("the keys of Konnect")
        here.take_over(listening)
        step("an upgrade")
        keys = here.fingerprint()
        conf = here.root.at(CONF).read_bytes()
        here.install(raised(package, "99.0"))
        expect("the keys", here.fingerprint(), keys)
        expect("the configuration", here.root.at(CONF).read_bytes(), conf)
        serve(here, listening)
        step("removing")
        here.root.apt("remove", "konnectd")
        expect("below /usr and /lib", [path for path in here.left() if path.startswith(("/usr/", "/lib/"))], [])
        expect("the keys", here.fingerprint(), keys)
        here.root.at("/etc/konnectd/users.yaml").unlink()
        step("purging")
        here.root.apt("purge", "konnectd")
        shutil.rmtree(here.root.at("/run"))
        expect("what is left", [path for path in here.left() if path not in before], [])


def boot(package: Path) -> None:
    """Install a package into a system that runs its own systemd, and do there what administrators do.

    Raises:
        WrongError: something is not as it should be.
        RunError: a command failed.
    """
    step("a clean system that boots")
    with socket.create_server(("127.0.0.1", 0)) as free:
        here = Installation(Root.clean(), int(free.getsockname()[1]))
    here.root.apt("update")
    here.root.apt("install", *_SYSTEMD)
    here.root.at("/usr/sbin/policy-rc.d").unlink()
    shutil.copy2(package, here.root.at("/"))
    with booted(here.root) as system:
        step("installing into it")
        system.run("apt-get", "-qq", "--no-install-recommends", "--yes", "install", f"/{package.name}")
        expect("it", system.run("systemctl", "is-active", "konnectd.service", status=3).strip(), "inactive")
        here.configure("key_rotation = 90d")
        age_keys(here.root)
        here.root.at(_SOCKET_FOLDER).mkdir(parents=True)
        here.root.write(f"{_SOCKET_FOLDER}/port.conf", _SOCKET.format(port=here.port))
        system.run("systemctl", "daemon-reload")
        system.run("systemctl", "enable", "--now", "konnectd.socket", "konnectd.service")
        print(system.run("systemctl", "show", "--property=StatusText", "konnectd.service").strip())
        here.sign_in()
        here.restart_under_requests(lambda: system.run("systemctl", "restart", "konnectd.service"))
        step("clients that come and go while people ask")
        reload = ("systemctl", "reload", "konnectd.service")
        reload_clients(here.root, here.port, REGISTRATION, lambda: system.run(*reload))
        step("keys that the daemon rotates, and others")
        wait_for_rotation(here.root, here.port)
        rotate(here.root, here.port, lambda: system.run(*reload))
        here.sign_in()
        step("an upgrade while people ask")
        shutil.copy2(raised(package, "99.0"), here.root.at("/"))
        with Hammer(here.port, METADATA) as hammer:
            system.run("apt-get", "-qq", "--yes", "install", "/konnectd_99.0.deb")
            hammer.wait_for(200)
        expect("requests that failed", hammer.failures, [])
        here.sign_in()
        step("removing")
        system.run("apt-get", "-qq", "--yes", "purge", "konnectd")
        for unit in ("konnectd.socket", "konnectd.service"):
            expect(unit, system.run("systemctl", "is-active", unit, status=3).strip(), "inactive")


def step(name: str) -> None:
    """Say what comes next."""
    print(f"--- {name} ({time.strftime('%H:%M:%S')})", flush=True)


def main(argv: list[str]) -> int:
    """Do it all; the exit status is 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="test this one instead of building one")
    parser.add_argument("--boot", action="store_true", help="also try it in a system that runs its own systemd")
    options = parser.parse_args(argv)
    try:
        need()
        step("building")
        package = options.package or build()
        print(f"{package.name}: {package.stat().st_size / 1_000_000:.1f} MB")
        test(package)
        if options.boot:
            need(NEEDED_TO_BOOT)
            boot(package)
    except (RunError, WrongError) as error:
        print(f"package-test: failed: {error}", file=sys.stderr)
        return 1
    print("package-test: all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
