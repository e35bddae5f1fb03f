"""Which groups somebody is in: by what their entry says, or by searching for groups that list them.

Groups in groups are followed level by level. Each group is looked at once, so a ring of groups ends, and both levels
and groups are counted, so that a mistake in a directory does not become a load on it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from itertools import islice
from typing import TypeAlias

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import ANY_ENTRY, Entry, SearchAnswer, SearchRequest, SearchScope
from konnectd.backends._ldap_entry import rdn_values
from konnectd.backends._ldap_filter import Filter, all_of, any_of, equals, matches_rule

MOST_GROUPS = 1000
MOST_LEVELS = 20

#: How many groups are asked about in one search, and how many searches are under way for one person.
_AT_A_TIME = 25

#: Means that names are wanted as they are: the whole DN.
WHOLE_DN = "dn"

_MEMBER_OF = "memberOf"

Search: TypeAlias = Callable[[SearchRequest, str], Awaitable[SearchAnswer]]

log = Logger()


class GroupMode(StrEnum):
    """How groups are found."""

    OFF = "off"
    MEMBER_OF = "memberof"
    SEARCH = "search"


@frozen(kw_only=True)
class GroupSettings:
    """How groups are found and named.

    Attributes:
        base_option: the setting that names the base, for messages.
        filter: what is a group; None takes everything.
        name_attribute: what a group is called; ``dn`` for all of its DN.
        member_attribute: lists members by DN; ``memberUid`` lists them by user name; a colon in it begins a matching
            rule.
        nested: groups may be in groups.
    """

    mode: GroupMode
    base: str
    base_option: str
    filter: Filter | None
    name_attribute: str
    member_attribute: str
    nested: bool

    @property
    def by_username(self) -> bool:
        """Members are listed by user name."""
        return self.member_attribute.lower() == "memberuid"

    def has_member(self, member: str) -> Filter:
        """Match groups that list somebody."""
        attribute, _, rule = self.member_attribute.partition(":")
        rule = rule.strip(":")
        found = matches_rule(attribute, rule, member) if rule else equals(attribute, member)
        return all_of(self.filter, found) if self.filter is not None else found


@frozen
class _Group:
    """A group that was found.

    Attributes:
        parents: DNs of groups it is in, as far as its entry says.
    """

    dn: str
    name: str
    parents: tuple[str, ...] = ()


class Groups:
    """Finds the groups of people."""

    def __init__(self, settings: GroupSettings, search: Search) -> None:
        """Know how to find them."""
        self._settings = settings
        self._search = search

    @property
    def attributes(self) -> tuple[str, ...]:
        """What a person's entry is asked for besides."""
        return (_MEMBER_OF,) if self._settings.mode is GroupMode.MEMBER_OF else ()

    async def of(self, entry: Entry, username: str) -> tuple[str, ...]:
        """Return the names of the groups somebody is in, each once, sorted.

        Raises:
            LdapError: there was no answer.
        """
        first: list[_Group] = []
        if self._settings.mode is GroupMode.MEMBER_OF:
            first = await self._read_all(entry.texts(_MEMBER_OF))
        elif self._settings.mode is GroupMode.SEARCH:
            first = await self._listing([username if self._settings.by_username else entry.dn])
        found = await self._with_parents(first) if self._settings.nested else first
        return tuple(sorted({group.name for group in found[:MOST_GROUPS] if group.name}))

    async def _with_parents(self, first: Sequence[_Group]) -> list[_Group]:
        """Return groups and all groups those are in."""
        known: dict[str, _Group] = {}
        level = list(first)
        for _ in range(MOST_LEVELS):
            new = {group.dn.casefold(): group for group in level if group.dn.casefold() not in known}
            known |= new
            if not new:
                return list(known.values())
            if len(known) > MOST_GROUPS:
                break
            level = await self._parents(tuple(new.values()), known)
        log.warn(
            "Groups in groups were not followed to the end: more than {groups} groups or {levels} levels, near {dn}",
            groups=MOST_GROUPS,
            levels=MOST_LEVELS,
            dn=first[0].dn,
        )
        return list(known.values())

    async def _parents(self, level: Sequence[_Group], known: Iterable[str]) -> list[_Group]:
        """Return the groups that some groups are in."""
        if self._settings.mode is GroupMode.SEARCH:
            return await self._listing([group.dn for group in level])
        names = {dn.casefold(): dn for group in level for dn in group.parents}
        return await self._read_all([dn for key, dn in names.items() if key not in set(known)])

    async def _listing(self, members: Sequence[str]) -> list[_Group]:
        """Return the groups that list any of some members."""
        found: list[_Group] = []
        for start in range(0, len(members), _AT_A_TIME):
            some = members[start : start + _AT_A_TIME]
            request = SearchRequest(
                base=self._settings.base,
                scope=SearchScope.SUB,
                filter=any_of(*(self._settings.has_member(member) for member in some)),
                attributes=(self._settings.name_attribute,),
                size_limit=MOST_GROUPS,
            )
            answer = await self._search(request, self._settings.base_option)
            if answer.truncated:
                log.warn("The server did not list all groups of {member}", member=some[0])
            found += [_Group(entry.dn, self._name(entry)) for entry in answer.entries]
        return found

    async def _read_all(self, dns: Sequence[str]) -> list[_Group]:
        """Return the groups behind DNs; those that can not be read, or are no groups, are left out."""
        if len(dns) > MOST_GROUPS:
            log.warn("{count} groups are too many, only {limit} were taken", count=len(dns), limit=MOST_GROUPS)
        left = iter(dns[:MOST_GROUPS])
        found: list[_Group] = []
        while some := tuple(islice(left, _AT_A_TIME)):
            read = await gatherResults([Deferred.fromCoroutine(self._read(dn)) for dn in some], consumeErrors=True)
            found += [group for group in read if group is not None]
        return found

    async def _read(self, dn: str) -> _Group | None:
        """Return the group behind a DN, without asking when the DN says all there is to know."""
        name = self._name_in(dn)
        if name and not self._settings.nested and self._settings.filter is None:
            return _Group(dn, name)
        parents = (_MEMBER_OF,) if self._settings.nested else ()
        request = SearchRequest(
            base=dn,
            scope=SearchScope.BASE,
            filter=self._settings.filter or ANY_ENTRY,
            attributes=(self._settings.name_attribute, *parents),
        )
        answer = await self._search(request, "")
        if answer.code != faults.SUCCESS or not answer.entries:
            return None
        entry = answer.entries[0]
        return _Group(entry.dn, self._name(entry), entry.texts(_MEMBER_OF))

    def _name_in(self, dn: str) -> str:
        """Return a group's name if its DN has it."""
        wanted = self._settings.name_attribute.lower()
        return dn if wanted == WHOLE_DN else dict(rdn_values(dn)).get(wanted, "")

    def _name(self, entry: Entry) -> str:
        """Return a group's name."""
        if self._settings.name_attribute.lower() == WHOLE_DN:
            return entry.dn
        return entry.text(self._settings.name_attribute)
