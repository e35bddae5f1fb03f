"""What a client sends to prove who it is, read and compared with its registration."""

from base64 import b64encode
from urllib.parse import quote_plus

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import (
    LONGEST_CREDENTIALS,
    Credentials,
    check_registered,
    check_secret,
    find_basic,
    find_none,
    find_post,
)
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.requests import NOTES, PAGE, form
from tests.support.strategies import TEXT

STRANGE = Client(client_id="c:1 ä", secret="s3cr+t %41:\u20ac&=")


def basic(client_id: str, secret: str, scheme: str = "Basic") -> str:
    """Write an Authorization header as a client has to."""
    return f"{scheme} {b64encode(f'{quote_plus(client_id)}:{quote_plus(secret)}'.encode()).decode()}"


def raw(text: str | bytes) -> str:
    """Write an Authorization header around anything."""
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


class BasicTests(SynchronousTestCase):
    """The header."""

    def test_read(self) -> None:
        """Both halves are form-decoded, and the scheme is recognized in any case."""
        for scheme in ("Basic", "basic", "BASIC"):
            found = find_basic(basic(STRANGE.client_id, STRANGE.secret, scheme), form())

            self.assertEqual(
                found,
                Credentials(client_id=STRANGE.client_id, secret=STRANGE.secret, method=AuthMethod.BASIC),
            )

    def test_not_form_encoded(self) -> None:
        """A plus sign is a blank, as Konnect's clients know; a lone percent sign is itself."""
        texts = ("c:s3cr+t", "c:s3cr%2Bt", "c:100%", "c:a:b")
        found = [credentials.secret for text in texts if (credentials := find_basic(raw(text), form()))]

        self.assertEqual(found, ["s3cr t", "s3cr+t", "100%", "a:b"])

    def test_without_secret(self) -> None:
        """A client without a secret may say so in the header; that is no proof."""
        self.assertEqual(find_basic(raw("page:"), form()), Credentials(client_id="page", method=AuthMethod.NONE))

    def test_same_id_twice(self) -> None:
        """The body may repeat the id of the header, as public libraries do."""
        header = basic("notes", "notes-secret")

        self.assertEqual(find_basic(header, form(client_id="notes")), find_basic(header, form()))

    def test_no_header(self) -> None:
        """Without a header there is nothing."""
        self.assertIsNone(find_basic("", form(client_id="notes")))

    def test_malformed(self) -> None:
        """A header that can not be read, or is another client's than the body, is the client's fault."""
        good = basic("notes", "notes-secret")
        cases = (
            (good, form(client_id="mail")),
            ("Basic", form()),
            ("Basic ", form()),
            ("Bearer abc", form()),
            ("Digest " + good[6:], form()),
            ("Basic !!!", form()),
            ("Basic " + good[6:] + "\u00e9", form()),
            ("Basic YTp", form()),
            ("Basic YT pi", form()),
            (raw("notes"), form()),
            (raw(":secret"), form()),
            (raw(""), form()),
            (raw(b"notes:\xff"), form()),
            (raw("notes:%ff"), form()),
            (raw("%C3:secret"), form()),
            (raw("notes:" + "s" * LONGEST_CREDENTIALS), form()),
        )
        for header, parameters in cases:
            with self.assertRaises(InvalidClientError, msg=header) as caught:
                find_basic(header, parameters)

            self.assertEqual(caught.exception.code, "invalid_client")

    @settings(deadline=None)
    @given(st.one_of(st.text(min_size=1), st.binary().map(raw), st.text().map(lambda text: f"Basic {text}")))
    def test_any_header(self, header: str) -> None:
        """Any header is read or refused in the one way there is."""
        try:
            found = find_basic(header, form(client_id="notes"))
        except InvalidClientError:
            return

        self.assertEqual(found and found.client_id, "notes")


