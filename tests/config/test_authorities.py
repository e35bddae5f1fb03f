"""External authorities in the registration file."""

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._oidc_settings import OidcSettings
from konnectd.authority_entry import AuthorityEntry, IdentityRules
from konnectd.config.authorities import check_ways_in
from konnectd.config.registration import load_registration
from konnectd.option import ConfigErrors
from tests.support.fakes import People
from tests.support.files import write
from tests.support.seen_people import SeenPeople

GOOD = "id: corp, authority_type: oidc, iss: 'https://sso.corp.example', client_id: konnect"
#: As Konnect 0.34 takes it.
KONNECT = """
authorities:
  - id: corp-oidc
    name: Corporate sign-in
    authority_type: oidc
    default: yes
    iss: https://sso.corp.example        # discovery is implied
    client_id: konnect
    response_type: id_token              # the only usable value in 0.34
    scopes: [openid, profile]
    identity_claim_name: preferred_username
    identity_aliases: {ext.alice: alice}
    identity_alias_required: no
    end_session_enabled: yes
"""


class AuthorityCase(SynchronousTestCase):
    """Reads registrations."""

    def load(self, text: str) -> tuple[AuthorityEntry, ...]:
        """Read authorities; warnings go to ``self.warnings``, with files called by their last name."""
        self.warnings: list[str] = []
        path = write(self, "r.yaml", text)
        return load_registration(
            path,
            loopback_issuer=False,
            warn=lambda text: self.warnings.append(text.replace(str(path.parent) + "/", "")),
        ).authorities

    def entry(self, lines: str) -> AuthorityEntry:
        """Read one."""
        return self.load(f"authorities: [{{{lines}}}]")[0]

    def faults(self, text: str) -> list[str]:
        """Return the faults of a registration."""
        error = self.assertRaises(ConfigErrors, self.load, text)
        return [f"{Path(fault.source).name}: {fault.option}: {fault.problem}" for fault in error.faults]

    def fault(self, lines: str) -> str:
        """Return the one fault of an authority."""
        (fault,) = self.faults(f"authorities: [{{{lines}}}]")
        return fault.removeprefix("r.yaml:1: ")


class EntryTests(AuthorityCase):
    """Entries that are good."""

    def test_konnect(self) -> None:
        """An entry of Konnect is read as it is, without a warning."""
        (found,) = self.load(KONNECT)

        self.assertEqual(
            (found, self.warnings),
            (
                AuthorityEntry(
                    authority_id="corp-oidc",
                    name="Corporate sign-in",
                    kind="oidc",
                    default=True,
                    identity=IdentityRules(claim="preferred_username", aliases=(("ext.alice", "alice"),)),
                    end_session_enabled=True,
                    settings=OidcSettings(
                        issuer="https://sso.corp.example",
                        client_id="konnect",
                        response_type="id_token",
                        discovery_uri="https://sso.corp.example/.well-known/openid-configuration",
                    ),
                ),
                [],
            ),
        )

    def test_equal(self) -> None:
        """The same lines read twice are the same entry, so that what was fetched can be kept."""
        self.assertEqual(self.load(KONNECT), self.load(KONNECT))

    def test_none(self) -> None:
        """An empty list has none."""
        self.assertEqual(self.load("authorities:\n"), ())

    def test_name(self) -> None:
        """An entry without a name is called by its id."""
        self.assertEqual(self.entry(GOOD).name, "corp")

    def test_id_of_the_name(self) -> None:
        """An entry without an id is known by its name, as in Konnect, and that is warned of."""
        found = self.entry(GOOD.replace("id: corp", "name: Corporate sign-in"))

        self.assertEqual(
            (found.authority_id, self.warnings),
            (
                "Corporate sign-in",
                [
                    "r.yaml:1: authority Corporate sign-in: has no id, so it is called by its name; give it an id that "
                    "stays"
                ],
            ),
        )

    def test_empty_alias(self) -> None:
        """An alias for nobody has no effect, as in Konnect."""
        self.assertEqual(self.entry(f"{GOOD}, identity_aliases: {{a: '', b: c}}").identity.aliases, (("b", "c"),))

    def test_unknown_key(self) -> None:
        """A typing error is warned of, and so is a key of another kind."""
        self.entry(f"{GOOD}, defalt: yes")

        self.assertEqual(self.warnings, ["r.yaml:1: authority corp: defalt: is not known and has no effect"])

    def test_row_25_secret_is_not_shown(self) -> None:
        """What we prove ourselves with stands in no traceback."""
        self.assertNotIn("s3cret", repr(self.entry(f"{GOOD}, client_secret: s3cret")))


class FaultTests(AuthorityCase):
    """Entries that stop the start, where Konnect leaves them out."""

    def test_no_id(self) -> None:
        """An entry without id and name is nobody's."""
        self.assertEqual(self.fault(GOOD.replace("id: corp, ", "")), "authority without id: id: is required")

    def test_row_27_bad_id(self) -> None:
        """An id stands in cookies and addresses."""
        self.assertIn("at most 64 letters", self.fault(GOOD.replace("corp,", "'a b',")))

    def test_kind(self) -> None:
        """A kind is one that there is."""
        self.assertIn("authority corp: authority_type: must be ", self.fault("id: corp, authority_type: ldap"))

    def test_no_kind(self) -> None:
        """And has to be named."""
        self.assertIn("authority corp: authority_type: must be ", self.fault("id: corp"))

    def test_row_27_twice(self) -> None:
        """Two entries have two ids."""
        self.assertEqual(
            self.faults(f"authorities:\n- {{{GOOD}}}\n- {{{GOOD}}}\n"),
            ["r.yaml:3: authority corp: id: another authority has this id already"],
        )

    def test_row_27_two_defaults(self) -> None:
        """Nobody can be sent to two places."""
        other = GOOD.replace("corp,", "two,")

        self.assertEqual(
            self.faults(f"authorities:\n- {{{GOOD}, default: yes}}\n- {{{other}, default: yes}}\n"),
            ["r.yaml:3: authority two: default: corp is the default already"],
        )

    def test_name(self) -> None:
        """A name fits on a button."""
        self.assertIn("at most 60", self.fault(f"{GOOD}, name: {'x' * 61}"))

    def test_all_at_once(self) -> None:
        """The faults of clients and authorities are told together."""
        found = self.faults(f"clients: [{{id: a}}]\nauthorities: [{{{GOOD.replace('https:', 'http:')}}}]\n")

        self.assertEqual([fault.split(": ")[1] for fault in found], ["client a", "authority corp"])


class WaysInTests(SynchronousTestCase):
    """Whether people can sign in at all."""

    entry = AuthorityEntry(authority_id="corp", name="corp", kind="oidc")

    def test_backend(self) -> None:
        """A backend that finds people by name will do."""
        self.assertIsNone(check_ways_in((self.entry,), People(), passwords=True))

    def test_backend_without_names(self) -> None:
        """One that does not will not."""
        error = self.assertRaises(ConfigErrors, check_ways_in, (self.entry,), SeenPeople(), passwords=True)

        self.assertIn("can not find people by the name they bring", str(error.faults[0]))

    def test_no_way_in(self) -> None:
        """Without passwords and without authorities nobody could sign in."""
        error = self.assertRaises(ConfigErrors, check_ways_in, (), People(), passwords=False)

        self.assertEqual(error.faults[0].option, "disable_local_logon")

    def test_aliases_in_another_order(self) -> None:
        """Entries are told apart by what they say."""
        self.assertNotEqual(self.entry, evolve(self.entry, trusted=True))
