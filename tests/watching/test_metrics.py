"""Tests of metrics: what is counted, and that nobody outside can make more of it."""

import re
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.happenings import Rejected, SignInRefused, TokensIssued
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import RefusalReason, Refused
from konnectd.vitals import PoolUse
from konnectd.watching.metrics import Key, Metrics
from konnectd.web.happened import sign_in_refused
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Connection, request
from tests.support.fakes import run
from tests.support.requests import MAIL
from tests.support.visitor import Visitor

LINE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")
GET = HttpRequest(method="GET", path="/")


class WatchedRuns(SynchronousTestCase):
    """A daemon in memory whose answers are counted."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()
        self.metrics = Metrics(backend="ldap", store="redis")
        self.metrics.know_grants(self.daemon.world.grants())
        self.daemon.site = self.daemon.assembly.site(self.daemon.reactor, observe=self.metrics.observe)
        self.mail = Application(self.daemon)

    def shown(self) -> dict[str, float]:
        """Return every series with its value."""
        page = run(self.metrics.on_metrics(GET)).body.decode()
        found = (LINE.fullmatch(line) for line in page.splitlines() if not line.startswith("#"))
        return {f"{match['name']}{{{match['labels'] or ''}}}": float(match["value"]) for match in found if match}

    def counted(self, name: str) -> dict[str, float]:
        """Return the values of a counter by their labels."""
        beginning = f"konnectd_{name}_total{{"
        return {key.removeprefix(beginning)[:-1]: v for key, v in self.shown().items() if key.startswith(beginning)}


class CountTests(WatchedRuns):
    """What is counted."""

    def test_requests(self) -> None:
        """Answers count by the name of their route and the class of their status."""
        self.daemon.get("/health-check")
        self.daemon.get("/nowhere")

        expected = {'route="health-check",status="2xx"': 1.0, 'route="-",status="4xx"': 1.0}
        self.assertEqual(self.counted("http_requests"), expected)
        self.assertEqual(self.shown()['konnectd_http_request_duration_seconds_count{route="health-check"}'], 1.0)

    def test_refused_messages(self) -> None:
        """What was no request counts as well."""
        Connection(self.daemon.site).send(b"NONSENSE\r\n\r\n")

        self.assertEqual(self.counted("http_requests"), {'route="-",status="4xx"': 1.0})

    def test_sign_in(self) -> None:
        """A whole run counts at each step."""
        visitor = Visitor(self.daemon)
        page = self.mail.arrive(visitor, scope="openid offline_access")
        visitor.submit(page, username="alice", password="wrong")
        code = self.mail.told(self.mail.sign_in(visitor, scope="openid offline_access"))["code"]
        tokens = json_of(self.mail.redeem(code))
        self.mail.refresh(tokens["refresh_token"])
        self.mail.redeem(code)

        refused, entered = 'backend="ldap",outcome="wrong_password"', 'backend="ldap",outcome="signed_in"'
        self.assertEqual(self.counted("sign_ins"), {refused: 1.0, entered: 1.0})
        self.assertEqual(self.counted("authorizations"), {'outcome="granted"': 1.0})
        self.assertEqual(
            self.counted("token_requests"),
            {
                'grant_type="authorization_code",outcome="issued"': 1.0,
                'grant_type="refresh_token",outcome="issued"': 1.0,
                'grant_type="authorization_code",outcome="refused"': 1.0,
            },
        )
        self.assertEqual(self.counted("token_errors"), {'code="invalid_grant"': 1.0})

    def test_silent_renewal(self) -> None:
        """An error that is carried to a client counts, though the log says nothing about it."""
        self.mail.arrive(Visitor(self.daemon), prompt="none")

        self.assertEqual(self.counted("authorizations"), {'outcome="refused"': 1.0})

    def test_backend_that_does_not_answer(self) -> None:
        """Nor is a sign-in that nobody could decide forgotten."""
        visitor = Visitor(self.daemon)
        page = self.mail.arrive(visitor)
        self.daemon.people.silent = True
        visitor.submit(page, username="alice", password="wrong")

        self.assertEqual(self.counted("sign_ins"), {'backend="ldap",outcome="unavailable"': 1.0})

    def test_calls(self) -> None:
        """Calls to backend and store are measured by kind and outcome."""
        self.metrics.backend_call("logon", "refused", 0.2)
        self.metrics.store_call("get", "ok", 0.001)
        found = self.shown()

        labels = 'backend="ldap",call="logon",outcome="refused"'
        self.assertEqual(found[f"konnectd_backend_call_duration_seconds_sum{{{labels}}}"], 0.2)
        labels = 'call="get",outcome="ok",store="redis"'
        self.assertEqual(found[f"konnectd_store_call_duration_seconds_count{{{labels}}}"], 1.0)

    def test_what_is_looked_at(self) -> None:
        """Pools, keys and connections are read when somebody looks."""
        uses = [PoolUse(name="ldap-bind", busy=2, idle=1, limit=4, waiting=3)]
        self.metrics.watch_pools(lambda: uses)
        self.metrics.watch_keys([Key(kid="k1", since=100.0), Key(kid="k2", since=999.0)], lambda: 160.0)
        self.metrics.watch_connections(lambda: 7)
        self.metrics.delay(0.5)
        found = self.shown()

        self.assertEqual(found['konnectd_pool_connections{pool="ldap-bind",state="busy"}'], 2.0)
        self.assertEqual(found['konnectd_pool_waiting{pool="ldap-bind"}'], 3.0)
        self.assertEqual(found['konnectd_signing_key_age_seconds{kid="k1"}'], 60.0)
        self.assertEqual(found['konnectd_signing_key_age_seconds{kid="k2"}'], 0.0)
        self.assertEqual(found["konnectd_http_connections{}"], 7.0)
        self.assertEqual(found["konnectd_reactor_delay_seconds_count{}"], 1.0)

    def test_process(self) -> None:
        """The process and its runtime are there."""
        found = self.shown()

        self.assertGreater(found["process_resident_memory_bytes{}"], 0)
        self.assertIn('python_gc_collections_total{generation="2"}', found)


class HostileTests(WatchedRuns):
    """Nobody makes a series by asking for something odd."""

    def attack(self, number: int) -> None:
        """Send something odd to everything."""
        odd, paths = f'odd-{number}"}}\n{number}', self.daemon.settings.paths
        self.daemon.get(f"/nowhere/{number}")
        self.daemon.ask(f"ODD{number}", "/health-check")
        self.daemon.get(f"{paths.authorize}?{urlencode({'client_id': odd, 'response_type': odd})}")
        self.daemon.get(self.mail.url(scope=odd, prompt=odd, response_mode=odd))
        self.daemon.get(self.mail.url(response_type=odd, claims=odd, request=odd))
        for path in (paths.token, paths.par, paths.revoke, paths.introspect, paths.device_authorization):
            self.daemon.post(path, urlencode({"client_id": odd, "grant_type": odd, "code": odd}))
            self.daemon.post(path, urlencode({"client_id": MAIL.client_id, "grant_type": odd}))
        self.daemon.get(paths.userinfo, f"Authorization: Bearer odd-{number}", f"X-Odd-{number}: x")
        page = self.mail.arrive(Visitor(self.daemon))
        Visitor(self.daemon).submit(page, username=odd, password=odd)

    def test_series_do_not_grow(self) -> None:
        """After the first of many odd requests, there are as many series as after the last."""
        self.attack(0)
        before = set(self.shown())
        for number in range(1, 30):
            self.attack(number)
        after = set(self.shown())

        self.assertEqual(after - before, set())
        self.assertEqual([name for name in after if "odd" in name], [])
        self.assertGreater(len(self.counted("refusals")), 5)

    def test_words_that_nobody_knows(self) -> None:
        """A word that is none of ours is counted under one that is, even if it gets so far by a mistake."""
        answer = HttpResponse().telling(
            SignInRefused(reason="odd"), TokensIssued(grant_type="odd"), Rejected(reason="unknown", error="odd")
        )
        self.metrics.observe(None, GET, answer, 0.1)

        self.assertEqual(self.counted("sign_ins"), {'backend="ldap",outcome="other"': 1.0})
        self.assertEqual(self.counted("token_requests"), {'grant_type="other",outcome="issued"': 1.0})

    def test_every_reason_of_a_backend_is_known(self) -> None:
        """No refusal of a backend counts as something else."""
        for reason in RefusalReason:
            self.metrics.observe(None, GET, HttpResponse().telling(sign_in_refused(Refused(reason))), 0.0)

        self.assertEqual(len(self.counted("sign_ins")), len(RefusalReason))


class PageTests(WatchedRuns):
    """The page for Prometheus."""

    def test_kind(self) -> None:
        """It says which form it has, and nobody keeps it."""
        (route,) = self.metrics.routes()
        site = self.daemon.assembly.site(self.daemon.reactor, route)
        answer = Connection(site).ask(request("GET", "/metrics"))

        self.assertEqual(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(answer.header("Cache-Control"), "no-store")
