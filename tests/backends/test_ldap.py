"""Signing in by a directory, against one in memory."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.ldap import LdapBackend
from konnectd.interfaces import BackendUnavailableError, RefusalReason, Refused
from konnectd.protocol.end_user import EndUser
from tests.contracts.backends import NamingContract
from tests.support.fakes import run
from tests.support.ldap_case import Case
from tests.support.ldap_people import ALICE_DN, BASE, PERSON, SERVICE, SERVICE_PASSWORD, backend, directory


class LdapContractTests(NamingContract, SynchronousTestCase):
    """The LDAP backend keeps to the contract of all backends."""

    def make_backend(self) -> LdapBackend:
        """Return a backend over a directory in memory."""
        return backend(one=directory())


class SignInTests(Case):
    """Names and passwords."""

    def test_person(self) -> None:
        """Who signs in is described by the mapped attributes."""
        self.assertEqual(
            self.signed_in(),
            EndUser(
                user_id=ALICE_DN,
                subject=ALICE_DN,
                username="alice",
                name="Alice Liddell",
                family_name="Liddell",
                given_name="Alice",
                email="alice@example.org",
                unique_id="6f8a3b52",
            ),
        )

    def test_cost(self) -> None:
        """Once connections are open, a sign-in is one search and one bind."""
        self.signed_in()
        self.directory.requests.clear()
        connections = self.directory.connections

        self.signed_in()

        self.assertEqual(self.directory.kinds(), ["search", "bind"])
        self.assertEqual(self.directory.connections, connections)

    def test_service_identity_stays(self) -> None:
        """Searches stay the service's after people have bound, because those bind on other connections."""
        self.signed_in()
        self.signed_in("bob", "builder")

        binds = self.directory.arguments("bind")

        self.assertEqual(binds.count((SERVICE, SERVICE_PASSWORD)), 1)
        self.assertEqual(self.directory.connections, 2)

    def test_password_goes_nowhere_else(self) -> None:
        """For a name that nobody has, no password that a person typed goes to the server."""
        self.refusal("nobody", "my other password")

        dn, password = self.directory.arguments("bind")[-1]

        self.assertTrue(dn.endswith("," + BASE))
        self.assertNotIn(dn, self.directory.entries)
        self.assertNotIn("my other password", password)

    def test_decoys_differ(self) -> None:
        """No two binds for unknown names go to the same DN, so none can be made to exist."""
        for _ in range(3):
            self.refusal("nobody")

        decoys = [dn for dn, _ in self.directory.arguments("bind") if dn != SERVICE]

        self.assertEqual(len(set(decoys)), 3)

    def test_unknown_name_needs_a_server_too(self) -> None:
        """When passwords can not be checked, an unknown name does not get an answer either."""
        self.signed_in()
        self.directory.silent = {"bind"}
        for name in ("alice", "nobody"):
            waiting = Deferred.fromCoroutine(self.backend.logon(name, "x"))
            self.clock.advance(10)

            self.failureResultOf(waiting, BackendUnavailableError)

    def test_empty_password(self) -> None:
        """A password that is empty, or that some servers take for empty, reaches no server at all."""
        for password in ("", "\0", "\0wonderland"):
            self.assertEqual(self.refusal(password=password), RefusalReason.EMPTY_PASSWORD)
        self.assertEqual(self.directory.requests, [])

    def test_nul_in_password(self) -> None:
        """A password with a NUL is wrong without being sent to anybody's entry."""
        self.assertEqual(self.refusal(password="wonderland\0"), RefusalReason.WRONG_PASSWORD)
        self.assertNotIn(ALICE_DN, [dn for dn, _ in self.directory.arguments("bind")])

    def test_twins(self) -> None:
        """A name that two entries have signs nobody in, whichever password is typed."""
        self.directory.add(f"uid=alice,ou=other,{BASE}", {"objectClass": PERSON, "uid": ("alice",)}, "other")

        self.assertEqual(self.refusal(), RefusalReason.AMBIGUOUS)
        self.assertEqual(self.refusal(password="other"), RefusalReason.AMBIGUOUS)

    def test_limited_answer(self) -> None:
        """When the server does not say whether there are more entries, nobody is signed in."""
        self.directory.codes["search"] = (4, "size limit")

        self.assertEqual(self.refusal(), RefusalReason.AMBIGUOUS)

    def test_loose_match(self) -> None:
        """A name that only the server takes for the same is nobody's, so that tries can be counted by name."""
        self.assertEqual(self.refusal(" alice"), RefusalReason.UNKNOWN_USER)
        self.assertEqual(self.refusal("alice "), RefusalReason.UNKNOWN_USER)

    def test_composed_name(self) -> None:
        """A name typed with separate accents is the one the directory has composed."""
        self.directory.add(f"uid=jörg,{BASE}", {"objectClass": PERSON, "uid": ("jörg",)}, "pw")

        self.assertEqual(self.signed_in("jo\u0308rg", "pw").username, "jörg")

    def test_filter_of_users(self) -> None:
        """Entries that are no people can not sign in."""
        self.directory.add(f"uid=printer,{BASE}", {"objectClass": ("device",), "uid": ("printer",)}, "pw")

        self.assertEqual(self.refusal("printer", "pw"), RefusalReason.UNKNOWN_USER)

    def test_missing_base(self) -> None:
        """A base that has gone is a fault of the installation, not somebody's wrong name."""
        del self.directory.entries[BASE]
        for dn in [dn for dn in self.directory.entries if dn.endswith(BASE)]:
            del self.directory.entries[dn]

        with self.assertRaisesRegex(BackendUnavailableError, "noSuchObject"):
            run(self.backend.logon("alice", "wonderland"))

    def test_server_does_not_check(self) -> None:
        """An answer to a bind that says nothing about the password is no refusal."""
        for code in (2, 8, 10, 13, 51, 80):
            self.directory.codes["bind"] = (code, "")
            anonymous = backend({"ldap_binddn": "", "ldap_bindpw": ""}, one=self.directory)

            with self.assertRaises(BackendUnavailableError):
                run(anonymous.logon("alice", "x"))

    @settings(deadline=None, max_examples=60)
    @given(name=st.text(max_size=20), password=st.text(min_size=1, max_size=20))
    def test_any_text(self, name: str, password: str) -> None:
        """No text typed as name and password signs anybody in but that of an entry, and none breaks anything."""
        known = {("alice", "wonderland"), ("bob", "builder")}

        answer = run(self.backend.logon(name, password))

        self.assertEqual(isinstance(answer, EndUser), (name.casefold(), password) in known)

    @settings(deadline=None, max_examples=60)
    @given(name=st.text(alphabet="*()\\&|!=~<>uid alice\0", max_size=12))
    def test_filter_is_never_text(self, name: str) -> None:
        """Whatever is typed, the search has one comparison with exactly that value."""
        self.directory.requests.clear()

        run(self.backend.logon(name, "x"))

        for request in self.directory.arguments("search"):
            _, comparison = request.filter
            self.assertEqual(comparison.assertionValue.value.decode(), name)


