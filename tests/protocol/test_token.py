"""The token request: who the client is, whether a code is its own, and how much a refresh may give."""

from base64 import b64encode
from urllib.parse import quote_plus

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import (
    LONGEST_CREDENTIALS,
    Credentials,
    TokenResponse,
    check_code_grant,
    narrow_scope,
)
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.people import ALICE, logon_of
from tests.support.requests import CALLBACK, NOTES, PAGE, VERIFIER, form, request_of
from tests.support.strategies import SCOPES, TEXT

STRANGE = Client(client_id="c:1 ä", secret="s3cr+t %41:\u20ac&=")


def basic(client_id: str, secret: str, scheme: str = "Basic") -> str:
    """Write an Authorization header as a client has to."""
    return f"{scheme} {b64encode(f'{quote_plus(client_id)}:{quote_plus(secret)}'.encode()).decode()}"


def raw(text: str | bytes) -> str:
    """Write an Authorization header around anything."""
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


class CredentialsTests(SynchronousTestCase):
    """What a client sent to prove who it is."""

    def test_basic(self) -> None:
        """Both halves of the header are form-decoded, and the scheme is recognized in any case."""
        for scheme in ("Basic", "basic", "BASIC"):
            found = Credentials.parse(basic(STRANGE.client_id, STRANGE.secret, scheme), form())

            self.assertEqual(found.authenticate(STRANGE), STRANGE)
            self.assertEqual(found.method, AuthMethod.BASIC)

    def test_not_form_encoded(self) -> None:
        """A plus sign in the header is a blank, as Konnect's clients know; a lone percent sign is itself."""
        found = [Credentials.parse(raw(text), form()).secret for text in ("c:s3cr+t", "c:s3cr%2Bt", "c:100%", "c:a:b")]

        self.assertEqual(found, ["s3cr t", "s3cr+t", "100%", "a:b"])

    def test_post(self) -> None:
        """In the body the values are as they are."""
        found = Credentials.parse("", form(client_id=STRANGE.client_id, client_secret=STRANGE.secret))

        self.assertEqual((found.authenticate(STRANGE), found.method), (STRANGE, AuthMethod.POST))

    def test_none(self) -> None:
        """A client without a secret only says who it is; an empty secret is none."""
        for parameters in (form(client_id="page"), form(client_id="page", client_secret="")):
            found = Credentials.parse("", parameters)

            self.assertEqual((found.method, found.authenticate(PAGE)), (AuthMethod.NONE, PAGE))

    def test_header_without_secret(self) -> None:
        """A client without a secret may also say so in the header."""
        self.assertEqual(Credentials.parse(raw("page:"), form()).authenticate(PAGE), PAGE)

    def test_same_id_twice(self) -> None:
        """The body may repeat the id of the header, as public libraries do."""
        found = Credentials.parse(basic("notes", "notes-secret"), form(client_id="notes"))

        self.assertEqual(found.authenticate(NOTES), NOTES)

    def test_malformed(self) -> None:
        """No credentials, two ways at once, and a header that can not be read are the client's fault."""
        good = basic("notes", "notes-secret")
        cases = (
            ("", form()),
            ("", form(client_secret="notes-secret")),
            (good, form(client_secret="notes-secret")),
            (good, form(client_id="notes", client_secret="notes-secret")),
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
                Credentials.parse(header, parameters)

            self.assertEqual(caught.exception.code, "invalid_client")

    @settings(deadline=None)
    @given(TEXT.filter(bool), TEXT)
    def test_any_secret(self, client_id: str, secret: str) -> None:
        """Any id and secret arrive as they are, in the header as in the body."""
        header = Credentials.parse(basic(client_id, secret), form())
        body = Credentials.parse("", form(client_id=client_id, client_secret=secret))

        self.assertEqual((header.client_id, header.secret), (client_id, secret))
        self.assertEqual((body.client_id, body.secret), (client_id, secret))

    @settings(deadline=None)
    @given(st.one_of(st.text(), st.binary().map(raw), st.text().map(lambda text: f"Basic {text}")))
    def test_any_header(self, header: str) -> None:
        """Any header is read or refused in the one way there is."""
        try:
            found = Credentials.parse(header, form(client_id="notes"))
        except InvalidClientError:
            return

        self.assertEqual(found.client_id, "notes")

    def test_secret_is_not_shown(self) -> None:
        """Credentials can be logged."""
        self.assertNotIn("hunter2", repr(Credentials.parse("", form(client_id="c", client_secret="hunter2"))))


class AuthenticateTests(SynchronousTestCase):
    """Whether they are the client's."""

    def test_refused(self) -> None:
        """Nobody, somebody else, a wrong secret, no secret, a way not registered: all refused."""
        basic_only = evolve(NOTES, auth_method=AuthMethod.BASIC)
        post_only = evolve(NOTES, auth_method=AuthMethod.POST)
        by_basic = Credentials(client_id="notes", secret="notes-secret", method=AuthMethod.BASIC)
        by_post = evolve(by_basic, method=AuthMethod.POST)
        cases: tuple[tuple[Credentials, Client | None], ...] = (
            (by_basic, None),
            (evolve(by_basic, client_id="mail"), NOTES),
            (evolve(by_basic, secret="wrong"), NOTES),
            (evolve(by_post, secret=""), NOTES),
            (evolve(by_basic, secret=""), NOTES),
            (evolve(by_post, secret="w\u00e4\u20ac"), NOTES),
            (Credentials(client_id="notes", method=AuthMethod.NONE), NOTES),
            (by_post, basic_only),
            (by_basic, post_only),
            (Credentials(client_id="page", secret="x", method=AuthMethod.POST), PAGE),
            (Credentials(client_id="page", secret="x", method=AuthMethod.BASIC), PAGE),
        )
        for credentials, client in cases:
            with self.assertRaises(InvalidClientError, msg=f"{credentials}"):
                credentials.authenticate(client)

    def test_the_registered_way(self) -> None:
        """The way a client is registered for is taken."""
        for method in (AuthMethod.BASIC, AuthMethod.POST):
            client = evolve(NOTES, auth_method=method)
            credentials = Credentials(client_id="notes", secret="notes-secret", method=method)

            self.assertEqual(credentials.authenticate(client), client)

    def test_unknown_and_wrong_look_alike(self) -> None:
        """Nobody learns from the answer which clients there are."""
        wrong = Credentials(client_id="notes", secret="wrong", method=AuthMethod.POST)
        told = []
        for client in (None, NOTES):
            with self.assertRaises(InvalidClientError) as caught:
                wrong.authenticate(client)
            told.append((caught.exception.code, caught.exception.description))

        self.assertEqual(told[0], told[1])


class CodeGrantTests(SynchronousTestCase):
    """Whether a code is redeemed by the one it was sent to."""

    grant = AuthorizationGrant.of(request_of(), logon_of(ALICE, 1), Scope.parse("openid"), "g-1")

    def test_good(self) -> None:
        """The client, its address and its verifier belong together."""
        check_code_grant(self.grant, NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER))
        check_code_grant(evolve(self.grant, code_challenge=""), NOTES, form(redirect_uri=CALLBACK))

    def test_refused(self) -> None:
        """Each of the three is checked."""
        cases = (
            (PAGE, form(redirect_uri=CALLBACK, code_verifier=VERIFIER)),
            (NOTES, form(code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=CALLBACK + "/", code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=NOTES.redirect_uris[1], code_verifier=VERIFIER)),
            (NOTES, form(redirect_uri=CALLBACK)),
            (NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER[::-1])),
        )
        for client, parameters in cases:
            with self.assertRaises(OAuthError, msg=str(list(parameters.items()))) as caught:
                check_code_grant(self.grant, client, parameters)

            self.assertEqual(caught.exception.code, "invalid_grant")

    def test_verifier_out_of_nowhere(self) -> None:
        """A verifier for a code that was asked for without a challenge tells of a request that was tampered with."""
        with self.assertRaises(OAuthError) as caught:
            check_code_grant(
                evolve(self.grant, code_challenge=""), NOTES, form(redirect_uri=CALLBACK, code_verifier=VERIFIER)
            )

        self.assertEqual(caught.exception.code, "invalid_grant")


