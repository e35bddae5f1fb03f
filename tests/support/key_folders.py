"""Installations of keys on the disk, as Konnect has them and as our own commands leave them behind."""

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.key_folder import KeyFolder, read_folder
from konnectd.config.key_settings import KeySettings
from konnectd.jose.export import to_private_pem, to_public_pem
from konnectd.jose.keys import PrivateKey
from tests.support.files import folder

YEAR = 365 * 86_400
#: When links and keys of these installations were made.
MADE = 1_700_000_000


@frozen(kw_only=True)
class Installation:
    """A link, and a folder of keys.

    Attributes:
        root: the folder with both.
    """

    root: Path

    @property
    def link(self) -> Path:
        """What ``signing_private_key`` names."""
        return self.root / "signing.pem"

    @property
    def keys(self) -> Path:
        """What ``validation_keys_path`` names."""
        return self.root / "keys"

    @property
    def target(self) -> str:
        """Where the link leads."""
        return str(self.link.readlink())

    @property
    def names(self) -> list[str]:
        """The files in the folder of keys."""
        return sorted(path.name for path in self.keys.iterdir())

    @property
    def files(self) -> Mapping[str, bytes | str]:
        """Everything there is: the content of files, and where links lead."""
        found = sorted(self.root.rglob("*"))
        return {
            str(path.relative_to(self.root)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in found
            if path.is_symlink() or path.is_file()
        }

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that name it."""
        return (f"--signing-private-key={self.link}", f"--validation-keys-path={self.keys}")

    def settings(self, **changed: object) -> KeySettings:
        """Return the settings that name it."""
        values = {
            "signing_private_key": (self.link,),
            "signing_kid": "",
            "signing_method": "PS256",
            "validation_keys_path": self.keys,
            "encryption_secret": None,
            "token_life": 3 * YEAR,
            **changed,
        }
        return KeySettings(**values)  # type: ignore[arg-type] # values of several types

    def read(self) -> KeyFolder:
        """Read it."""
        return read_folder((self.link,), self.keys)

    def states(self) -> dict[str, str]:
        """Return the state of each key."""
        return {key.dated.kid: key.dated.state.value for key in self.read().keys}

    def add(self, name: str, key: PrivateKey, *, at: int = MADE, public: bool = False) -> Path:
        """Put a key into the folder, with a file of some age."""
        path = self.keys / f"{name}.pem"
        path.write_bytes(to_public_pem(key.public) if public else to_private_pem(key))
        path.chmod(0o600)
        os.utime(path, (at, at))
        return path

    def lead_to(self, name: str, *, at: int = MADE) -> None:
        """Let the link lead to a key, since some time."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(f"keys/{name}.pem")
        os.utime(self.link, (at, at), follow_symlinks=False)


def installation(case: SynchronousTestCase, key: PrivateKey) -> Installation:
    """Make an installation as Konnect has it, with one key."""
    root = folder(case)
    root.chmod(0o700)
    found = Installation(root=root)
    found.keys.mkdir(mode=0o700)
    found.add("2023", key)
    found.lead_to("2023")
    return found
