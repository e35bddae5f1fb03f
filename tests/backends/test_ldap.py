"""Signing in and finding people in a directory, against one in memory."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends.ldap import LdapBackend
from konnectd.interfaces import BackendUnavailableError, RefusalReason, Refused
from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser, public_subject
from tests.contracts.backends import BackendContract
from tests.support.fakes import run
from tests.support.ldap_memory import Directory
from tests.support.ldap_people import ALICE_DN, BASE, PERSON, SERVICE, SERVICE_PASSWORD, backend, clock, directory


class LdapContractTests(BackendContract, SynchronousTestCase):
    """The LDAP backend keeps to the contract of all backends."""

    def make_backend(self) -> LdapBackend:
        """Return a backend over a directory in memory."""
        return backend(one=directory())


class Case(SynchronousTestCase):
    """A directory in memory and a backend over it."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        """Make both."""
        self.directory = directory()
        self.clock = clock()
        self.backend = backend(self.options, self.clock, one=self.directory)

    def signed_in(self, username: str = "alice", password: str = "wonderland") -> EndUser:
        """Return who is signed in by a name and a password."""
        answer = run(self.backend.logon(username, password))
        if isinstance(answer, Refused):
            self.fail(f"refused: {answer.reason}")
        return answer

    def refusal(self, username: str = "alice", password: str = "wonderland") -> RefusalReason | None:
        """Return why a sign-in is refused."""
        answer = run(self.backend.logon(username, password))
        return answer.reason if isinstance(answer, Refused) else None

    def change_alice(self, **attributes: str | bytes) -> None:
        """Give alice further attributes of one value each; ``__`` stands for ``-``."""
        for name, value in attributes.items():
            content = value.encode() if isinstance(value, str) else value
            self.directory.entries[ALICE_DN][name.replace("__", "-")] = (content,)


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


class AccountTests(Case):
    """Accounts that may not be used."""

    def gone(self) -> bool:
        """Tell whether alice is no longer found."""
        return run(self.backend.find(ALICE_DN)) is None

    def test_disabled(self) -> None:
        """A disabled account is refused with its right password, and found no more."""
        for name, value in (("userAccountControl", "514"), ("nsAccountLock", "TRUE")):
            self.change_alice(**{name: value})

            self.assertEqual((self.refusal(), self.gone()), (RefusalReason.DISABLED, True), name)
            del self.directory.entries[ALICE_DN][name]

    def test_disabled_wrong_password(self) -> None:
        """With a wrong password nobody learns, not even the log, that an account is disabled."""
        self.change_alice(userAccountControl="514")

        self.assertEqual(self.refusal(password="x"), RefusalReason.WRONG_PASSWORD)

    def test_enabled(self) -> None:
        """An account whose flags say nothing bad is let in."""
        self.change_alice(userAccountControl="512", accountExpires="0", shadowExpire="-1", nsAccountLock="false")

        self.assertEqual((self.refusal(), self.gone()), (None, False))

    def test_expired(self) -> None:
        """An account whose last day has passed is refused, and found no more."""
        yesterday = {
            "accountExpires": str((1_700_000_000 - 86_400 + 11_644_473_600) * 10_000_000),
            "shadowExpire": str(1_700_000_000 // 86_400 - 1),
            "pwdEndTime": "20231113000000Z",
            "msDS-User-Account-Control-Computed": str(0x800000),
        }
        for name, value in yesterday.items():
            self.directory.entries[ALICE_DN][name] = (value.encode(),)

            self.assertEqual((self.refusal(), self.gone()), (RefusalReason.EXPIRED, True), name)
            del self.directory.entries[ALICE_DN][name]

    def test_locked_by_server(self) -> None:
        """A lock is the reason when the server answers as to a wrong password."""
        self.change_alice(pwdAccountLockedTime="20231114221300Z")
        self.directory.passwords[ALICE_DN] = "not this one while locked"

        self.assertEqual((self.refusal(), self.gone()), (RefusalReason.LOCKED, True))

    def test_lock_that_has_ended(self) -> None:
        """A lock is over when the server takes the password again."""
        self.change_alice(pwdAccountLockedTime="20231114221300Z")

        self.assertEqual(self.refusal(), None)

    def test_locked_for_good(self) -> None:
        """A lock without end holds even if the server takes the password."""
        self.change_alice(pwdAccountLockedTime="000001010000Z")

        self.assertEqual(self.refusal(), RefusalReason.LOCKED)

    def test_policy(self) -> None:
        """What the password policy has against a password is the reason."""
        self.signed_in()
        for error, reason in ((0, RefusalReason.EXPIRED), (1, RefusalReason.LOCKED), (2, RefusalReason.EXPIRED)):
            self.directory.policy = bytes([0x30, 3, 0x81, 1, error])

            self.assertEqual(self.refusal(), reason)

    def test_windows(self) -> None:
        """Active Directory's reasons are understood."""
        self.signed_in()
        reasons = {"52e": "wrong_password", "533": "account_disabled", "775": "account_locked"}
        for code, reason in reasons.items():
            text = f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v1db1"
            self.directory.codes["bind"] = (49, text)

            self.assertEqual(self.refusal(), RefusalReason(reason), code)

    def test_gone(self) -> None:
        """Who was removed is found no more."""
        del self.directory.entries[ALICE_DN]

        self.assertTrue(self.gone())

    def test_no_longer_a_user(self) -> None:
        """Who does not match the filter any more is found no more."""
        self.directory.entries[ALICE_DN]["objectClass"] = (b"device",)

        self.assertTrue(self.gone())


