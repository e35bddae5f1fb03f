"""Somebody who is signed in to an application with every address for leaving, as the logout tests have it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from attrs import evolve

from konnectd.protocol.client import Client
from tests.support.application import Application, json_of
from tests.support.assembly import SIGNED, Daemon
from tests.support.requests import BYE, CALLBACK, ISSUER
from tests.support.visitor import Visit, Visitor
from tests.web.certification.case import LONG_STATE, CertificationCase

END_SESSION = "/signin/v1/identifier/_/endsession"
#: What a client may be told that has ``prompt=none`` when nobody is signed in.
NEEDS_A_PERSON = {"login_required", "interaction_required", "consent_required", "account_selection_required"}
FRONT = "https://notes.example.org/front?tenant=1"
BACK = "https://notes.example.org/back"
#: Trusted, so that no page stands between the modules' steps.
LEAVER: Client = evolve(SIGNED, client_id="leaver", name="Leaver", userinfo_signed_response_alg="")


class LeavingCase(CertificationCase):
    """Alice, signed in to one application."""

    client = LEAVER
    clients: tuple[Client, ...] = (LEAVER,)

    def setUp(self) -> None:
        """Sign her in, and keep the ID token."""
        self.daemon = Daemon(clients=self.clients)
        self.app = Application(self.daemon, self.client)
        self.visitor = Visitor(self.daemon)
        self.answer = self.authorize("code").parts
        self.tokens = json_of(self.app.redeem(self.answer["code"]))
        self.hint = str(self.tokens["id_token"])
        self.claims = self.id_token(self.hint)

    def leave(self, **changes: str | None) -> Visit:
        """Send the browser to the end-session endpoint as every module does, with some parameters changed."""
        good = {"id_token_hint": self.hint, "post_logout_redirect_uri": BYE, "state": LONG_STATE}
        sent = {name: value for name, value in {**good, **changes}.items() if value is not None}
        visit = self.visitor.open(f"{END_SESSION}?{urlencode(sent, quote_via=quote)}")
        return self.visitor.submit(visit, signout="1") if self.asks(visit) else visit

    def asks(self, visit: Visit) -> bool:
        """Tell whether a page asks the person whether to leave."""
        return not visit.left and visit.answer.status == 200 and visit.title == "Sign out?"

    def back(self, visit: Visit) -> Mapping[str, str]:
        """Return what the application is told by the address the browser comes back to."""
        parts = urlsplit(visit.url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)

        self.assertEqual(f"{parts.scheme}://{parts.netloc}{parts.path}", BYE)
        self.assertEqual(len(pairs), len(dict(pairs)), "something is there twice")
        return dict(pairs)

    def silent(self) -> Mapping[str, str]:
        """Ask without any page whether somebody is signed in."""
        visit = self.app.arrive(self.visitor, prompt="none", state=LONG_STATE)

        self.assertTrue(visit.left and visit.url.startswith(CALLBACK))
        return dict(parse_qsl(urlsplit(visit.url).query))

    def assertSignedOut(self) -> None:
        """Fail when somebody is still signed in."""
        answer = self.silent()

        self.assertIn(answer.get("error"), NEEDS_A_PERSON)
        self.assertEqual(answer["state"], LONG_STATE)

    def metadata(self) -> Mapping[str, object]:
        """Return the provider's metadata."""
        found = json_of(self.daemon.get("/.well-known/openid-configuration"))

        self.assertEqual(found["end_session_endpoint"], f"{ISSUER}{END_SESSION}")
        return found
