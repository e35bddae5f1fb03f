"""What tests of the LDAP backend against a real slapd begin with."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from konnectd.backends.ldap import OPTIONS, LdapBackend, build
from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigErrors
from tests.real import slapd
from tests.real.ldap_entries import ENTRIES, PPOLICY
from tests.real.slapd import PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd


class Case(TestCase):
    """A slapd and backends, all of which end with the test."""

    skip = slapd.SKIP
    timeout = 30

    def setUp(self) -> None:
        """Start slapd."""
        self.server = self.new_server()

    def new_server(self, *, tls: bool = True, ciphers: str = "") -> Slapd:
        """Return a slapd that has started."""
        server = Slapd(ENTRIES, tls=tls, ppolicy=PPOLICY, ciphers=ciphers)
        self.addCleanup(server.remove)
        server.start()
        return server

    def backend(self, *, insecure: bool = False, **texts: str) -> LdapBackend:
        """Return a backend with settings as an operator would write them."""
        given = {
            "ldap_uri": self.server.uri,
            "ldap_binddn": SERVICE_DN,
            "ldap_bindpw": SERVICE_PASSWORD,
            "ldap_basedn": PEOPLE,
            "ldap_timeout": "5",
            **texts,
        }
        options: dict[str, object] = {}
        for option in OPTIONS:
            text = given.get(option.dest)
            if text is not None:
                options[option.dest] = tuple(map(option.parse, text.split())) if option.multiple else option.parse(text)
        found = build(options, reactor, insecure=insecure)
        self.addCleanup(lambda: Deferred.fromCoroutine(found.close()))
        return found

    async def faults(self, backend: LdapBackend) -> list[tuple[str, str]]:
        """Return the settings that the check at start blames, and why."""
        try:
            await backend.check()
        except ConfigErrors as error:
            return [(fault.option, fault.problem) for fault in error.faults]
        raise AssertionError("the check passed")

    async def unavailable(self, coroutine: Coroutine[Any, Any, object]) -> str:
        """Return why a backend did not answer."""
        try:
            await coroutine
        except BackendUnavailableError as error:
            return str(error)
        raise AssertionError("the backend answered")
