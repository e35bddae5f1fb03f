"""Tests of pairwise subjects. Spec: OIDC Core 8 and 8.1."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.end_user import public_subject
from konnectd.protocol.pairwise import SALT_SIZE, Pairwise
from tests.support.people import ALICE, logon_of
from tests.support.requests import MAIL

SALT = bytes(range(SALT_SIZE))
#: A backend's subject may have anything in it, NUL as well; the name of a backend is a word.
PERSONS = st.tuples(st.text("a\0:", max_size=4), st.text("a:", max_size=4))
NOTES_SECTOR = Pairwise("notes.example.org", SALT)


class SubjectTests(SynchronousTestCase):
    """What a person is called."""

    def test_vector(self) -> None:
        """The name of a person never changes: clients have it in their accounts."""
        self.assertEqual(NOTES_SECTOR.sub("alice", "identifier-ldap"), "ZklOEIYWcjSBr4gPK6ti8ePlpiH-ephOE6fuRK2aa9k")

    def test_what_goes_into_it(self) -> None:
        """Another sector, another person, another backend or another installation means another name."""
        names = {
            NOTES_SECTOR.sub("alice", "identifier-ldap"),
            Pairwise("mail.example.org", SALT).sub("alice", "identifier-ldap"),
            NOTES_SECTOR.sub("bob", "identifier-ldap"),
            NOTES_SECTOR.sub("alice", "identifier-file"),
            Pairwise("notes.example.org", bytes(SALT_SIZE)).sub("alice", "identifier-ldap"),
            public_subject("alice", "identifier-ldap"),
        }

        self.assertEqual(len(names), 6)

    @settings(deadline=None, max_examples=50)
    @given(first=PERSONS, second=PERSONS)
    def test_no_two_persons(self, first: tuple[str, str], second: tuple[str, str]) -> None:
        """Two different persons are never called the same, wherever one word ends and the next begins."""
        same = NOTES_SECTOR.sub(*first) == NOTES_SECTOR.sub(*second)

        self.assertEqual(same, first == second)

    def test_salt_is_not_shown(self) -> None:
        """No log shows what makes names, be it by way of a client."""
        client = evolve(MAIL, pairwise=NOTES_SECTOR)

        self.assertNotIn(repr(SALT), repr(client))


class KnownNamesTests(SynchronousTestCase):
    """Under which names a client may speak of a person."""

    def test_public(self) -> None:
        """The name all clients know, or the backend's own."""
        logon = logon_of(ALICE, 0)

        self.assertEqual(MAIL.knows(logon), {logon.sub, "alice"})
        self.assertEqual(MAIL.sub_of("alice", "identifier-test"), logon.sub)

    def test_pairwise(self) -> None:
        """The name of its own, and none of those that others know."""
        client = evolve(MAIL, pairwise=NOTES_SECTOR)
        logon = logon_of(ALICE, 0)

        self.assertEqual(client.knows(logon), {NOTES_SECTOR.sub("alice", "identifier-test")})