class SubjectTests(Case):
    """Subjects made of attributes."""

    options: Mapping[str, Any] = {
        "ldap_sub_attributes": ("uidNumber", "MAIL"),
        "ldap_uidnumber_attribute": "uidnumber",
        "ldap_email_verified": True,
    }

    def test_subject(self) -> None:
        """The subject has the attributes, and is asked for although nothing else maps them."""
        self.change_alice(mail="a b@x.org")

        self.assertEqual(self.signed_in().subject, "MAIL=a+b%40x.org&uidNumber=1001")

    def test_find(self) -> None:
        """A person is found by their attributes, wherever their entry is now."""
        user = self.signed_in()
        self.directory.entries[f"cn=alice,ou=moved,{BASE}"] = self.directory.entries.pop(ALICE_DN)

        self.assertEqual(run(self.backend.find(user.user_id)), user)

    def test_numeric_id(self) -> None:
        """A numeric id is shown when an attribute is named for it, and with it its scope."""
        self.assertEqual(self.signed_in().numeric_id, 1001)
        self.assertIn("konnect/id", self.backend.scopes)

    def test_verified(self) -> None:
        """Addresses are verified when the operator says so."""
        self.assertTrue(self.signed_in().email_verified)

    def test_no_address(self) -> None:
        """Nobody's missing address is verified."""
        self.directory.entries[ALICE_DN]["mail"] = ()

        self.assertFalse(self.signed_in().email_verified)

    def test_lacking(self) -> None:
        """Who has none of the attributes has no subject, which is a fault of the installation."""
        with self.assertRaisesRegex(BackendUnavailableError, "ldap_sub_attributes"):
            run(self.backend.logon("bob", "builder"))

    def test_other_attributes(self) -> None:
        """A subject never makes the daemon compare an attribute that was not chosen."""
        for user_id in ("uid=alice", "uidNumber=1001&uid=alice", "uidNumber", "&", "=1001", "%75id=alice"):
            self.assertIsNone(run(self.backend.find(user_id)), user_id)
        self.assertEqual(self.directory.arguments("search"), [])

    def test_part_of_subject(self) -> None:
        """A subject that only has some of the attributes is nobody's."""
        self.assertIsNone(run(self.backend.find("uidNumber=1001")))


class VectorTests(Case):
    """Values that Konnect gives out for the same directory."""

    def test_public_subject(self) -> None:
        """The public subject of a DN is Konnect's."""
        self.assertEqual(
            public_subject(ALICE_DN, self.backend.name),
            "iMpNMH-LB1rvuzO62BXOuj1Q0NWONgF4jN5il4uhMuhnt1NgJPqDTAvulDhemUfXM5yOPfdskMBf77jTKk6IZg@konnect",
        )


