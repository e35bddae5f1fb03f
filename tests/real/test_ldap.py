"""The LDAP backend against a real slapd: people, groups, faults, reconnecting, and what a sign-in costs."""

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from konnectd.backends._ldap_dial import LONGEST_REST
from konnectd.interfaces import RefusalReason, Refused
from konnectd.protocol.end_user import EndUser
from tests.real.ldap_case import Case
from tests.real.ldap_entries import GROUPS, ODD_NAME
from tests.real.slapd import BASE, PEOPLE, silent_server, unused_uri

ALICE_DN = f"uid=alice,{PEOPLE}"


class SignInTests(Case):
    """People in a real directory."""

    async def test_person(self) -> None:
        """Alice signs in and is described."""
        answer = await self.backend(ldap_uidnumber_attribute="UIDNUMBER").logon("ALICE", "wonderland")

        self.assertEqual(
            answer,
            EndUser(
                user_id=ALICE_DN,
                subject=ALICE_DN,
                username="alice",
                name="Alice",
                family_name="Alice",
                given_name="Alice",
                email="alice@example.org",
                numeric_id=1001,
            ),
        )

    async def test_refusals(self) -> None:
        """Each reason is told apart, and none of them is a fault."""
        backend = self.backend()
        expected = {
            ("alice", "x"): RefusalReason.WRONG_PASSWORD,
            ("nobody", "x"): RefusalReason.UNKNOWN_USER,
            ("alice", ""): RefusalReason.EMPTY_PASSWORD,
            ("twin", "one"): RefusalReason.AMBIGUOUS,
            ("disabled", "pw"): RefusalReason.DISABLED,
            ("disabled", "x"): RefusalReason.WRONG_PASSWORD,
            ("expired", "pw"): RefusalReason.EXPIRED,
            ("stale", "pw"): RefusalReason.EXPIRED,
            ("fresh", "pw"): RefusalReason.EXPIRED,
        }
        for (name, password), reason in expected.items():
            self.assertEqual(await backend.logon(name, password), Refused(reason), name)

    async def test_odd_names(self) -> None:
        """Names full of what means something in filters and DNs sign in as themselves, and only as themselves."""
        backend = self.backend()
        for name, password in ((ODD_NAME, "odd"), ("jürgen", "straße"), ("JÜRGEN", "straße"), ("jane", "comma")):
            user = await backend.logon(name, password)
            self.assertIsInstance(user, EndUser, name)
            if isinstance(user, EndUser):
                found = await backend.find(user.user_id)
                self.assertEqual(found and found.subject, user.subject)
        for name in ("a*", "*", "alice\0", "alice)(objectClass=*", "a*(b)", ")", "\\", "\\00"):
            self.assertEqual(await backend.logon(name, "odd"), Refused(RefusalReason.UNKNOWN_USER), name)

    async def test_lock(self) -> None:
        """After too many wrong passwords the right one is refused as locked, and the person found no more."""
        backend = self.backend()
        dn = f"uid=locky,{PEOPLE}"
        self.assertIsNotNone(await backend.find(dn))
        for _ in range(2):
            self.assertEqual(await backend.logon("locky", "wrong"), Refused(RefusalReason.WRONG_PASSWORD))

        self.assertEqual(await backend.logon("locky", "right"), Refused(RefusalReason.LOCKED))
        self.assertIsNone(await backend.find(dn))

    async def test_windows(self) -> None:
        """Attributes as in Active Directory work in any spelling, and its unique ids in both orders."""
        settings = {"ldap_login_attribute": "samaccountname", "ldap_uuid_attribute": "OBJECTGUID"}
        shown = {
            "uuid": "00112233-4455-6677-8899-aabbccddeeff",
            "guid": "33221100-5544-7766-8899-aabbccddeeff",
            "binary": "ABEiM0RVZneImaq7zN3u/w==",
        }
        for kind, text in shown.items():
            user = await self.backend(ldap_uuid_attribute_type=kind, **settings).logon("WINDOWS", "gates")

            self.assertEqual((user.username, user.unique_id) if isinstance(user, EndUser) else user, ("Windows", text))

    async def test_subject_of_attributes(self) -> None:
        """A subject made of attributes that nothing else maps finds its person again."""
        backend = self.backend(ldap_sub_attributes="uidNumber entryUUID")
        user = await backend.logon("alice", "wonderland")

        self.assertIsInstance(user, EndUser)
        if isinstance(user, EndUser):
            self.assertRegex(user.subject, r"\AentryUUID=[0-9a-f-]{36}&uidNumber=1001\Z")
            self.assertEqual(await backend.find(user.user_id), user)

    async def test_changes_count_at_once(self) -> None:
        """Who is removed or disabled is found no more, at the next question."""
        backend = self.backend()
        dn = f"uid=windows,{PEOPLE}"
        self.assertIsNotNone(await backend.find(dn))
        self.server.modify(f"dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n")
        self.assertIsNone(await backend.find(dn))
        self.server.modify(f"dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n")
        self.assertIsNotNone(await backend.find(dn))
        self.server.modify(
            f"dn: uid=gone,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\ncn: g\nsn: g\nuid: gone\n"
        )
        self.assertIsNotNone(await backend.find(f"uid=gone,{PEOPLE}"))
        self.server.modify(f"dn: uid=gone,{PEOPLE}\nchangetype: delete\n")

        self.assertIsNone(await backend.find(f"uid=gone,{PEOPLE}"))

    async def test_scope_and_filter(self) -> None:
        """A scope that does not reach the second twin makes the first one unique; a filter can take both away."""
        near = await self.backend(ldap_scope="one").logon("twin", "one")
        none = await self.backend(ldap_filter="&(objectClass=inetOrgPerson)(!(uid=twin))").logon("twin", "one")

        self.assertEqual(near.subject if isinstance(near, EndUser) else near, f"uid=twin,{PEOPLE}")
        self.assertEqual(none, Refused(RefusalReason.UNKNOWN_USER))

    async def test_anonymous(self) -> None:
        """Without an account, what anonymous visitors may see is searched."""
        ((option, problem),) = await self.faults(self.backend(ldap_binddn="", ldap_bindpw=""))

        self.assertEqual(option, "ldap_basedn")
        self.assertIn("check ldap_binddn", problem)