class BodyTests(SynchronousTestCase):
    """The form."""

    def test_secret(self) -> None:
        """In the body the values are as they are."""
        self.assertEqual(
            find_post(form(client_id=STRANGE.client_id, client_secret=STRANGE.secret)),
            Credentials(client_id=STRANGE.client_id, secret=STRANGE.secret, method=AuthMethod.POST),
        )

    def test_no_secret(self) -> None:
        """An empty secret is none, and a name alone is no proof."""
        for parameters in (form(client_id="page"), form(client_id="page", client_secret="")):
            self.assertIsNone(find_post(parameters))
            self.assertEqual(find_none(parameters), Credentials(client_id="page", method=AuthMethod.NONE))

        self.assertIsNone(find_none(form()))

    @settings(deadline=None)
    @given(TEXT.filter(bool), TEXT.filter(bool))
    def test_any_secret(self, client_id: str, secret: str) -> None:
        """Any id and secret arrive as they are, in the header as in the body."""
        found = (
            find_basic(basic(client_id, secret), form()),
            find_post(form(client_id=client_id, client_secret=secret)),
        )

        for credentials in found:
            self.assertEqual(credentials and (credentials.client_id, credentials.secret), (client_id, secret))

    def test_proofs_are_not_shown(self) -> None:
        """Credentials can be logged."""
        credentials = Credentials(client_id="c", secret="hunter2", assertion="e30.hunter3", method=AuthMethod.POST)

        self.assertNotIn("hunter", repr(credentials))


class RegisteredTests(SynchronousTestCase):
    """Whether a client may prove itself in a way."""

    def test_refused(self) -> None:
        """Nobody, somebody else, nothing at all, a way it is not registered for: all refused."""
        by_basic = Credentials(client_id="notes", secret="notes-secret", method=AuthMethod.BASIC)
        by_post = evolve(by_basic, method=AuthMethod.POST)
        by_key = evolve(by_basic, method=AuthMethod.PRIVATE_KEY_JWT)
        key_only = evolve(NOTES, auth_method=AuthMethod.PRIVATE_KEY_JWT)
        cases: tuple[tuple[Credentials, Client | None], ...] = (
            (by_basic, None),
            (evolve(by_basic, client_id="mail"), NOTES),
            (Credentials(client_id="notes", method=AuthMethod.NONE), NOTES),
            (by_post, evolve(NOTES, auth_method=AuthMethod.BASIC)),
            (by_basic, evolve(NOTES, auth_method=AuthMethod.POST)),
            (by_basic, key_only),
            (by_post, evolve(key_only, secret="")),
            (evolve(by_basic, method=AuthMethod.NONE), evolve(key_only, secret="")),
            (by_key, NOTES),
            (evolve(by_basic, method=AuthMethod.SECRET_JWT), NOTES),
            (evolve(by_basic, method=AuthMethod.SECRET_JWT), key_only),
            (Credentials(client_id="page", secret="x", method=AuthMethod.POST), PAGE),
            (Credentials(client_id="page", secret="x", method=AuthMethod.BASIC), PAGE),
            (Credentials(client_id="page", assertion="x", method=AuthMethod.PRIVATE_KEY_JWT), PAGE),
        )
        for credentials, client in cases:
            with self.assertRaises(InvalidClientError, msg=f"{credentials}"):
                check_registered(credentials, client)

    def test_the_registered_way(self) -> None:
        """The way a client is registered for is taken; who registered none may show its secret in either place."""
        for method in (AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT, AuthMethod.PRIVATE_KEY_JWT):
            client = evolve(NOTES, auth_method=method)

            self.assertIs(check_registered(Credentials(client_id="notes", method=method), client), client)
        for method in (AuthMethod.BASIC, AuthMethod.POST):
            self.assertIs(check_registered(Credentials(client_id="notes", method=method), NOTES), NOTES)
        self.assertIs(check_registered(Credentials(client_id="page", method=AuthMethod.NONE), PAGE), PAGE)

    def test_secret(self) -> None:
        """Only the very secret is good, and where there is none, nothing is."""
        good = Credentials(client_id="notes", secret="notes-secret", method=AuthMethod.POST)
        check_secret(good, NOTES)
        keyed = evolve(NOTES, secret="", auth_method=AuthMethod.PRIVATE_KEY_JWT)

        for secret, client in (("wrong", NOTES), ("", NOTES), ("w\u00e4\u20ac", NOTES), ("", PAGE), ("", keyed)):
            with self.assertRaises(InvalidClientError, msg=secret):
                check_secret(evolve(good, secret=secret), client)

    def test_unknown_and_wrong_look_alike(self) -> None:
        """Nobody learns from the answer which clients there are."""
        wrong = Credentials(client_id="notes", secret="wrong", method=AuthMethod.POST)
        unknown = self.assertRaises(InvalidClientError, check_registered, wrong, None)
        known = self.assertRaises(InvalidClientError, check_secret, wrong, NOTES)

        self.assertEqual((unknown.code, unknown.description), (known.code, known.description))