class FindTests(Case):
    """Finding people again."""

    def test_case(self) -> None:
        """A subject keeps the case in which it was issued."""
        issued = ALICE_DN.upper()

        found = run(self.backend.find(issued))

        self.assertEqual((found.user_id, found.subject) if found else None, (issued, issued))

    def test_bad_dn(self) -> None:
        """A subject that the server takes for no DN is nobody's."""
        self.directory.codes["search"] = (34, "invalid DN")

        self.assertIsNone(run(self.backend.find("not a dn")))

    def test_by_username(self) -> None:
        """A name that another authority has vouched for finds its person without a password."""
        self.assertEqual(run(self.backend.find_by_username("ALICE")), self.signed_in())
        self.assertIsNone(run(self.backend.find_by_username("nobody")))

    def test_disabled_by_username(self) -> None:
        """A name that another authority has vouched for does not let a disabled account in."""
        self.change_alice(userAccountControl="2")

        self.assertIsNone(run(self.backend.find_by_username("alice")))


class CheckTests(SynchronousTestCase):
    """The check at start tells faults apart."""

    def faults(self, found: Directory, **options: Any) -> list[tuple[str, str]]:
        """Return the settings that are blamed and why."""
        with self.assertRaises(ConfigErrors) as caught:
            run(backend(options, one=found).check())
        return [(fault.option, fault.problem) for fault in caught.exception.faults]

    def test_service_password(self) -> None:
        """A wrong password of the service account is told."""
        ((option, problem),) = self.faults(directory(), ldap_bindpw="wrong")

        self.assertEqual(option, "ldap_bindpw")
        self.assertIn("invalidCredentials (49)", problem)
        self.assertNotIn("wrong", problem)

    def test_base(self) -> None:
        """A wrong base is told, and which setting names it."""
        ((option, problem),) = self.faults(directory(), ldap_basedn="ou=poeple,dc=example,dc=org")

        self.assertEqual(option, "ldap_basedn")
        self.assertIn("'ou=poeple,dc=example,dc=org'", problem)

    def test_group_base(self) -> None:
        """A wrong base of groups is told."""
        ((option, _),) = self.faults(directory(), ldap_groups="search", ldap_group_basedn="ou=nix,dc=example,dc=org")

        self.assertEqual(option, "ldap_group_basedn")

    def test_certificate(self) -> None:
        """A certificate that is not accepted is told."""
        found = directory()
        found.good_certificate = False
        ((option, problem),) = self.faults(found, ldap_uri=("ldaps://one.example",))

        self.assertEqual(option, "ldap_tls_cacert")
        self.assertIn("another name", problem)

    def test_starttls_refused(self) -> None:
        """A server that has no StartTLS is told."""
        found = directory()
        found.codes["starttls"] = (2, "unsupported")
        ((option, _),) = self.faults(found, ldap_starttls=True)

        self.assertEqual(option, "ldap_starttls")
        self.assertEqual(found.arguments("bind"), [])

    def test_forged_starttls(self) -> None:
        """What was slipped in behind the answer to StartTLS is not taken, and no password follows."""
        found = directory()
        found.forged = b"\x30\x05\x02\x01\x02\x42\x00"
        with self.assertRaisesRegex(BackendUnavailableError, "in the clear"):
            run(backend({"ldap_starttls": True}, one=found).check())

        self.assertEqual(found.arguments("bind"), [])

    def test_unreachable(self) -> None:
        """A server that can not be reached blames no setting."""
        found = directory()
        found.down = True

        with self.assertRaisesRegex(BackendUnavailableError, r"ldap://one\.example:389.*refused"):
            run(backend(one=found).check())

    def test_one_of_two(self) -> None:
        """One server that can be reached is enough to start."""
        down = directory()
        down.down = True
        options = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}

        self.assertIsNone(run(backend(options, one=down, two=directory()).check()))

    def test_second_server(self) -> None:
        """A setting that is wrong for the second server is told although the first one is well."""
        second = directory()
        second.passwords[SERVICE] = "another"
        options = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}
        with self.assertRaises(ConfigErrors) as caught:
            run(backend(options, one=directory(), two=second).check())

        self.assertIn("two.example", str(caught.exception))


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