class AliasTests(Case):
    """Several login attributes."""

    options: Mapping[str, Any] = {"ldap_login_attribute": ("UID,mail",)}

    def test_any_of_them(self) -> None:
        """Each attribute is a name, and afterwards the first one is."""
        self.assertEqual(self.signed_in("alice@EXAMPLE.org").username, "alice")
        self.assertEqual(self.signed_in("alice"), self.signed_in("alice@example.org"))

    def test_second_value(self) -> None:
        """All values of an attribute are names."""
        self.directory.entries[ALICE_DN]["mail"] = (b"alice@example.org", b"al@example.org")

        self.assertEqual(self.signed_in("al@example.org").email, "alice@example.org")

    def test_taken_twice(self) -> None:
        """A name that is one entry's user name and another one's address signs nobody in."""
        self.directory.add(f"uid=eve,{BASE}", {"objectClass": PERSON, "uid": ("eve",), "mail": ("alice",)}, "evil")

        self.assertEqual(self.refusal("alice", "evil"), RefusalReason.AMBIGUOUS)


class TimeTests(Case):
    """Names that nobody has take as long as wrong passwords."""

    def begin(self, username: str) -> Deferred[Any]:
        """Begin a sign-in with a wrong password."""
        return Deferred.fromCoroutine(self.backend.logon(username, "wrong"))

    def test_same_time(self) -> None:
        """After wrong passwords took two seconds, an unknown name takes two seconds too."""
        self.signed_in()
        self.directory.holding = {"bind"}
        known = self.begin("alice")
        self.clock.advance(2)
        self.directory.release()
        self.assertEqual(self.successResultOf(known), Refused(RefusalReason.WRONG_PASSWORD))

        unknown = self.begin("nobody")
        self.clock.advance(1.9)
        self.assertNoResult(unknown)
        self.clock.advance(0.2)

        self.assertEqual(self.successResultOf(unknown), Refused(RefusalReason.UNKNOWN_USER))

    def test_known_waits_too(self) -> None:
        """A wrong password that is refused sooner is told at the same time as an unknown name."""
        self.test_same_time()
        known = self.begin("alice")
        self.clock.advance(1.9)
        self.assertNoResult(known)
        self.clock.advance(0.2)

        self.assertEqual(self.successResultOf(known), Refused(RefusalReason.WRONG_PASSWORD))

    def test_right_password_never_waits(self) -> None:
        """Who shows the right password is let in at once."""
        self.test_same_time()

        self.signed_in()

    def test_own_delay_counts(self) -> None:
        """What the server takes for an unknown name is part of the time, not added to it."""
        self.test_same_time()
        self.directory.holding = {"bind"}
        unknown = self.begin("nobody")
        self.clock.advance(1.5)
        self.directory.release()
        self.assertNoResult(unknown)

        self.clock.advance(0.6)

        self.successResultOf(unknown)

    def test_first_of_all(self) -> None:
        """Before any password was wrong, the time of right ones is taken."""
        self.directory.holding = {"bind"}
        self.backend = backend({"ldap_binddn": "", "ldap_bindpw": ""}, self.clock, one=self.directory)
        right = Deferred.fromCoroutine(self.backend.logon("alice", "wonderland"))
        self.clock.advance(3)
        self.directory.release()
        self.assertIsInstance(self.successResultOf(right), EndUser)

        unknown = self.begin("nobody")
        self.clock.advance(2.9)

        self.assertNoResult(unknown)
