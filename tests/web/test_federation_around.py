"""What stands around a sign-in at an authority: front ends, the identifier API, those who count, ID tokens in forms."""

import json
from urllib.parse import urljoin

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._oidc_settings import OidcSettings
from konnectd.watch_assembly import Auditing
from konnectd.watching.metrics import Metrics
from tests.support.application import json_of
from tests.support.fakes import People, run
from tests.support.federation import ENTRY, RETURN, Federation, entry, is_at_the_client, query_of
from tests.support.federation_case import ISS, FederationCase, links
from tests.support.front_end import FILES, WORDS, FrontEnd
from tests.support.loglines import LogLines
from tests.support.people import BOB
from tests.watching.test_audit_events import Kept, faults
from tests.watching.test_metrics import GET


class FrontEndTests(FederationCase):
    """A front end of somebody else's in the place of our pages."""

    def setUp(self) -> None:
        """Have one."""
        self.begin(*WORDS, web_app=FILES)

    def test_sent_there(self) -> None:
        """A default authority comes before the front end, as in Konnect."""
        self.assertTrue(is_at_the_client(self.world.through(self.world.request())))

    def test_consent(self) -> None:
        """Who comes back and has to be asked for consent sees the front end, and not the authority again."""
        visit = self.world.through(self.world.request("notes"))

        self.assertEqual((visit.left, query_of(visit.url)["flow"]), (False, "consent"))

    def test_not_ready(self) -> None:
        """The front end has no page for that, so the application is told."""
        self.world.across.silent = True

        self.assertEqual(query_of(self.world.request().url)["error"], "temporarily_unavailable")

    def test_unknown(self) -> None:
        """Nor for somebody whom nobody knows."""
        self.begin(*WORDS, web_app=FILES, backend=People(BOB))

        self.assertEqual(query_of(self.world.through(self.world.request()).url)["error"], "access_denied")

    def test_nobody_waits(self) -> None:
        """Where no application waits, there is nobody to tell."""
        self.world.across.silent = True

        self.assertEqual(self.world.here.open("/signin/v1/identifier").answer.status, 400)

    def test_no_default(self) -> None:
        """Without a default the front end is seen, and a link of its own can lead there."""
        self.begin(*WORDS, web_app=FILES, entries=(entry(default=False),))
        visit = self.world.request()
        start = visit.url.replace("/identifier?", "/identifier/oauth2/start?authority_id=corp&")

        self.assertTrue(is_at_the_client(self.world.through(self.world.here.open(start))))


class ApiTests(FederationCase):
    """The identifier API."""

    def test_hello(self) -> None:
        """Who came from an authority is there, as anybody else."""
        self.world.through(self.world.request())
        front = FrontEnd(self.world.here)

        self.assertEqual((front.hello(), front.greeting["username"]), (True, "alice"))

    def test_going_on_keeps_the_authority(self) -> None:
        """Going on as who one is does not lose where one came from, as it does in Konnect."""
        self.world.through(self.world.request())
        FrontEnd(self.world.here).logon("alice", "", "0")
        goodbye = self.world.here.open("/signin/v1/identifier/_/goodbye")

        self.assertTrue(self.world.here.submit(goodbye, signout="1").left)

    def test_password(self) -> None:
        """A password is good as long as nobody takes it away."""
        self.assertEqual(FrontEnd(self.world.here).logon("alice", "wonderland", "1"), 200)

    def test_row_27_no_password(self) -> None:
        """Then it is not, here either."""
        self.begin("--disable-local-logon")

        self.assertEqual(FrontEnd(self.world.here).logon("alice", "wonderland", "1"), 204)

    def test_logoff(self) -> None:
        """Signing out by a script ends the session here, and leaves no trip behind."""
        self.world.through(self.world.request())
        answer = FrontEnd(self.world.here).call("logoff")

        self.assertEqual(
            (json_of(answer)["success"], any("KKTS" in name for name, _ in self.world.here.jar)), (True, False)
        )


