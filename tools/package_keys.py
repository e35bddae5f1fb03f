"""Keys in an installed package, for `tools.package_test`: rotated by commands, and taken over from Konnect."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tools.package_root import Root, RunError

CONF = "/etc/konnectd/konnectd.conf"
STATE = "/var/lib/konnectd"
LINK, KEYS, ENCRYPTION_SECRET = f"{STATE}/signing.pem", f"{STATE}/keys", f"{STATE}/encryption-secret.key"
SETUP = ("konnectd", "setup", "--user=konnectd", f"--config={CONF}")
_KOPANO = "/etc/kopano"
_OF_KONNECT = {
    "signing_private_key": f"{_KOPANO}/konnectd-signing-private-key.pem",
    "validation_keys_path": f"{_KOPANO}/konnectkeys",
    "encryption_secret_key": f"{_KOPANO}/konnectd-encryption-secret.key",
}
_KID = "konnect-20200714-a1b2"
_BITS = 4096
#: A folder has to be opened before what is in it can be seen.
_MOST_CALLS = 4
#: The first look comes a minute after the start.
_LONGEST_WAIT = 120.0


def published(port: int) -> list[str]:
    """Return the ids of the keys that the daemon publishes, the one that signs first."""
    with urlopen(f"http://127.0.0.1:{port}/konnect/v1/jwks.json", timeout=20) as answer:
        return [key["kid"] for key in json.load(answer)["keys"]]


def rotate(root: Root, port: int, take_note: Callable[[], object]) -> None:
    """Let another key sign, as an administrator does.

    Args:
        root: the system.
        port: where the daemon listens.
        take_note: has the daemon read its keys.

    Raises:
        RunError: the daemon does not know it.
    """
    for words in (("new", "next"), ("activate", "next", "--force"), ("list",)):
        print(root.run("konnectd", "keys", *words, f"--config={CONF}").strip())
    take_note()
    found = published(port)
    if found[0] != "next":
        raise RunError(f"the daemon publishes {found}, and not the new key first")


def age_keys(root: Root) -> None:
    """Let the keys there are look as if they had signed for years."""
    for path in root.at(KEYS).glob("*.dates"):
        path.write_text("published = 2020-07-14T00:00:00Z\nactivated = 2020-07-14T00:00:00Z\n", encoding="utf-8")


def wait_for_rotation(root: Root, port: int) -> None:
    """Wait until the daemon has made another key by itself, and see that it can read it as its own.

    Raises:
        RunError: it does not.
    """
    give_up, found = time.monotonic() + _LONGEST_WAIT, list[str]()
    while time.monotonic() < give_up:
        found = [kid for kid in published(port) if kid != "default"]
        if len(found) > 1:
            print(f"published: {', '.join(found)}; {root.mode(f'{KEYS}/{found[-1]}.pem')}")
            return
        time.sleep(1)
    raise RunError(f"the daemon publishes {found}, and no key that it has made")


def lay_out_like_konnect(root: Root) -> None:
    """Put keys and secret where Konnect makes them, for its own user, and name them in our configuration."""
    root.run("adduser", "--quiet", "--system", "--group", "--no-create-home", "konnect")
    user = root.user("konnect")
    folder = root.at(f"{_KOPANO}/konnectkeys")
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    files: dict[Path, bytes] = {
        folder / f"{_KID}.pem": pem,
        root.at(_OF_KONNECT["encryption_secret_key"]): os.urandom(32),
    }
    for path, content in files.items():
        path.write_bytes(content)
        path.chmod(0o600)
    for path in (folder, *files):
        os.chown(path, *user)
    root.at(_OF_KONNECT["signing_private_key"]).symlink_to(f"{_KOPANO}/konnectkeys/{_KID}.pem")
    lines = root.at(CONF).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in _OF_KONNECT]
    root.write(CONF, "\n".join([*kept, *(f"{name} = {path}" for name, path in _OF_KONNECT.items())]) + "\n")


def let_read(root: Root) -> None:
    """Do what `konnectd setup` says until it has nothing to say.

    Raises:
        RunError: it does not come to an end.
    """
    said = ""
    for _ in range(_MOST_CALLS):
        said = root.run("sh", "-c", f"{' '.join(SETUP)} || true")
        todo = [line.partition(" can not be read by konnectd: ")[2] for line in said.splitlines()]
        for command in filter(None, todo):
            root.run("sh", "-c", command)
        if not any(todo):
            root.run(*SETUP)
            return
    raise RunError(f"konnectd setup always says more:\n{said}")


def expect_konnects_key(root: Root, port: int) -> None:
    """See that Konnect's key signs, under its name, and that it can be rotated.

    Raises:
        RunError: another one does.
    """
    found = published(port)
    if found[0] != _KID:
        raise RunError(f"the daemon publishes {found}, and not {_KID} first")
    print(root.run("konnectd", "keys", "new", "after-konnect", f"--config={CONF}").strip())
    let_read(root)


def leave_konnect(root: Root, conf: bytes) -> None:
    """Take it all away again."""
    root.at(CONF).write_bytes(conf)
    root.run("rm", "-r", _KOPANO)
