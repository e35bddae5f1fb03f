"""Subjects, which must never change, and logons, which travel sealed."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.end_user import ExternalSession, Logon, public_subject
from tests.support.people import ALICE, logon_of
from tests.support.strategies import JSON, LOGONS, TEXT


class SubjectTests(SynchronousTestCase):
    """What clients know people by."""

    def test_vectors(self) -> None:
        """The subjects are Konnect's, so that nobody loses an account anywhere."""
        vectors = {
            ("uid=alice,dc=example,dc=org", "identifier-ldap"): (
                "g6eb8KVL9QplAgxeWh2BDxrt8o4ovSMfUHgBG55WwFRVCQncL8fQsn2LvzHQgIZFmbLR-MO1ixkWy93_r-b-nQ@konnect"
            ),
            ("uid=alice,ou=people,dc=example,dc=org", "identifier-ldap"): (
                "iMpNMH-LB1rvuzO62BXOuj1Q0NWONgF4jN5il4uhMuhnt1NgJPqDTAvulDhemUfXM5yOPfdskMBf77jTKk6IZg@konnect"
            ),
            ("guest-77", "guest"): (
                "J1DywJdMxBSULUQ3W4nfHL5shQUVuDiSgOfYQheZJpme47Orb10sYCotxwI4mh6k8aJLlTf1uLG0tADOu4ndUw@konnect"
            ),
            ("arthur", "cookie"): (
                "ngXgmqyM8jAYO1aOjnh3VQX7xOQt2ibONjbZXRptee8IguxmhUV9C-IPTT37SZBuFkuB9AwxetX0GN4Wo2imCw@konnect"
            ),
            ("dummy", "dummy"): (
                "8L_i0yTaPkLMGi_eEESB-3QZ2PKbAXWMUfDe4vuZ3OzY8voQGzz8kkA0L19lKG1YRFw3ooP1z_IoyBHwZ8YyoA@konnect"
            ),
        }

        self.assertEqual({given: public_subject(*given) for given in vectors}, vectors)

    @settings(deadline=None)
    @given(TEXT, TEXT)
    def test_form(self, subject: str, provider: str) -> None:
        """A subject has 94 characters, whatever it was made from, and tells nothing of it."""
        self.assertRegex(public_subject(subject, provider), r"\A[A-Za-z0-9_-]{86}@konnect\Z")

    def test_of_a_logon(self) -> None:
        """A logon's subject depends on the backend that vouches for it, and not on the session."""
        subjects = {logon_of(ALICE, 1).sub, logon_of(ALICE, 2, session_id="x").sub, logon_of(ALICE, 1, "other").sub}

        self.assertEqual(len(subjects), 2)


class LogonTests(SynchronousTestCase):
    """What a browser holds after somebody signed in."""

    @settings(deadline=None)
    @given(LOGONS)
    def test_round_trip(self, logon: Logon) -> None:
        """Reading what was written gives the same logon."""
        self.assertEqual(Logon.from_json(logon.to_json()), logon)

    @settings(deadline=None)
    @given(LOGONS, st.data(), JSON)
    def test_damaged(self, logon: Logon, draw: st.DataObject, junk: object) -> None:
        """A value that lacks a member or is of another version is nobody's; no member of any kind is a fault."""
        value = logon.to_json()
        name = draw.draw(st.sampled_from(sorted(value.keys() - {"kept"})))

        self.assertIsNone(Logon.from_json({key: member for key, member in value.items() if key != name}))
        self.assertIsNone(Logon.from_json({**value, "v": 2}))
        self.assertIn(type(Logon.from_json({**value, name: junk})), (Logon, type(None)))

    def test_kept(self) -> None:
        """That somebody asked to stay is said by nothing but the word that says so."""
        value = logon_of(ALICE, 1).to_json()
        said = [Logon.from_json({**value, "kept": word}) for word in (True, False, 1, "true", None)]

        self.assertEqual([logon is not None and logon.kept for logon in said], [True, False, False, False, False])
        self.assertNotIn("kept", value)

    def test_external(self) -> None:
        """Where an authority has said who they are, that comes back too, under the names of Konnect."""
        logon = evolve(logon_of(ALICE, 1), external=ExternalSession("corp", "s1", 99))
        value = logon.to_json()

        self.assertEqual((value["eaid"], value["lref"], value["exp"]), ("corp", "s1", 99))
        self.assertEqual(Logon.from_json(value), logon)

    def test_external_of_nobody(self) -> None:
        """A logon that names no authority in a way that can be read is nobody's."""
        self.assertIsNone(Logon.from_json({**logon_of(ALICE, 1).to_json(), "eaid": 7}))

    def test_external_is_no_hearsay(self) -> None:
        """An authority that does not say how somebody proved it has still been asked, whatever a proxy says."""
        logon = evolve(logon_of(ALICE, 1), amr=(), recognized="alice", external=ExternalSession("corp"))

        self.assertFalse(logon.is_hearsay)

    def test_old_cookie(self) -> None:
        """What Konnect kept in its cookie, which had no version, is nobody's logon."""
        self.assertIsNone(Logon.from_json({"iss": "identifier-ldap", "sub": "alice", "iat": 1, "kc.i.id": "alice"}))
