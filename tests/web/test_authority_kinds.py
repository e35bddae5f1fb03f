"""What kinds of authorities can do that OpenID Connect does not: forms, demands, and what is published about us."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authority_entry import AuthorityEntry, Doorway
from konnectd.authority_kinds import ask_nobody, build_authorities
from konnectd.config.branding import read_branding
from konnectd.flows.browser import LOGON, Keep
from konnectd.flows.federate import Federate, SignOutAbroad
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError, FetchError
from konnectd.looks import Looks
from konnectd.stores.memory import MemoryStore
from konnectd.web.authority_demands import Demands
from konnectd.web.cookies import Cookies
from konnectd.web.federation import FederationRoutes
from konnectd.web.forms import FormRefusedError
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries
from konnectd.web.urls import Urls
from tests.support.assembly import settings_of
from tests.support.authorities import PLACE, DemandingAuthority
from tests.support.fakes import CountingEntropy, FixedClock, run
from tests.support.openid_provider import OpenIdProvider, oidc_entry, tools_for
from tests.support.provider import Provider
from tests.support.requests import ISSUER

IN, END = "other/in", "_/other/end"
ENTRY = AuthorityEntry(authority_id="a", name="The <other> one", kind="other", end_session_enabled=True)


class SometimesSilent(MemoryStore):
    """A store that stops to note anything.

    Attributes:
        silent: it has.
    """

    silent = False

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Note something, or not."""
        if self.silent:
            raise BackendUnavailableError("it is silent")
        return await super().add(key, value, ttl)


class KindCase(SynchronousTestCase):
    """A browser, and an authority of a kind that there is only here."""

    def setUp(self) -> None:
        """Put it together."""
        self.authority = DemandingAuthority(ENTRY)
        self.store = SometimesSilent(FixedClock())
        self.provider = Provider(store=self.store)
        self.provider.sign_in = evolve(self.provider.sign_in, authorities=frozenset({"a"}))
        settings = settings_of()
        paths = settings.paths
        faces = Looks.read(settings, read_branding(settings.branding), CountingEntropy()).faces
        self.cookies = Cookies(secure=True, path=paths.inner, form_path=paths.identifier)
        federate = Federate(
            authorities={"a": self.authority},
            sign_in=self.provider.sign_in,
            whereabouts=self.provider.whereabouts,
            sessions=self.provider.sessions,
            pending=self.provider.pending,
        )
        urls = Urls(paths=paths, sign_in=paths.identifier, signed_out=paths.goodbye, origin=ISSUER)
        self.abroad = SignOutAbroad(federate)
        endsession = evolve(self.provider.end_session, sign_in=self.provider.sign_in, abroad=self.abroad)
        routes = FederationRoutes(
            urls=urls,
            faces=faces,
            cookies=self.cookies,
            federate=federate,
            demands=Demands(urls=urls, faces=faces, cookies=self.cookies, endsession=endsession),
            retries=Retries(sealer=self.provider.sealer, clock=self.provider.clock),
            notes=Notes(lambda: "E1"),
            doorways=(
                (Doorway(path=IN, methods=("GET", "POST"), state="RelayState"), frozenset({"a"})),
                (Doorway(path=END, methods=("GET", "POST"), state="RelayState"), frozenset({"a"})),
            ),
            metadata=(("other/metadata", ("a",)),),
        ).routes()
        self.routes = {route.path: route for route in routes}
        self.jar: dict[str, str] = {}
        self.base = paths.identifier

    def request(self, path: str, method: str, **fields: str) -> HttpRequest:
        """Make a request of the browser."""
        query, body = (urlencode(fields), b"") if method == "GET" else ("", urlencode(fields).encode())
        lines = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        if self.jar:
            lines["cookie"] = "; ".join(f"__Secure-{name}={value}" for name, value in self.jar.items())
        return HttpRequest(method=method, path=f"{self.base}/{path}", query=query, headers=lines, body=body)

    def ask(self, path: str, method: str = "GET", **fields: str) -> HttpResponse:
        """Go to an address, and keep the cookies of the answer."""
        request = self.request(path, method, **fields)
        answer = run(self.routes[f"{self.base}/{path}"].respond(request))
        for name, value in answer.headers:
            if name == b"Set-Cookie":
                cookie, _, kept = value.decode().partition(";")[0].partition("=")
                self.jar[cookie.removeprefix("__Secure-")] = kept
        self.jar = {name: value for name, value in self.jar.items() if value}
        return answer

    def location(self, answer: HttpResponse) -> str:
        """Return where a browser is sent."""
        return dict(answer.headers).get(b"Location", b"").decode()

    def begin(self) -> dict[str, str]:
        """Leave for the authority, and return what it is told."""
        return dict(parse_qsl(urlsplit(self.location(self.ask("oauth2/start", authority_id="a"))).query))

    def sign_in(self, reference: str = "r1") -> HttpResponse:
        """Come back as alice."""
        told = self.begin()
        return self.ask(IN, "POST", RelayState=told["state"], n=told["n"], name="alice", ref=reference)


