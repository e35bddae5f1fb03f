"""Clients: which redirect URIs are theirs, and who may claim to be them."""

import string
from urllib.parse import urlsplit

from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import FORBIDDEN_SCHEMES, LONGEST_URI, Client, is_plain_uri, split
from konnectd.protocol.vocabulary import ApplicationType, AuthMethod
from tests.support.requests import CALLBACK, CLIENTS, NOTES, PAGE, PROGRAM
from tests.support.strategies import HOSTILE_URIS

URI_LIKE = st.text(st.sampled_from(string.ascii_lowercase[:6] + "AB:/?#[]@!.%01238\\ \t&=-"), max_size=40)


def edits(uri: str) -> st.SearchStrategy[str]:
    """Return what a URI becomes when a piece of it is replaced by something else."""
    places = st.tuples(st.integers(0, len(uri)), st.integers(0, 6), URI_LIKE)
    return places.map(lambda place: uri[: place[0]] + place[2] + uri[place[0] + place[1] :])


class RedirectUriTests(SynchronousTestCase):
    """Where a code may go."""

    def test_registered(self) -> None:
        """Every registered URI is accepted as it stands."""
        for client in CLIENTS:
            for uri in client.redirect_uris:
                self.assertTrue(client.allows_redirect_uri(uri), uri)

    def test_hostile(self) -> None:
        """No known way to make somebody else's address look registered works, for any kind of client."""
        for client in (*CLIENTS, evolve(NOTES, insecure=True)):
            for uri in HOSTILE_URIS:
                self.assertFalse(client.allows_redirect_uri(uri), uri)
                self.assertFalse(client.allows_post_logout_redirect_uri(uri), uri)

    def test_hostile_even_when_registered(self) -> None:
        """What a browser would run, or readers split differently, is no redirect URI though somebody registered it."""
        for uri in (
            *(f"{scheme}:x" for scheme in FORBIDDEN_SCHEMES),
            "JAVASCRIPT:x",
            "https://user@rp.example/cb",
            "https://rp.example/cb#part",
            "https://rp.example\\cb",
            "https://rp.example/c b",
            "https://rp.example/ä",
            "https://rp.example/%zz",
            "https:/rp.example/cb",
            "https://:443/cb",
            "https://[::1/cb",
            "https://rp.example:65536/cb",
            "/cb",
            "cb",
            "",
            "https://rp.example/" + "a" * LONGEST_URI,
        ):
            for kind in ApplicationType:
                client = Client(client_id="c", redirect_uris=(uri,), application_type=kind)
                self.assertFalse(client.allows_redirect_uri(uri), uri)

    def test_longest(self) -> None:
        """A URI of the greatest length is accepted, one character more is not."""
        longest = "https://rp.example/".ljust(LONGEST_URI, "a")

        self.assertEqual((is_plain_uri(longest), is_plain_uri(longest + "a")), (True, False))

    def test_loopback(self) -> None:
        """Of a program's loopback addresses the port is free, and nothing else."""
        cases = {
            "http://127.0.0.1/cb?a=1": True,
            "http://127.0.0.1:80/cb?a=1": True,
            "http://127.0.0.1:51004/cb?a=1": True,
            "http://127.0.0.1:65535/cb?a=1": True,
            "http://[::1]:51004/cb": True,
            "http://[::1]/cb": True,
            "http://localhost:1/cb": True,
            "org.example.program:/cb": True,
            "http://127.0.0.1:51004/cb": False,
            "http://127.0.0.1:51004/cb?a=2": False,
            "http://127.0.0.1:51004/cb?a=1&b=2": False,
            "http://127.0.0.1:51004/CB?a=1": False,
            "http://127.0.0.1:51004/cb/?a=1": False,
            "http://127.0.0.1:51004/../cb?a=1": False,
            "http://127.0.0.1:051004/cb?a=1": False,
            "http://127.0.0.1:080/cb?a=1": False,
            "http://127.0.0.1:/cb?a=1": False,
            "http://127.0.0.1:65536/cb?a=1": False,
            "http://127.0.0.1:-1/cb?a=1": False,
            "http://127.0.0.1:5x/cb?a=1": False,
            "https://127.0.0.1:51004/cb?a=1": False,
            "HTTP://127.0.0.1:51004/cb?a=1": False,
            "http://127.0.0.2:51004/cb?a=1": False,
            "http://127.1:51004/cb?a=1": False,
            "http://2130706433:51004/cb?a=1": False,
            "http://127.0.0.1.evil.example:51004/cb?a=1": False,
            "http://127.0.0.1:80@evil.example/cb?a=1": False,
            "http://localhost:80@evil.example/cb": False,
            "http://localhost:51004/cb?a=1": False,
            "http://LOCALHOST:51004/cb": False,
            "http://localhost.:51004/cb": False,
            "http://localhost:51004/cb?": False,
            "http://localhost:51004/cb#": False,
            "http://[0:0:0:0:0:0:0:1]:51004/cb": False,
            "http://[::1%25lo]:51004/cb": False,
            "http://[::2]:51004/cb": False,
            "org.example.program:/cb2": False,
            "org.example.program://evil/cb": False,
        }

        self.assertEqual({uri: PROGRAM.allows_redirect_uri(uri) for uri in cases}, cases)

    def test_loopback_of_the_web(self) -> None:
        """A web client's loopback address, for trying things out, has the registered port."""
        client = Client(client_id="c", redirect_uris=("http://localhost:8080/cb",))

        self.assertTrue(client.allows_redirect_uri("http://localhost:8080/cb"))
        self.assertFalse(client.allows_redirect_uri("http://localhost:8081/cb"))

    def test_loopback_with_tls(self) -> None:
        """Only plain http on this machine has a free port; another scheme's port is the registered one."""
        client = Client(
            client_id="c",
            application_type=ApplicationType.NATIVE,
            redirect_uris=("https://localhost:8443/cb", "app://localhost/cb"),
        )

        self.assertTrue(client.allows_redirect_uri("https://localhost:8443/cb"))
        for uri in ("https://localhost:8444/cb", "https://localhost/cb", "app://localhost:1/cb"):
            self.assertFalse(client.allows_redirect_uri(uri), uri)

    @settings(deadline=None, max_examples=300)
    @given(st.one_of(URI_LIKE, st.text(max_size=40), edits(CALLBACK), edits(CALLBACK + "?tenant=1")))
    def test_web_client(self, uri: str) -> None:
        """Whatever is tried, a web client's URI is one of those that are registered."""
        if NOTES.allows_redirect_uri(uri):
            self.assertIn(uri, NOTES.redirect_uris)

    @settings(deadline=None, max_examples=300)
    @given(st.one_of(URI_LIKE, st.sampled_from(PROGRAM.redirect_uris).flatmap(edits)))
    @example("http://localhost:00000/cb")
    def test_program(self, uri: str) -> None:
        """Whatever is tried, a program's URI differs from a registered one in nothing but a loopback port."""
        if not PROGRAM.allows_redirect_uri(uri) or uri in PROGRAM.redirect_uris:
            return
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if parts.hostname == "::1" else parts.hostname
        port = "" if parts.port is None else f":{parts.port}"
        known = {known.replace(":8000", "") for known in PROGRAM.redirect_uris}

        self.assertEqual(parts.netloc, f"{host}{port}")
        self.assertIn(uri.replace(parts.netloc, str(host), 1), known)

    @settings(deadline=None)
    @given(st.one_of(URI_LIKE, st.text(), st.sampled_from(HOSTILE_URIS)))
    def test_splitting_never_fails(self, uri: str) -> None:
        """Any text is either split, with a scheme, or no URI."""
        parts = split(uri)

        self.assertTrue(parts is None or parts.scheme)

    def test_after_sign_out(self) -> None:
        """The addresses for after sign-out are those registered for it, or the redirect URIs of who registered none."""
        self.assertTrue(NOTES.allows_post_logout_redirect_uri("https://notes.example.org/bye"))
        self.assertFalse(NOTES.allows_post_logout_redirect_uri(CALLBACK))
        self.assertFalse(NOTES.allows_redirect_uri("https://notes.example.org/bye"))
        self.assertTrue(PAGE.allows_post_logout_redirect_uri(CALLBACK))