class NarrowScopeTests(SynchronousTestCase):
    """How much a refresh gives."""

    granted = Scope.parse("openid profile offline_access")

    def test_table(self) -> None:
        """It may be all, or a part with openid in it."""
        cases = {
            None: "openid profile offline_access",
            "openid": "openid",
            "profile openid": "openid profile",
            "openid profile offline_access": "openid profile offline_access",
        }

        self.assertEqual({asked: str(narrow_scope(self.granted, form(scope=asked))) for asked in cases}, cases)

    def test_refused(self) -> None:
        """It may not be more, nor anything without openid, nor no scope at all."""
        for asked in ("openid email", "profile", "openid OPENID", "openid admin", '"', "openid\tprofile"):
            with self.assertRaises(OAuthError, msg=asked) as caught:
                narrow_scope(self.granted, form(scope=asked))

            self.assertEqual(caught.exception.code, "invalid_scope")

    def test_a_person_keeps_their_name(self) -> None:
        """Who was known by the raw subject stays so, since the subject of a person must not change in between."""
        granted = Scope.parse("openid profile konnect/raw_sub")

        self.assertEqual(str(narrow_scope(granted, form(scope="openid"))), "openid konnect/raw_sub")

    @settings(deadline=None)
    @given(SCOPES, SCOPES)
    def test_never_grows(self, granted: Scope, asked: Scope) -> None:
        """Whatever is asked for, what is given was granted."""
        granted = Scope.of(["openid", *granted])
        try:
            scope = narrow_scope(granted, form(scope=str(asked)))
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_scope")
            return

        self.assertTrue(granted.covers(scope))
        self.assertIn("openid", scope)


class TokenResponseTests(SynchronousTestCase):
    """What the token endpoint gives out."""

    def test_members(self) -> None:
        """Tokens that there are not are not mentioned."""
        full = TokenResponse(
            access_token="a", id_token="i", refresh_token="r", expires_in=600, scope=Scope.parse("openid email")
        )
        bare = evolve(full, id_token="", refresh_token="")

        self.assertEqual(
            full.to_json(),
            {
                "access_token": "a",
                "token_type": "Bearer",
                "id_token": "i",
                "refresh_token": "r",
                "expires_in": 600,
                "scope": "openid email",
            },
        )
        self.assertEqual(set(bare.to_json()), {"access_token", "token_type", "expires_in", "scope"})

    def test_tokens_are_not_shown(self) -> None:
        """An answer can be logged."""
        answer = TokenResponse(
            access_token="a-sec", id_token="i-sec", refresh_token="r-sec", expires_in=1, scope=Scope()
        )

        self.assertNotIn("-sec", repr(answer))
