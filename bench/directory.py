"""The directory of the measures: the real slapd of the tests, and what it counts by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from attrs import frozen

from tests.real import slapd
from tests.real.ldap_entries import ENTRIES, PPOLICY
from tests.real.slapd import PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd


@frozen(kw_only=True)
class Counters:
    """What a directory was asked to do since it started."""

    searches: int
    binds: int
    connections: int

    def since(self, earlier: "Counters") -> "Counters":
        """Return what was added since an earlier count."""
        return Counters(
            searches=self.searches - earlier.searches,
            binds=self.binds - earlier.binds,
            connections=self.connections - earlier.connections,
        )


@frozen
class Directory:
    """A directory that runs; alice is in it, and her password is wonderland."""

    server: Slapd

    @staticmethod
    def available() -> bool:
        """Tell whether there is a slapd to start."""
        return slapd.SKIP is None

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Self]:
        """Start it, and remove it again."""
        server = Slapd(ENTRIES, ppolicy=PPOLICY)
        try:
            (server.folder / "service.password").write_text(SERVICE_PASSWORD)
            server.start()
            yield cls(server)
        finally:
            server.remove()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The flags with which the daemon finds people here, by TLS as it should be."""
        return (
            f"--ldap-uri={self.server.ldaps_uri}",
            f"--ldap-tls-cacert={self.server.ca_file}",
            f"--ldap-binddn={SERVICE_DN}",
            f"--ldap-bindpw-file={self.server.folder / 'service.password'}",
            f"--ldap-basedn={PEOPLE}",
        )

    def counters(self) -> Counters:
        """Return what it has counted, without the questions for that."""
        counted = self.server.counters()
        return Counters(searches=counted["search"], binds=counted["bind"], connections=counted["connect"])
