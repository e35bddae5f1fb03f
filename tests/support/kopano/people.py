"""Who has an account: the people of the captures, and further ones that a test adds."""

import base64
import hashlib
from collections.abc import Iterable, Iterator

from attrs import field, frozen

from tests.support.kopano import codes
from tests.support.kopano.entry_ids import TYPE_USER, EntryId

SYSTEM = "SYSTEM"
ADMIN, SYSTEM_ADMIN = 1, 2
_FEATURES = (
    (codes.TAG_ENABLED_FEATURES, ("mobile", "outlook", "webapp")),
    (codes.TAG_DISABLED_FEATURES, ("imap", "pop3")),
)


@frozen(kw_only=True)
class Person:
    """An account.

    Attributes:
        number: the server's own.
        name: for signing in.
        password: None for nobody who could sign in with one.
        external: in base64, as it stands in the entry id; empty for an entry id without.
        admin: 0, 1 for an administrator, 2 for one of the whole system.
        object_class: what kind of account it is.
        properties: tags and values beyond the ones everybody has.
        features: tags and lists of values.
    """

    number: int
    name: str
    password: str | None = field(default=None, repr=False)
    full_name: str = ""
    mail: str = ""
    external: str = ""
    server: str = ""
    admin: int = 0
    hidden: bool = False
    object_class: int = codes.CLASS_ACTIVE_USER
    properties: tuple[tuple[int, str], ...] = ()
    features: tuple[tuple[int, tuple[str, ...]], ...] = _FEATURES

    @property
    def entry_id(self) -> EntryId:
        """Who it is."""
        external = self.external.encode()
        return EntryId(version=1 if external else 0, kind=TYPE_USER, number=self.number, external=external)

    @property
    def is_active(self) -> bool:
        """Say whether it may sign in at all, with the right password."""
        return self.object_class == codes.CLASS_ACTIVE_USER

    def property_value(self, tag: int) -> str | None:
        """Return a text that the address book has about it."""
        known = {
            codes.TAG_DISPLAY_NAME: self.full_name,
            codes.TAG_ACCOUNT: self.name,
            codes.TAG_SMTP_ADDRESS: self.mail,
            **dict(self.properties),
        }
        return known.get(tag) or None


def new_person(number: int, name: str, password: str, full_name: str, mail: str) -> Person:
    """Make an account with an external id that is always the same for a name."""
    external = base64.b64encode(hashlib.sha256(name.encode()).digest()[:16]).decode()
    return Person(number=number, name=name, password=password, full_name=full_name, mail=mail, external=external)


class People:
    """All accounts, by whatever they are looked for."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        """Have some accounts; without any those of the captures."""
        self._people = list(people) or list(CAPTURED)

    def __iter__(self) -> Iterator[Person]:
        return iter(sorted(self._people, key=lambda person: person.number))

    def add(self, name: str, password: str, full_name: str = "", mail: str = "") -> Person:
        """Add an account, or replace the one of that name, and return it."""
        before = self.by_name(name)
        number = before.number if before else max(person.number for person in self._people) + 1
        person = new_person(number, name, password, full_name, mail)
        self.replace(person)
        return person

    def replace(self, person: Person) -> None:
        """Take an account as it is now, in the place of the one of its number."""
        self._people = [other for other in self._people if other.number != person.number] + [person]

    def remove(self, name: str) -> None:
        """Forget an account."""
        self._people = [person for person in self._people if person.name != name]

    def by_name(self, name: str) -> Person | None:
        """Return who signs in with a name, in whatever case it is written."""
        return next((person for person in self._people if person.name.lower() == name.lower()), None)

    def by_number(self, number: int) -> Person | None:
        """Return who has a number."""
        return next((person for person in self._people if person.number == number), None)

    def by_entry_id(self, entry_id: EntryId) -> Person | None:
        """Return who is meant; without an external id all there is to go by is the number."""
        if entry_id.version == 0:
            return self.by_number(entry_id.number) if entry_id.kind == TYPE_USER else None
        return next((person for person in self._people if person.entry_id.is_same(entry_id)), None)


#: The accounts of the server that the captures were made with. Where no capture shows a password it is made up.
CAPTURED = (
    Person(
        number=2,
        name=SYSTEM,
        full_name="SYSTEM",
        mail="postmaster@localhost",
        server="Unknown",
        admin=SYSTEM_ADMIN,
        hidden=True,
        features=(),
    ),
    Person(
        number=3,
        name="alice",
        password="alice-secret",
        full_name="Alice Anderson",
        mail="alice@example.test",
        external="e3Ia1ed3TfSoazjHIj5hFQ==",
        properties=((codes.TAG_GIVEN_NAME, "Alicia"), (codes.TAG_SURNAME, "Andersson")),
    ),
    Person(
        number=4,
        name="bob",
        password="bob-secret",
        full_name="Bob van der Berg",
        mail="bob@example.test",
        external="5F42htDOSWirPpwApKVJsg==",
    ),
    Person(
        number=5,
        name="carol",
        password="carol-secret",
        full_name="Carol",
        mail="carol@example.test",
        external="6Pg6NSfvSQmqrSdlm1EtFw==",
    ),
    Person(
        number=6,
        name="zoë",
        password="zoë-sécret <&> \"' 😀",
        full_name="Zoë <Öst> & Søn",
        mail="zoe@example.test",
        external="9SLcINKuRXStvp+ytdn0ow==",
    ),
    Person(
        number=7,
        name="admin",
        password="admin-secret",
        full_name="Admin User",
        mail="admin@example.test",
        external="YZqGls5sRBaJmdxMPfy/Yw==",
        admin=ADMIN,
    ),
    Person(
        number=8,
        name="sysadm",
        password="sysadm-secret",
        full_name="System Admin",
        mail="sysadm@example.test",
        external="VwaHXwoySk+VH0fGL+sUzQ==",
        admin=SYSTEM_ADMIN,
    ),
    Person(
        number=9,
        name="room1",
        password="room-secret",
        full_name="Room One",
        mail="room1@example.test",
        external="28aCO8APSRefOOloWPfW+Q==",
        object_class=codes.CLASS_ROOM,
    ),
    Person(
        number=10,
        name="svc",
        password="svc-secret",
        full_name="Konnect Service",
        mail="svc@example.test",
        external="syPZVCw2QFGyMLdJvhQnoA==",
        admin=SYSTEM_ADMIN,
    ),
    Person(
        number=11,
        name="dave",
        password="dave-secret",
        full_name="Dave Only Given",
        mail="dave@example.test",
        external="uKgbgoapQc6bsCUWW+TreA==",
        properties=((codes.TAG_GIVEN_NAME, "Davey"),),
    ),
    Person(
        number=12,
        name="erin",
        password="erin-secret",
        full_name="Erin NoMail",
        external="0Znnm8/5SRaQW2pn7peiNg==",
        properties=((codes.TAG_TELEPHONE, "+49 123"),),
    ),
)