class FormTests(KindCase):
    """Forms, there and back."""

    def test_form_to_the_authority(self) -> None:
        """A kind that posts gets a page that posts itself."""
        self.authority.posts = True
        body = self.ask("oauth2/start", authority_id="a").body.decode()

        self.assertIn(f'action="{PLACE}in"', body)

    def test_form_may_go_there(self) -> None:
        """The policy of the page lets it."""
        self.authority.posts = True
        policy = dict(self.ask("oauth2/start", authority_id="a").headers)[b"Content-Security-Policy"]

        self.assertIn(b"form-action 'self' https:", policy)

    def test_form_from_the_authority(self) -> None:
        """Who comes back by a form is signed in, and sent on by a GET."""
        answer = self.sign_in()

        self.assertEqual((answer.status, LOGON in self.jar), (303, True))

    def test_refusal_by_a_form(self) -> None:
        """So is who is not."""
        told = self.begin()
        answer = self.ask(IN, "POST", RelayState=told["state"], no="1")

        self.assertEqual((answer.status, LOGON in self.jar), (303, False))

    def test_cookies_come_with_a_form_from_elsewhere(self) -> None:
        """The cookie of the trip is one that browsers send with it."""
        (line,) = self.cookies.write((Keep("KKTS-a", "x"),))

        self.assertIn(b"SameSite=None", line[1])


class DemandTests(KindCase):
    """The authority ends a session."""

    def test_proven(self) -> None:
        """Who is meant is signed out at once, and the authority told."""
        self.sign_in()
        answer = self.ask(END, end="r1", sure="1")

        self.assertEqual((LOGON in self.jar, self.location(answer)), (False, f"{PLACE}done?done=True"))

    def test_any(self) -> None:
        """It may mean anybody who came from there."""
        self.sign_in()
        self.ask(END, end="any", sure="1")

        self.assertNotIn(LOGON, self.jar)

    def test_row_27_somebody_else(self) -> None:
        """Who is not meant stays."""
        self.sign_in()
        self.ask(END, end="r2", sure="1")

        self.assertIn(LOGON, self.jar)

    def test_row_27_from_another_authority(self) -> None:
        """Who came from another authority stays, whatever that one called them."""
        self.sign_in()
        self.authority.entry = evolve(ENTRY, authority_id="b")
        self.ask(END, end="r1", sure="1")

        self.assertIn(LOGON, self.jar)

    def test_row_27_not_proven(self) -> None:
        """Who is meant is asked, when anybody could have said so."""
        self.sign_in()
        answer = self.ask(END, end="r1")

        self.assertEqual((LOGON in self.jar, self.location(answer)), (True, f"{self.base}/_/goodbye"))

    def test_lie(self) -> None:
        """What can not be believed is refused."""
        self.sign_in()
        self.assertRaises(FormRefusedError, self.ask, END, end="lie", sure="1")

        self.assertIn(LOGON, self.jar)

    def test_no_demand(self) -> None:
        """What is neither a return nor a demand is refused."""
        self.assertRaises(FormRefusedError, self.ask, END, other="1")

    def test_answer_by_a_form(self) -> None:
        """It may want its answer posted."""
        self.authority.posts = True

        self.assertIn(f'action="{PLACE}done"', self.ask(END, end="any", sure="1").body.decode())

    def test_no_answer(self) -> None:
        """Or none at all."""
        self.authority.silent = True

        self.assertEqual(self.location(self.ask(END, end="any", sure="1")), "/signin/v1/goodbye")

    def test_told(self) -> None:
        """Those who count are told who has left."""
        self.sign_in()
        answer = self.ask(END, end="r1", sure="1")

        self.assertEqual([getattr(one, "user", "") for one in answer.happened], ["alice"])


