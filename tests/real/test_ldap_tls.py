"""The LDAP backend and the certificates of a real slapd."""

from pathlib import Path
from typing import Any

from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser
from tests.real.ldap_case import Case
from tests.real.slapd import OTHER_ADDRESS


class TlsTests(Case):
    """Who the server is."""

    def ldaps(self, host: str = "127.0.0.1") -> str:
        """Return the URI with TLS by some name."""
        return f"ldaps://{host}:{self.server.ports.tls}"

    def plain(self, host: str = "127.0.0.1") -> str:
        """Return the URI without TLS by some name."""
        return f"ldap://{host}:{self.server.ports.plain}"

    async def signs_in(self, **settings: Any) -> bool:
        """Tell whether alice can sign in, the check at start being passed."""
        backend = self.backend(**settings)
        await backend.check()
        return isinstance(await backend.logon("alice", "wonderland"), EndUser)

    async def test_good(self) -> None:
        """With the authority given, TLS and StartTLS work by name and by address."""
        authority = str(self.server.ca_file)
        for host in ("127.0.0.1", "localhost"):
            self.assertTrue(await self.signs_in(ldap_uri=self.ldaps(host), ldap_tls_cacert=authority))
            self.assertTrue(
                await self.signs_in(ldap_uri=self.plain(host), ldap_starttls="yes", ldap_tls_cacert=authority)
            )

    async def test_unknown_authority(self) -> None:
        """A certificate of an authority that is not known is not accepted, with TLS or StartTLS."""
        for settings in ({"ldap_uri": self.ldaps()}, {"ldap_uri": self.plain(), "ldap_starttls": "yes"}):
            for authority in ({}, {"ldap_tls_cacert": str(self.server.other_ca_file)}):
                ((option, problem),) = await self.faults(self.backend(**settings, **authority))

                self.assertEqual(option, "ldap_tls_cacert")
                self.assertIn("not trusted", problem)

    async def test_wrong_name(self) -> None:
        """A good certificate for another name is not accepted, with TLS or StartTLS."""
        authority = str(self.server.ca_file)
        for settings in (
            {"ldap_uri": self.ldaps(OTHER_ADDRESS)},
            {"ldap_uri": self.plain(OTHER_ADDRESS), "ldap_starttls": "yes"},
        ):
            ((option, problem),) = await self.faults(self.backend(ldap_tls_cacert=authority, **settings))

            self.assertEqual(option, "ldap_uri")
            self.assertIn("another name", problem)

    async def test_no_password_without_trust(self) -> None:
        """A server that is not trusted is asked nothing and told no password."""
        before = self.server.counters()
        for settings in ({"ldap_uri": self.ldaps()}, {"ldap_uri": self.plain(), "ldap_starttls": "yes"}):
            await self.unavailable(self.backend(**settings).logon("alice", "wonderland"))
        after = self.server.counters()

        self.assertEqual((after["bind"], after["search"]), (before["bind"], before["search"]))

    async def test_insecure(self) -> None:
        """With checks switched off, any certificate will do."""
        self.assertTrue(await self.signs_in(ldap_uri=self.ldaps(OTHER_ADDRESS), insecure=True))
        self.assertTrue(await self.signs_in(ldap_uri=self.plain(OTHER_ADDRESS), ldap_starttls="yes", insecure=True))

    async def test_tls_where_there_is_none(self) -> None:
        """TLS with a port that has none is told as such."""
        problem = await self.unavailable(self.backend(ldap_uri=f"ldaps://127.0.0.1:{self.server.ports.plain}").check())

        self.assertRegex(problem, "^ldaps://127.0.0.1:[0-9]+ ended the connection instead of beginning TLS")

    async def test_no_tls_where_there_is(self) -> None:
        """LDAP in the clear with a port that wants TLS ends, and is told."""
        problem = await self.unavailable(self.backend(ldap_uri=f"ldap://127.0.0.1:{self.server.ports.tls}").check())

        self.assertRegex(problem, "^ldap://127.0.0.1:[0-9]+ ended the connection without a word: .* ldaps://")


class OldServerTests(Case):
    """A server that speaks nothing newer than TLS 1.1."""

    def setUp(self) -> None:
        """Start it."""
        self.server = self.new_server(ciphers="NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT")

    async def test_refused(self) -> None:
        """It is not talked to, even with checks switched off."""
        for insecure in (False, True):
            backend = self.backend(
                ldap_uri=self.server.ldaps_uri, ldap_tls_cacert=str(self.server.ca_file), insecure=insecure
            )

            self.assertIn("TLS did not come about", await self.unavailable(backend.check()))


class PlainServerTests(Case):
    """A server that has no certificate."""

    def setUp(self) -> None:
        """Start slapd without one."""
        self.server = self.new_server(tls=False)

    async def test_starttls(self) -> None:
        """StartTLS that is refused is told, and no password is sent."""
        before = self.server.counters()

        ((option, problem),) = await self.faults(self.backend(ldap_starttls="yes"))

        self.assertEqual(option, "ldap_starttls")
        self.assertIn("protocolError (2)", problem)
        self.assertEqual(self.server.counters()["bind"], before["bind"])


class AuthorityFileTests(Case):
    """Files of certificate authorities."""

    def test_bad_files(self) -> None:
        """A file that is missing, empty or no certificate is told when the backend is made."""
        empty = self.server.folder / "empty.pem"
        empty.write_bytes(b"")
        broken = self.server.folder / "broken.pem"
        broken.write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        for path in (empty, broken, Path("/nonexistent/ca.pem")):
            with self.assertRaises(ConfigErrors) as caught:
                self.backend(ldap_tls_cacert=str(path))

            self.assertEqual([fault.option for fault in caught.exception.faults], ["ldap_tls_cacert"])
