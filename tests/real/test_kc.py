"""The Kopano backend over real sockets, in this process, so that the server can be looked into."""

from collections.abc import Mapping
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from konnectd.backends.kc import build
from konnectd.interfaces import BackendUnavailableError, RefusalReason, Refused
from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser
from tests.real.kopano_case import KINDS, TCP, TLS, UNIX, Case
from tests.support.kopano_case import Voucher


class BackendCase(Case):
    """A server that listens everywhere, and backends."""

    def backend(self, kind: str, **options: object) -> Any:  # noqa: ANN401 - one of two kinds
        """Return a backend, which ends with the test."""
        given: Mapping[str, object] = {
            "kc_server_uri": self.addresses[kind],
            "kc_tls_cacert": self.certificates.certificate("ca"),
            **options,
        }
        made = build(given, reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(made.close()))
        return made

    def services(self) -> Mapping[str, Mapping[str, object]]:
        """Return how the service signs in, by kind of address."""
        shown = {
            "kc_client_certificate": self.certificates.certificate("client"),
            "kc_client_private_key": self.certificates.key("client"),
        }
        named = {"kc_server_username": "svc", "kc_server_password": "svc-secret"}
        return {UNIX: {"kc_server_username": "SYSTEM"}, TCP: named, TLS: shown}

    async def find(self, backend: Any, user: EndUser) -> EndUser | None:  # noqa: ANN401 - one of two kinds
        """Return somebody as they are now."""
        found: EndUser | None = await backend.find(user.user_id)
        return found


class SignInTests(BackendCase):
    """Both ways, over everything a server listens on."""

    async def test_sessions_of_people(self) -> None:
        """People sign in, are asked about, and are signed out at the end."""
        for kind in KINDS:
            backend = self.backend(kind)
            await backend.check()
            alice = await backend.logon("alice", "alice-secret")

            self.assertEqual(await self.find(backend, alice), alice, kind)
            self.assertEqual(len(self.server.sessions), 1, kind)
            await backend.close()
            self.assertEqual(len(self.server.sessions), 0, kind)

    async def test_session_of_a_service(self) -> None:
        """SYSTEM by uid, an account by password, SYSTEM by certificate: each finds people, and signs out at the end."""
        for kind, options in self.services().items():
            backend = self.backend(kind, **options)
            await backend.check()
            alice = await backend.logon("ALICE", "alice-secret")

            self.assertEqual(await self.find(backend, alice), alice, kind)
            self.assertEqual((await backend.find_by_username("bob")).name, "Bob van der Berg", kind)
            await backend.close()
            self.assertEqual(len(self.server.sessions), 0, kind)

    async def test_passwords_are_looked_at(self) -> None:
        """However much the server trusts the daemon, a wrong password signs nobody in, nor does a room's right one."""
        for kind, options in self.services().items():
            backend = self.backend(kind, **options)
            for name, password in (("alice", "wrong"), ("admin", "wrong"), ("room1", "room-secret"), ("SYSTEM", "x")):
                answer = await backend.logon(name, password)

                self.assertEqual(answer, Refused(RefusalReason.WRONG_PASSWORD), (kind, name))

    async def test_certificate_is_not_shown(self) -> None:
        """Connections with the certificate carry nothing but the service's own logon and questions in its session."""
        backend = self.backend(TLS, **self.services()[TLS])
        await backend.check()
        await backend.logon("alice", "alice-secret")

        shown = {(asked.call, asked.username, asked.certificate) for asked in self.server.asked}

        self.assertEqual(
            shown,
            {
                ("logon", "SYSTEM", False),
                ("logon", "SYSTEM", True),
                ("logon", "alice", False),
                ("resolveUsername", "alice", True),
                ("getUser", None, True),
            },
        )
        probes = [asked.code for asked in self.server.calls_of("logon") if asked.username == "SYSTEM"]
        self.assertEqual(sorted(code or 0 for code in probes), [0, 0x80000009])

    async def test_certificates(self) -> None:
        """Who trusts whom is a setting, and each fault is told with the option that can mend it."""
        for name, option, words in (
            ("client2", "kc_server_username", "sslkeys_path"),
            ("stranger", "kc_client_certificate", "does not trust who has signed it"),
        ):
            backend = self.backend(
                TLS,
                kc_client_certificate=self.certificates.certificate(name),
                kc_client_private_key=self.certificates.key(name),
            )
            error = await self.fails(ConfigErrors, backend.check())

            self.assertEqual([fault.option for fault in error.faults], [option])
            self.assertIn(words, str(error))

    async def test_server_is_not_trusted(self) -> None:
        """A server whose certificate is not trusted stops the start, unless anybody is believed."""
        error = await self.fails(ConfigErrors, self.backend(TLS, kc_tls_cacert=None).check())
        insecure = build({"kc_server_uri": self.addresses[TLS]}, reactor, insecure=True)
        self.addCleanup(lambda: Deferred.fromCoroutine(insecure.close()))

        self.assertEqual([fault.option for fault in error.faults], ["kc_tls_cacert"])
        self.assertIsNone(await insecure.check())

    async def test_token(self) -> None:
        """A token begins a session that is as good as that of a password."""
        for kind in KINDS:
            backend = self.backend(kind)
            backend.rely_on(Voucher(self.server))
            alice = await backend.logon("alice", "alice-secret")
            self.server.restart()

            self.assertEqual(await self.find(backend, alice), alice, kind)
            await backend.close()