class ToldTests(FederationCase):
    """Those who count, and those who keep records."""

    def watch(self) -> None:
        """Let both look."""
        self.kept = Kept()
        self.metrics = Metrics(backend="ldap", store="memory")
        auditing = Auditing(self.kept, lambda: 1.5)  # type: ignore[arg-type] # keeps instead of writing

        def observe(*words: object) -> None:
            self.metrics.observe(*words)  # type: ignore[arg-type] # what an observer is told
            auditing.observe(*words)  # type: ignore[arg-type] # the same

        self.world.rp.site = self.world.rp.assembly.site(self.world.rp.reactor, observe=observe)  # type: ignore[arg-type]

    def entry_of(self, event: str) -> dict[str, object]:
        """Return the one entry of some kind; it has to be as the schema has it."""
        (line,) = [line for line in self.kept.lines if json.loads(line)["event"] == event]
        self.assertEqual(faults(line), [])
        found: dict[str, object] = json.loads(line)
        return found

    def series(self) -> list[str]:
        """Return the series of sign-ins."""
        page = run(self.metrics.on_metrics(GET)).body.decode()
        return [line for line in page.splitlines() if line.startswith("konnectd_sign_ins_total{")]

    def test_audited(self) -> None:
        """The audit log has who signed in, and where."""
        self.watch()
        self.world.through(self.world.request())
        found = self.entry_of("sign-in")

        self.assertEqual(
            {name: found[name] for name in ("user", "method", "authority", "client")},
            {"user": "alice", "method": "authority", "authority": "corp", "client": "mail"},
        )

    def test_refusal_audited(self) -> None:
        """And who did not, and why."""
        self.begin(backend=People(BOB))
        self.watch()
        self.world.through(self.world.request())
        found = self.entry_of("sign-in-refused")

        self.assertEqual((found["reason"], found["authority"]), ("authority_unknown_user", "corp"))

    def test_counted(self) -> None:
        """Sign-ins are counted apart from those with a password."""
        self.watch()
        self.world.through(self.world.request())

        self.assertEqual(self.series(), ['konnectd_sign_ins_total{backend="authority",outcome="signed_in"} 1.0'])

    def test_refusal_counted(self) -> None:
        """By why they came to nothing."""
        self.watch()
        self.world.across.silent = True
        self.world.request()

        self.assertEqual(
            self.series(), ['konnectd_sign_ins_total{backend="authority",outcome="authority_unavailable"} 1.0']
        )

    def test_logged(self) -> None:
        """The operator is told why, and which reason that is."""
        log = LogLines(self)
        self.world.across.silent = True
        self.world.request()

        self.assertIn(
            "its metadata can not be fetched: nobody answers", log.about("authority corp signed nobody in", "warn")[0]
        )
        self.assertEqual(len(log.about("reason=authority-unavailable", "trace")), 1)

    def test_no_secret_is_logged(self) -> None:
        """Neither codes nor states nor secrets nor tokens are."""
        log = LogLines(self)
        url = self.world.sign_in(self.world.request()).url
        secrets = [query_of(url)["code"], query_of(url)["state"], "konnect-secret"]
        self.world.here.open(url)
        self.world.here.open(url)
        self.world.here.open(f"{RETURN}?error=access_denied&state={query_of(url)['state']}&{ISS}")

        self.assertEqual([secret for secret in secrets if secret in log.text()], [])


class IdTokenTests(SynchronousTestCase):
    """An ID token instead of a code, as Konnect has it; konnectd as the provider posts it."""

    def setUp(self) -> None:
        """Ask for one."""
        settings = ENTRY.settings
        if not isinstance(settings, OidcSettings):
            raise TypeError
        changed = evolve(settings, response_type="id_token")
        self.world = Federation(entries=(evolve(ENTRY, settings=changed),))

    def test_form(self) -> None:
        """It comes by a form from another site, and signs in whom it is about."""
        page = self.world.sign_in(self.world.request())
        visit = self.world.here.post(urljoin(page.url, page.action), page.fields)

        self.assertTrue(is_at_the_client(visit))

    def test_in_the_query(self) -> None:
        """It is as good in the query, where Konnect has it."""
        page = self.world.sign_in(self.world.request())
        fields = page.fields
        visit = self.world.here.open(f"{RETURN}?id_token={fields['id_token']}&state={fields['state']}&{ISS}")

        self.assertTrue(is_at_the_client(visit))

    def test_of_another_sign_in(self) -> None:
        """That of another sign-in is not."""
        page = self.world.sign_in(self.world.request())
        other = self.world.sign_in(self.world.request())
        state = page.fields["state"]
        visit = self.world.here.open(f"{RETURN}?id_token={other.fields['id_token']}&state={state}&{ISS}")

        self.assertIn("could not be used", visit.text)

    def test_page_has_no_link_of_the_token(self) -> None:
        """And stands in no link of a page of ours."""
        page = self.world.sign_in(self.world.request())
        token = page.fields["id_token"]
        visit = self.world.here.open(f"{RETURN}?id_token={token}x&state={page.fields['state']}&{ISS}")

        self.assertNotIn(token, "".join(links(visit).values()))
