"""What an operator sets up: a directory with TLS, keys, registered clients, and the daemon that joins them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from attrs import frozen
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.real.daemon import Daemon, daemon, free_port
from tests.real.ldap_entries import ENTRIES, GROUPS, PPOLICY
from tests.real.slapd import PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd
from tests.support.keys import key_for

#: Where the directory's lines go when it is given as variables; these are Konnect's names.
DIRECTORY: Mapping[str, str] = {
    "LDAP_BINDDN": SERVICE_DN,
    "LDAP_BINDPW": SERVICE_PASSWORD,
    "LDAP_BASEDN": PEOPLE,
    "LDAP_GROUPS": "memberof",
    "LDAP_GROUP_BASEDN": GROUPS,
}
METHOD = "PS256"


@frozen(kw_only=True)
class Directory:
    """A slapd, and the variables with which it is reached."""

    server: Slapd

    @classmethod
    @contextmanager
    def start(cls) -> Iterator["Directory"]:
        """Start one with everybody in it, and remove it again."""
        server = Slapd(ENTRIES, ppolicy=PPOLICY)
        try:
            server.start()
            yield cls(server=server)
        finally:
            server.remove()

    def by_ldaps(self) -> Mapping[str, str]:
        """Return variables for TLS from the first byte on."""
        return {**DIRECTORY, "LDAP_URI": self.server.ldaps_uri, "LDAP_TLS_CACERT": str(self.server.ca_file)}

    def by_starttls(self) -> Mapping[str, str]:
        """Return variables for TLS that is asked for."""
        return {
            **DIRECTORY,
            "LDAP_URI": self.server.uri,
            "LDAP_STARTTLS": "yes",
            "LDAP_TLS_CACERT": str(self.server.ca_file),
        }

    def change(self, name: str, *lines: str) -> None:
        """Replace attributes of a person, or remove them if their line has no value."""
        ldif = [f"dn: uid={name},{PEOPLE}", "changetype: modify"]
        for line in lines:
            attribute, _, value = line.partition(": ")
            ldif += [f"replace: {attribute}", *([line] if value else []), "-"]
        self.server.modify("\n".join((*ldif, "")))

    def delete(self, name: str) -> None:
        """Remove a person."""
        self.server.modify(f"dn: uid={name},{PEOPLE}\nchangetype: delete\n")

    def add(self, name: str, password: str, parent: str = "") -> None:
        """Add a person, below a unit if one is named."""
        place = f"{parent},{PEOPLE}" if parent else PEOPLE
        self.server.modify(
            f"dn: uid={name},{place}\nchangetype: add\nobjectClass: inetOrgPerson\n"
            f"uid: {name}\ncn: {name}\nsn: {name}\nuserPassword: {password}\n"
        )


@contextmanager
def provider(
    folder: Path,
    clients: Sequence[Mapping[str, object]],
    variables: Mapping[str, str],
    *words: str,
    method: str = METHOD,
    more_methods: Sequence[str] = (),
    backend: str = "ldap",
    port: int = 0,
) -> Iterator[Daemon]:
    """Run the daemon with people from a directory, or from elsewhere.

    Args:
        folder: for files.
        clients: as they stand in identifier-registration.yaml.
        variables: how the directory is reached.
        words: further flags.
        method: what signs tokens.
        more_methods: further keys, for clients that ask for other signatures.
        backend: where people come from.
        port: where it listens; any that is free if left out.
    """
    port = port or free_port()
    registration = folder / "clients.yaml"
    registration.write_text(yaml.safe_dump({"clients": [dict(client) for client in clients]}))
    secret = folder / "secret.key"
    secret.write_bytes(bytes(range(32)))
    files = [_write_key(folder, each) for each in (method, *more_methods)]
    for path in (registration, secret, *files):
        path.chmod(0o600)
    flags = (
        f"--iss=http://localhost:{port}",
        f"--identifier-registration-conf={registration}",
        *(f"--signing-private-key={file}" for file in files),
        f"--signing-method={method}",
        f"--encryption-secret={secret}",
        *words,
    )
    with daemon(*flags, backend, port=port, environ=variables) as running:
        yield running


def _write_key(folder: Path, method: str) -> Path:
    """Write a private key that signs by a method."""
    key = key_for(method)
    path = folder / f"{key.kid}.pem"
    path.write_bytes(key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path
