"""Row 8: refresh tokens that come back, and what a refresh has to look at again."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._ldap_answers import Entry
from konnectd.backends._ldap_standing import judge_entry
from konnectd.backends.file import FileBackend, FileUser
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import REVOKED, revoked_key
from konnectd.protocol.refresh import REMEMBERED
from tests.backends.test_file import InlineChecker
from tests.support.fakes import NOON, claims_of, run
from tests.support.people import ALICE, logon_of
from tests.support.provider import Provider
from tests.support.requests import MAIL, NOTES

FILES = "https://files.example.com/"
CLIENT = evolve(MAIL, resources=(FILES, "https://more.example.com/"))
OFFLINE = "openid offline_access"
#: What an entry of a directory says whose person may not sign in, in each of the ways there are.
SHUT_OUT = (
    ("userAccountControl", "514"),
    ("nsAccountLock", "TRUE"),
    ("msDS-User-Account-Control-Computed", "16"),
    ("msDS-User-Account-Control-Computed", str(0x800000)),
    ("pwdAccountLockedTime", "20231114221320Z"),
    ("accountExpires", "1"),
    ("shadowExpire", "1"),
    ("pwdEndTime", "20231114221320Z"),
)


class RefreshCase(SynchronousTestCase):
    """A provider that has given out a refresh token."""

    def setUp(self) -> None:
        """Give it out."""
        self.provider = Provider(CLIENT, NOTES)
        self.first = self.provider.tokens(OFFLINE, CLIENT)
        self.token = self.first.refresh_token

    def answer(self, token: str, **more: str | None) -> str:
        """Return the next refresh token, or the error of a refresh that is refused."""
        try:
            return self.provider.refresh(token, CLIENT, **more).refresh_token
        except OAuthError as error:
            return str(error.code)

    def resigned(self, **changes: object) -> str:
        """Return the token with some claims changed, as we would have signed it."""
        return run(self.provider.signer.sign({**claims_of(self.token), **changes}))


class Row8ReuseTests(RefreshCase):
    """Tokens that come back."""

    def test_row_8_reuse(self) -> None:
        """A spent token that comes back after the grace gets nothing."""
        self.answer(self.token)
        self.provider.clock.advance(11)

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_reuse_ends_the_family(self) -> None:
        """It ends what came from it, for nobody can tell who has stolen from whom."""
        second = self.answer(self.token)
        self.provider.clock.advance(11)
        self.answer(self.token)

        self.assertEqual(self.answer(second), "invalid_grant")

    def test_row_8_reuse_after_long(self) -> None:
        """It does so however long ago it was spent."""
        second = self.answer(self.token)
        self.provider.clock.advance(REMEMBERED + 1)
        third = self.answer(second)

        self.assertEqual((self.answer(self.token), self.answer(third)), ("invalid_grant", "invalid_grant"))

    def test_row_8_end_of_life(self) -> None:
        """Refreshing does not make a family live longer."""
        self.provider.clock.advance(self.provider.lifetimes.refresh_token - 1)
        second = self.answer(self.token)
        self.provider.clock.advance(1)

        self.assertNotEqual(second, "invalid_grant")
        self.assertEqual(self.answer(second), "invalid_grant")

    def test_row_8_expired(self) -> None:
        """A token that is over gives nothing."""
        self.provider.clock.advance(self.provider.lifetimes.refresh_token)

        self.assertEqual(self.answer(self.token), "invalid_grant")


class Row8KindTests(RefreshCase):
    """What is a refresh token."""

    def test_row_8_other_kinds(self) -> None:
        """No other token of ours is one."""
        for token in (self.first.access_token, self.first.id_token, self.resigned(**{"kc.isRefreshToken": False})):
            self.assertEqual(self.answer(token), "invalid_grant")

    def test_row_8_other_issuer(self) -> None:
        """Nor is one of another provider that has the same keys."""
        self.assertEqual(self.answer(self.resigned(iss="https://other.example")), "invalid_grant")

    def test_row_8_other_client(self) -> None:
        """Nor is one of another client."""
        notes = evolve(NOTES, client_id="notes")
        with self.assertRaises(OAuthError) as caught:
            self.provider.refresh(self.token, notes)

        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_row_8_other_backend(self) -> None:
        """Nor is one from before the people were replaced, although the id is known here."""
        other = {"kc.provider": "identifier-other", "sub": public_subject("alice", "identifier-other")}

        self.assertEqual(self.answer(self.resigned(**other)), "invalid_grant")


class Row8CheckTests(RefreshCase):
    """What a sign-in looks at, and a refresh as well."""

    def test_row_8_revoked(self) -> None:
        """What was revoked is not renewed."""
        run(self.provider.store.put(revoked_key(claims_of(self.token)["kc.ref"]), REVOKED, 60))

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_taken_back(self) -> None:
        """What a person has taken back on their page is not renewed."""
        run(self.provider.permits.forget(logon_of(ALICE, 0).sub, CLIENT.client_id))

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_seen(self) -> None:
        """Whoever has a refresh token is on the person's page, or nobody could take it back."""
        listed = run(self.provider.permits.all(logon_of(ALICE, 0).sub))

        self.assertEqual([permit.client_id for permit in listed], [CLIENT.client_id])

    def test_row_8_signed_out_by_the_person(self) -> None:
        """Signing out ends what began in the session."""
        run(self.provider.sessions.end(logon_of(ALICE, 0)))

        self.assertEqual(self.answer(self.token), "invalid_grant")

    def test_row_8_leaving_out_openid(self) -> None:
        """A refresh is about signing in, as the first request was."""
        self.assertEqual(self.answer(self.token, scope="offline_access"), "invalid_scope")

    def test_row_8_further_servers(self) -> None:
        """A refresh gives tokens for no server that was not named at first, though the client is registered for it."""
        code = self.provider.code(CLIENT, scope=OFFLINE, resource=FILES)
        token = self.provider.redeem(code, CLIENT).refresh_token

        self.assertEqual(self.answer(token, resource="https://more.example.com/"), "invalid_target")

    def test_row_8_disabled_in_a_file(self) -> None:
        """Who is disabled in the file of people is not found when a token is refreshed."""
        backend = FileBackend((FileUser(ALICE, "", True),), InlineChecker())

        self.assertIsNone(run(backend.find("alice")))

    def test_row_8_shut_out_by_a_directory(self) -> None:
        """Nor is who is disabled, locked or expired in a directory, in whatever words it says so."""
        for name, value in SHUT_OUT:
            entry = Entry.build(b"cn=alice", [(name.encode(), [value.encode()])])

            self.assertIsNotNone(judge_entry(entry, NOON), name)
