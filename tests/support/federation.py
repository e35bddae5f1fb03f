"""Two daemons in memory, one of which sends people to the other one to sign in; and a person with one browser.

What they say to each other goes through `Across`; what a browser brings, through its cookies.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import evolve

from konnectd.authorities._oidc_settings import OidcSettings, discovery_uri
from konnectd.authority import Heard, Question
from konnectd.authority_entry import AuthorityEntry, IdentityRules
from konnectd.interfaces import Backend, FetchError, Store
from konnectd.protocol.client import Client
from tests.support.assembly import FORM_HEADER, SIGNED, Daemon
from tests.support.requests import CALLBACK, CLIENTS, ISSUER, sent
from tests.support.visitor import Visit, Visitor

#: The provider that people are sent to, and where they come back.
OP = "https://sso.corp.example"
RETURN = f"{ISSUER}/signin/v1/identifier/oauth2/cb"
AUTHORIZE = f"{ISSUER}/signin/v1/identifier/_/authorize"
IDENTIFIER = f"{ISSUER}/signin/v1/identifier"
#: We, as the provider knows us.
KONNECT = Client(
    client_id="konnect",
    secret="konnect-secret",
    trusted=True,
    redirect_uris=(RETURN,),
    post_logout_redirect_uris=(RETURN,),
)
ENTRY = AuthorityEntry(
    authority_id="corp",
    name="Corporate sign-in",
    kind="oidc",
    default=True,
    identity=IdentityRules(),
    end_session_enabled=True,
    settings=OidcSettings(
        issuer=OP, client_id="konnect", client_secret="konnect-secret", discovery_uri=discovery_uri(OP)
    ),
)


def entry(**changes: object) -> AuthorityEntry:
    """Return the entry with some changes."""
    return evolve(ENTRY, **changes)


class Across:
    """Carries questions to the other daemon.

    Attributes:
        daemon: who is asked.
        silent: nobody answers.
    """

    def __init__(self, daemon: Daemon) -> None:
        """Keep who is asked."""
        self.daemon = daemon
        self.silent = False

    async def __call__(self, question: Question) -> Heard:
        """Ask."""
        if self.silent or not question.url.startswith(f"{OP}/"):
            raise FetchError("nobody answers")
        parts = urlsplit(question.url)
        lines = [f"Authorization: {question.authorization}"] if question.authorization else []
        body = b""
        if question.form is not None:
            body = urlencode(question.form).encode()
            lines.append(FORM_HEADER)
        method = "GET" if question.form is None else "POST"
        answer = self.daemon.ask(method, parts.path, *lines, body=body)
        return Heard(status=answer.status, content=answer.body)


class Federation:
    """Both daemons and a browser.

    Attributes:
        op: the provider.
        rp: the daemon under test.
        there, here: the browser at each of them.
    """

    def __init__(
        self,
        *words: str,
        entries: tuple[AuthorityEntry, ...] = (ENTRY,),
        backend: Backend | None = None,
        web_app: Mapping[str, bytes] | None = None,
        store: Store | None = None,
    ) -> None:
        """Start them.

        Args:
            words: options of the daemon under test.
            entries: its authorities.
            backend: its users, if they are others than those of the provider.
            web_app: its front end.
            store: what it keeps, instead of one in memory.
        """
        self.op = Daemon(issuer=OP, clients=(KONNECT,))
        self.across = Across(self.op)
        self.rp = Daemon(
            *words,
            clients=(*CLIENTS, SIGNED),
            authorities=entries,
            ask=self.across,
            backend=backend,
            web_app=web_app,
            store=store,
        )
        self.there, self.here = Visitor(self.op), Visitor(self.rp)

    def advance(self, seconds: int) -> None:
        """Let time pass everywhere."""
        self.op.clock.advance(seconds)
        self.rp.clock.advance(seconds)

    def request(self, client_id: str = "mail", **changes: str | None) -> Visit:
        """Begin at an application."""
        query = urlencode(list(sent(client_id=client_id, **changes).items()))
        return self.here.open(f"{AUTHORIZE}?{query}")

    def sign_in(self, visit: Visit, username: str = "alice", password: str = "wonderland") -> Visit:
        """Sign in at the provider, where a browser has been sent to; return where it comes out of there."""
        page = self.there.open(visit.url)
        if page.left or "password" not in page.fields:
            return page
        return self.there.submit(page, username=username, password=password)

    def through(self, visit: Visit, username: str = "alice", password: str = "wonderland") -> Visit:
        """Sign in at the provider and come back."""
        return self.here.open(self.sign_in(visit, username, password).url)


def query_of(url: str) -> Mapping[str, str]:
    """Return the query of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def is_at_the_client(visit: Visit) -> bool:
    """Tell whether a browser is back at the application."""
    return visit.left and visit.url.startswith(f"{CALLBACK}?")