class PublishedTests(KindCase):
    """What is published about us."""

    def test_document(self) -> None:
        """It is what the authority says, as what it is."""
        answer = self.ask("other/metadata")

        self.assertEqual((answer.body, dict(answer.headers)[b"Content-Type"]), (b"<about/>", b"application/xml"))

    def test_nothing(self) -> None:
        """Where there is nothing, there is nothing."""
        self.authority.silent = True

        self.assertEqual(self.ask("other/metadata").status, 404)

    def test_of_another(self) -> None:
        """An authority that does not publish anything is not there."""
        self.assertEqual(self.ask("other/metadata", authority_id="b").status, 404)


class KeptTests(SynchronousTestCase):
    """Authorities before and after their entries are read again."""

    def setUp(self) -> None:
        """Make one."""
        self.tools = tools_for(OpenIdProvider(FixedClock()))
        self.before = build_authorities((oidc_entry(),), self.tools)

    def test_unchanged(self) -> None:
        """One whose entry says the same goes on, with what it has fetched."""
        after = build_authorities((oidc_entry(),), self.tools, self.before.values())

        self.assertIs(after["corp"], self.before["corp"])

    def test_row_29_changed(self) -> None:
        """One whose entry has changed begins anew."""
        after = build_authorities((oidc_entry(claim="upn"),), self.tools, self.before.values())

        self.assertIsNot(after["corp"], self.before["corp"])

    def test_nobody_asks(self) -> None:
        """Where there is no network, nobody is asked."""
        self.assertRaises(FetchError, lambda: run(ask_nobody(None)))  # type: ignore[arg-type] # nobody looks at it


class SignOutTests(KindCase):
    """Signing out here, and there."""

    def leave(self, after: str = "") -> str:
        """Sign out here, and return where that leads; empty for nowhere."""
        browser = self.cookies.read(self.request("", "GET"))
        logon = self.provider.sign_in.find(browser)
        going = run(self.abroad(after, browser, *([logon] if logon is not None else [])))
        if going is None:
            return ""
        for change in going.cookies:
            if isinstance(change, Keep):
                self.jar[change.name] = change.value
        return going.location

    def come_back(self, **fields: str) -> HttpResponse:
        """Come back from there."""
        state = dict(parse_qsl(urlsplit(self.leave()).query))["state"]
        return self.ask(IN, "GET", RelayState=state, **fields)

    def test_held(self) -> None:
        """The authority is told what it has said when somebody signed in there, once."""
        self.sign_in("r7")
        self.leave()
        self.leave()

        self.assertEqual(self.authority.held, [{"ref": "r7"}, {}])

    def test_back(self) -> None:
        """Whoever comes back sees that they are signed out."""
        self.sign_in()

        self.assertEqual(self.location(self.come_back()), "/signin/v1/goodbye")

    def test_the_authority_says_no(self) -> None:
        """So do they when the authority has not signed them out."""
        self.sign_in()

        self.assertEqual(self.location(self.come_back(no="1")), "/signin/v1/goodbye")

    def test_silent_store(self) -> None:
        """And when the store does not answer: they are signed out here already."""
        self.sign_in()
        state = dict(parse_qsl(urlsplit(self.leave()).query))["state"]
        self.store.silent = True

        self.assertEqual(self.location(self.ask(IN, RelayState=state)), "/signin/v1/goodbye")

    def test_long_way_back(self) -> None:
        """Whoever has a way back that no browser keeps is signed out here, and goes nowhere else."""
        self.sign_in()

        self.assertEqual(self.leave("https://notes.example.org/" + "x" * 9000), "")

    def test_silent_store_at_the_return(self) -> None:
        """A store that does not answer when somebody comes to sign in lets them try again."""
        told = self.begin()
        self.store.silent = True
        answer = self.ask(IN, RelayState=told["state"], n=told["n"], name="alice")

        self.assertIn(f"{self.base}/_/signin?retry=", self.location(answer))