class ClaimsTests(Case):
    """Further claims of a real directory."""

    async def test_typed(self) -> None:
        """They come typed right, an operational attribute among them, which servers send only when it is named."""
        backend = self.backend(
            ldap_claims="phone_number=telephoneNumber locale=preferredLanguage updated_at=modifyTimestamp "
            "address.formatted=postalAddress address.locality=l nickname=displayName"
        )
        alice = await backend.find(ALICE_DN)
        further = dict(alice.further) if alice is not None else {}
        updated_at = further.pop("updated_at", 0)

        self.assertEqual(
            further,
            {
                "phone_number": "+44 1865 276150",
                "phone_number_verified": False,
                "locale": "en-GB",
                "address": {"formatted": "Christ Church\nOxford", "locality": "Oxford"},
            },
        )
        self.assertIsInstance(updated_at, int)
        self.assertEqual({"address", "phone"} - set(backend.scopes), set())


class CostTests(Case):
    """What a sign-in costs."""

    async def test_one_search_one_bind(self) -> None:
        """A sign-in is one search and one bind on connections that are open."""
        backend = self.backend()
        await backend.logon("alice", "wonderland")
        before = self.server.counters()
        for _ in range(10):
            await backend.logon("alice", "wonderland")
        after = self.server.counters()

        self.assertEqual({name: after[name] - before[name] for name in after}, {"search": 10, "bind": 10, "connect": 0})

    async def test_many_at_a_time(self) -> None:
        """A hundred people who sign in at once get through on few connections."""
        backend = self.backend(ldap_bind_connections="4")
        before = self.server.counters()
        answers = await gatherResults(
            [Deferred.fromCoroutine(backend.logon("alice", "wonderland")) for _ in range(100)], consumeErrors=True
        )
        after = self.server.counters()

        self.assertEqual({answer.subject for answer in answers}, {ALICE_DN})
        self.assertLessEqual(after["connect"] - before["connect"], 8)

    async def test_closing_ends_connections(self) -> None:
        """A closed backend answers nothing any more."""
        backend = self.backend()
        await backend.logon("alice", "wonderland")
        await backend.close()

        self.assertIn("stopping", await self.unavailable(backend.logon("alice", "wonderland")))


