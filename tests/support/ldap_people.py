"""The entries that LDAP tests start from, and how to make a backend that has them in memory."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.task import Clock

from konnectd.backends.ldap import LdapBackend, build
from tests.support.fakes import NOON
from tests.support.ldap_memory import Directory, to_directories

BASE = "ou=people,dc=example,dc=org"
SERVICE = "cn=konnectd,dc=example,dc=org"
SERVICE_PASSWORD = "service-secret"
ALICE_DN = f"uid=alice,{BASE}"

SETTINGS: Mapping[str, Any] = {
    "ldap_uri": ("ldap://one.example",),
    "ldap_binddn": SERVICE,
    "ldap_bindpw": SERVICE_PASSWORD,
    "ldap_basedn": BASE,
    "ldap_timeout": 10,
}

PERSON = ("inetOrgPerson",)


def directory() -> Directory:
    """Return a directory with alice, bob and the service account."""
    found = Directory()
    found.add("dc=example,dc=org", {"objectClass": ("domain",)})
    found.add(BASE, {"objectClass": ("organizationalUnit",)})
    found.add(SERVICE, {"objectClass": ("applicationProcess",)}, SERVICE_PASSWORD)
    found.add(
        ALICE_DN,
        {
            "objectClass": PERSON,
            "uid": ("alice",),
            "cn": ("Alice Liddell",),
            "sn": ("Liddell",),
            "givenName": ("Alice",),
            "mail": ("alice@example.org",),
            "uuid": ("6f8a3b52",),
            "uidNumber": ("1001",),
        },
        "wonderland",
    )
    found.add(f"uid=bob,{BASE}", {"objectClass": PERSON, "uid": ("bob",), "cn": ("Bob",)}, "builder")
    return found


def clock() -> Clock:
    """Return a clock that stands at noon."""
    found = Clock()
    found.advance(NOON)
    return found


def backend(
    options: Mapping[str, Any] | None = None, reactor: Clock | None = None, **directories: Directory
) -> LdapBackend:
    """Return a backend over directories in memory, named by the first label of their host."""
    hosts = {f"{name}.example": found for name, found in directories.items()}
    return build({**SETTINGS, **(options or {})}, reactor or clock(), endpoint=to_directories(hosts))
