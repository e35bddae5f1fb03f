"""Groups of people, against a directory in memory."""

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._ldap_groups import MOST_GROUPS, MOST_LEVELS
from tests.support.fakes import run
from tests.support.ldap_people import ALICE_DN, backend, directory

GROUPS = "ou=groups,dc=example,dc=org"
RULE = "1.2.840.113556.1.4.1941"


class Case(SynchronousTestCase):
    """A directory with groups."""

    def setUp(self) -> None:
        """Add alice to readers, readers to library, and library and ring to each other."""
        self.directory = directory()
        self.directory.add(GROUPS, {"objectClass": ("organizationalUnit",)})
        self.add("readers", [ALICE_DN], ["library"])
        self.add("library", [self.dn("readers"), self.dn("ring")], ["ring"])
        self.add("ring", [self.dn("library")], ["library"])
        self.directory.entries[ALICE_DN]["memberOf"] = (self.dn("readers").encode(),)

    def dn(self, name: str) -> str:
        """Return the DN of a group."""
        return f"cn={name},{GROUPS}"

    def add(self, name: str, members: Iterable[str], parents: Iterable[str] = (), **attributes: Any) -> None:
        """Add a group."""
        self.directory.add(
            self.dn(name),
            {
                "objectClass": ("groupOfNames",),
                "cn": (name,),
                "member": tuple(members),
                "memberOf": tuple(map(self.dn, parents)),
                **attributes,
            },
        )

    def groups(self, **options: Any) -> tuple[str, ...]:
        """Return alice's groups."""
        settings: Mapping[str, Any] = {f"ldap_{name}": value for name, value in options.items()}
        user = run(backend({"ldap_group_basedn": GROUPS, **settings}, one=self.directory).find(ALICE_DN))
        return user.groups if user is not None else ("nobody",)


class OfferTests(Case):
    """The scope and claim."""

    def test_off(self) -> None:
        """Without groups neither scope nor claim is offered, and nothing is asked."""
        found = backend(one=self.directory)

        self.assertNotIn("groups", found.scopes + found.claims)
        self.assertEqual(self.groups(), ())

    def test_on(self) -> None:
        """With groups both are offered."""
        found = backend({"ldap_groups": "memberof"}, one=self.directory)

        self.assertIn("groups", found.scopes)
        self.assertIn("groups", found.claims)

    def test_not_at_sign_in(self) -> None:
        """A sign-in does not ask for groups."""
        found = backend({"ldap_groups": "search"}, one=self.directory)
        run(found.logon("alice", "wonderland"))

        self.assertEqual(self.directory.kinds().count("search"), 1)


class MemberOfTests(Case):
    """Groups by what a person's entry says."""

    def test_direct(self) -> None:
        """The name is taken from the DN without a further question."""
        self.assertEqual(self.groups(groups="memberof"), ("readers",))
        self.assertEqual(self.directory.kinds().count("search"), 1)

    def test_nested(self) -> None:
        """Groups are followed, each once, though they form a ring."""
        self.assertEqual(self.groups(groups="memberof", group_nested=True), ("library", "readers", "ring"))
        self.assertEqual(self.directory.kinds().count("search"), 4)

    def test_name_elsewhere(self) -> None:
        """A name that is not in the DN is read from the group."""
        self.add("readers", [], description=("Those who read",))

        self.assertEqual(self.groups(groups="memberof", group_attribute="description"), ("Those who read",))

    def test_filter(self) -> None:
        """What does not count as a group is left out, and so is what has gone."""
        self.directory.entries[ALICE_DN]["memberOf"] = tuple(
            self.dn(name).encode() for name in ("readers", "ring", "gone")
        )

        self.assertEqual(self.groups(groups="memberof", group_filter="(cn=ring)"), ("ring",))


class SearchTests(Case):
    """Groups by who they list."""

    def test_direct(self) -> None:
        """Groups that list the person are found."""
        self.assertEqual(self.groups(groups="search"), ("readers",))

    def test_nested(self) -> None:
        """Groups that list those groups are found too, each once."""
        with capturedLogs() as events:
            found = self.groups(groups="search", group_nested=True)

        self.assertEqual(found, ("library", "readers", "ring"))
        # The person, her groups, and the groups of each level until there is nothing new.
        self.assertEqual(self.directory.kinds().count("search"), 5)
        self.assertEqual([event for event in events if event["log_level"].name == "warn"], [])

    def test_by_username(self) -> None:
        """Groups may list user names."""
        self.add("posix", [], memberUid=("alice",))

        self.assertEqual(self.groups(groups="search", group_member_attribute="memberUID"), ("posix",))

    def test_rule(self) -> None:
        """A matching rule is put to the server."""
        self.assertEqual(self.groups(groups="search", group_member_attribute=f"member:{RULE}:"), ("readers",))
        request = self.directory.arguments("search")[-1]

        self.assertEqual(request.filter.matchingRule.value, RULE.encode())

    def test_odd_dn(self) -> None:
        """A group whose name has all that means something in filters can be a member."""
        odd = f"cn=a*(b)\\5c\\2c c,{GROUPS}"
        self.directory.add(odd, {"objectClass": ("x",), "cn": ("odd",), "member": (ALICE_DN,)})
        self.add("above", [odd])

        found = self.groups(groups="search", group_nested=True)

        self.assertEqual(found, ("above", "library", "odd", "readers", "ring"))

    def test_missing_base(self) -> None:
        """A base that has gone is a fault, not an absence of groups."""
        with self.assertRaisesRegex(Exception, "ou=nix"):
            self.groups(groups="search", group_basedn="ou=nix,dc=example,dc=org")


class LimitTests(Case):
    """Directories that have too much of it."""

    def warnings(self, **options: Any) -> tuple[int, int]:
        """Return how many groups alice has, and how many warnings there were."""
        with capturedLogs() as events:
            found = self.groups(**options)
        return len(found), sum(event["log_level"].name == "warn" for event in events)

    def test_deep(self) -> None:
        """A chain that is too deep is cut off, and the operator told."""
        for level in range(MOST_LEVELS + 10):
            self.add(f"g{level}", [self.dn(f"g{level - 1}") if level else ALICE_DN], [f"g{level + 1}"])
        self.directory.entries[ALICE_DN]["memberOf"] = (self.dn("g0").encode(),)

        self.assertEqual(self.warnings(groups="memberof", group_nested=True), (MOST_LEVELS, 1))

    def test_many(self) -> None:
        """Too many groups are cut off, and the operator told."""
        for number in range(MOST_GROUPS + 5):
            self.add(f"m{number}", [ALICE_DN])

        self.assertEqual(self.warnings(groups="search"), (MOST_GROUPS, 1))
        self.directory.entries[ALICE_DN]["memberOf"] = tuple(
            self.dn(f"m{number}").encode() for number in range(MOST_GROUPS + 5)
        )
        self.assertEqual(self.warnings(groups="memberof"), (MOST_GROUPS, 1))