class GroupTests(Case):
    """Groups of real people."""

    async def groups(self, dn: str = ALICE_DN, **settings: str) -> tuple[str, ...]:
        """Return the groups of a person."""
        user = await self.backend(ldap_group_basedn=GROUPS, **settings).find(dn)
        return user.groups if user is not None else ("nobody",)

    async def test_off(self) -> None:
        """Groups are not asked for unless wanted."""
        self.assertEqual(await self.groups(), ())

    async def test_member_of(self) -> None:
        """The entry says which groups its person is in."""
        self.assertEqual(await self.groups(ldap_groups="memberof"), ("Inner, Circle", "readers"))

    async def test_search(self) -> None:
        """Groups say who is in them."""
        self.assertEqual(await self.groups(ldap_groups="search"), ("Inner, Circle", "readers"))

    async def test_odd_dn(self) -> None:
        """A DN with anything in it is looked for as it is."""
        self.assertEqual(await self.groups(f"uid=jürgen,{PEOPLE}", ldap_groups="search"), ("strangers",))

    async def test_nested(self) -> None:
        """Groups in groups count, and a ring of them ends."""
        found = await self.groups(ldap_groups="search", ldap_group_nested="yes")

        self.assertEqual(found, ("Inner, Circle", "library", "readers", "ring"))

    async def test_by_name(self) -> None:
        """Groups may list user names."""
        found = await self.groups(ldap_groups="search", ldap_group_member_attribute="memberUid")

        self.assertEqual(found, ("posix",))

    async def test_filter_and_name(self) -> None:
        """Some entries do not count as groups, and a group may be called by its DN."""
        for how in ("search", "memberof"):
            found = await self.groups(ldap_groups=how, ldap_group_filter="(cn=readers)", ldap_group_attribute="dn")

            self.assertEqual(found, (f"cn=readers,{GROUPS}",))


class FaultTests(Case):
    """Wrong settings and servers that do not work."""

    async def test_service_password(self) -> None:
        """A wrong password of the service account is told."""
        ((option, problem),) = await self.faults(self.backend(ldap_bindpw="nonsense"))

        self.assertEqual(option, "ldap_bindpw")
        self.assertIn("invalidCredentials (49)", problem)

    async def test_base(self) -> None:
        """A base that does not exist is told."""
        ((option, problem),) = await self.faults(self.backend(ldap_basedn=f"ou=poeple,{BASE}"))

        self.assertEqual(option, "ldap_basedn")
        self.assertIn("noSuchObject (32)", problem)

    async def test_nothing_listens(self) -> None:
        """A server that is not there is told, and blames no setting."""
        uri = unused_uri()

        self.assertIn(
            f"{uri} can not be reached: connection refused", await self.unavailable(self.backend(ldap_uri=uri).check())
        )

    async def test_no_such_host(self) -> None:
        """A host that does not exist is told."""
        problem = await self.unavailable(self.backend(ldap_uri="ldap://ldap.invalid").check())

        self.assertIn("ldap://ldap.invalid:389 can not be reached", problem)

    async def test_silent(self) -> None:
        """A server that says nothing is given up after the time limit."""
        listening, uri = silent_server()
        self.addCleanup(listening.close)

        problem = await self.unavailable(self.backend(ldap_uri=uri, ldap_timeout="1").logon("alice", "wonderland"))

        self.assertIn("within 1 seconds", problem)

    async def test_silent_tls(self) -> None:
        """A server that says nothing to a TLS handshake is given up too."""
        listening, uri = silent_server()
        self.addCleanup(listening.close)
        backend = self.backend(ldap_uri=uri.replace("ldap:", "ldaps:"), ldap_timeout="1")

        self.assertIn("in time", await self.unavailable(backend.check()))

    async def test_failover(self) -> None:
        """With a server that is down and one that is silent before it, the third one is asked."""
        listening, silent = silent_server()
        self.addCleanup(listening.close)
        backend = self.backend(ldap_uri=f"{unused_uri()} {self.server.uri}", ldap_timeout="3")

        self.assertIsInstance(await backend.logon("alice", "wonderland"), EndUser)
        slow = self.backend(ldap_uri=f"{silent} {self.server.uri}", ldap_timeout="1")
        await self.unavailable(slow.logon("alice", "wonderland"))
        self.assertIsInstance(await slow.logon("alice", "wonderland"), EndUser)


class RestartTests(Case):
    """A server that comes and goes."""

    async def test_restart(self) -> None:
        """After the server was killed and started again, sign-ins work as if nothing had been."""
        backend = self.backend()
        self.assertIsInstance(await backend.logon("alice", "wonderland"), EndUser)

        self.server.stop()
        self.server.start()

        self.assertIsInstance(await backend.logon("alice", "wonderland"), EndUser)
        self.assertEqual(await backend.logon("alice", "x"), Refused(RefusalReason.WRONG_PASSWORD))

    async def test_outage(self) -> None:
        """While the server is gone sign-ins fail at once, and soon after its return they work again."""
        backend = self.backend()
        self.assertIsInstance(await backend.logon("alice", "wonderland"), EndUser)
        self.server.stop()
        for _ in range(3):
            self.assertIn("connection refused", await self.unavailable(backend.logon("alice", "wonderland")))

        self.server.start()
        await deferLater(reactor, LONGEST_REST, lambda: None)

        self.assertIsInstance(await backend.logon("alice", "wonderland"), EndUser)