class TroubleTests(BackendCase):
    """A server that goes and comes."""

    async def test_gone_for_a_while(self) -> None:
        """While it is gone nobody gets an answer, and when it is back everybody has the session they had."""
        for kind in KINDS:
            backend = self.backend(kind)
            alice = await backend.logon("alice", "alice-secret")
            await self.server.stop_listening()
            await self.server.drop_all()
            await self.fails(BackendUnavailableError, backend.find(alice.user_id))
            self.server.listen_again()
            self.server.asked.clear()

            self.assertEqual(await self.find(backend, alice), alice, kind)
            self.assertEqual([asked.call for asked in self.server.asked], ["getUser"], kind)

    async def test_under_load(self) -> None:
        """With everybody asking all the time, everybody is answered again, each in the session they had."""
        backend = self.backend(UNIX)
        names = ("alice", "bob", "carol", "dave", "erin")
        people = [await backend.logon(name, f"{name}-secret") for name in names]
        answers: list[str] = []
        stopping = False

        async def ask(user: EndUser) -> None:
            """Ask about somebody, again and again."""
            while not stopping:
                try:
                    answers.append("found" if await backend.find(user.user_id) == user else "somebody else")
                except BackendUnavailableError:
                    answers.append("no answer")
                await deferLater(reactor, 0.002)

        asking = [Deferred.fromCoroutine(ask(user)) for user in people * 4]
        await self.eventually(lambda: answers.count("found") > 40)
        await self.server.stop_listening()
        await self.server.drop_all()
        await self.eventually(lambda: answers.count("no answer") > 100)
        answers.clear()
        self.server.listen_again()
        await self.eventually(lambda: answers.count("found") > 100)
        stopping = True
        await gatherResults(asking)

        self.assertLessEqual(set(answers), {"found", "no answer"})
        self.assertEqual(self.server.calls_of("ssoLogon"), [])
        self.assertEqual(len(self.server.sessions), len(names))

    async def test_service_when_it_is_back(self) -> None:
        """The same for the session of a service."""
        for kind, options in self.services().items():
            backend = self.backend(kind, **options)
            alice = await backend.logon("alice", "alice-secret")
            await self.server.stop_listening()
            await self.server.drop_all()
            await self.fails(BackendUnavailableError, backend.find(alice.user_id))
            self.server.restart()
            self.server.listen_again()

            self.assertEqual(await self.find(backend, alice), alice, kind)

    async def test_idle_connections(self) -> None:
        """Connections that the server closes because nobody used them cost nobody an answer."""
        self.server.settings.idle_seconds = 0.05
        backend = self.backend(TCP)
        for _ in range(3):
            await backend.logon("alice", "alice-secret")
            await self.quiet()

        self.assertIsInstance(await backend.logon("alice", "alice-secret"), EndUser)