class SecretTests(SynchronousTestCase):
    """Who a client is."""

    def test_secret(self) -> None:
        """Only the very secret is accepted; a client without one accepts none, not even the empty one."""
        strange = Client(client_id="c", secret="gehe\u00efm \u20ac")

        self.assertEqual(
            [
                NOTES.accepts_secret(s)
                for s in ("notes-secret", "", "notes-secre", "notes-secret ", "NOTES-SECRET", "\u00e9")
            ],
            [True, False, False, False, False, False],
        )
        self.assertTrue(strange.accepts_secret("gehe\u00efm \u20ac"))
        self.assertEqual((PAGE.accepts_secret(""), PAGE.accepts_secret("x")), (False, False))

    def test_methods(self) -> None:
        """A client with a secret must show it, in the way it is registered for; one without has nothing to show."""
        basic = evolve(NOTES, auth_method=AuthMethod.BASIC)
        post = evolve(NOTES, auth_method=AuthMethod.POST)
        accepted = {
            name: [str(method) for method in AuthMethod if client.accepts_method(method)]
            for name, client in (("any", NOTES), ("basic", basic), ("post", post), ("public", PAGE))
        }

        self.assertEqual(
            accepted,
            {
                "any": ["client_secret_basic", "client_secret_post"],
                "basic": ["client_secret_basic"],
                "post": ["client_secret_post"],
                "public": ["none"],
            },
        )

    def test_secret_is_not_shown(self) -> None:
        """A client can be logged."""
        self.assertNotIn("notes-secret", repr(NOTES))

    def test_short_id(self) -> None:
        """An id that is a whole registration is told by a digest, in logs and where a client has no name."""
        one, other = (Client(client_id=f"dyn.{'x' * 4000}{number}") for number in range(2))

        self.assertEqual((NOTES.short_id, len(one.short_id), one.display_name), ("notes", 20, one.short_id))
        self.assertNotEqual(one.short_id, other.short_id)

    def test_display_name(self) -> None:
        """People see a client's name, or its id when it has none."""
        self.assertEqual((NOTES.display_name, PAGE.display_name), ("Notes", "page"))
