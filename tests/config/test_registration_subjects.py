"""Tests of what an entry says about how a client knows people."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.option import ConfigErrors
from konnectd.protocol.client import Client
from konnectd.protocol.pairwise import Pairwise
from tests.support.files import write

SALT = bytes(range(32))


class SubjectsTests(SynchronousTestCase):
    """Keys that stand in the file."""

    def client(self, lines: str, salt: bytes = SALT) -> Client:
        """Read one client that has some lines more than an id and an address; nothing may be warned of."""
        path = write(self, "r.yaml", f"clients: [{{id: a, redirect_uris: [https://a.example/cb], {lines}}}]")
        warnings: list[str] = []
        (client,) = load_clients(path, loopback_issuer=False, warn=warnings.append, pairwise_salt=salt)
        self.assertEqual(warnings, [])
        return client

    def problem(self, lines: str, salt: bytes = SALT) -> str:
        """Return the one fault of such a client."""
        error = self.assertRaises(ConfigErrors, self.client, lines, salt)
        (fault,) = error.faults
        self.assertEqual(Path(fault.source.partition(":")[0]).name, "r.yaml")
        return f"{fault.option}: {fault.problem}"

    def test_nothing(self) -> None:
        """A client that says nothing has what it always had."""
        client = self.client("")

        self.assertEqual((client.pairwise, client.response_types, client.default_max_age), (None, (), None))

    def test_everything(self) -> None:
        """A client has what its entry says."""
        client = self.client(
            "subject_type: pairwise, response_types: [code, token id_token], default_max_age: 60,"
            "require_auth_time: yes, initiate_login_uri: https://a.example/login, logo_uri: https://a.example/l.png,"
            "policy_uri: https://a.example/policy, tos_uri: http://a.example/tos"
        )

        self.assertEqual(client.pairwise, Pairwise("a.example", SALT))
        self.assertEqual(client.response_types, ("code", "id_token token"))
        self.assertEqual((client.default_max_age, client.require_auth_time), (60, True))
        self.assertEqual(client.initiate_login_uri, "https://a.example/login")
        self.assertEqual((client.logo_uri, client.policy_uri), ("https://a.example/l.png", "https://a.example/policy"))
        self.assertEqual(client.tos_uri, "http://a.example/tos")

    def test_sector(self) -> None:
        """The sector is that of the document, where there is one; the operator vouches for what is in it."""
        client = self.client("subject_type: pairwise, sector_identifier_uri: https://all.example/uris")

        self.assertEqual(client.pairwise, Pairwise("all.example", SALT))
        self.assertEqual(client.sector_identifier_uri, "https://all.example/uris")

    def test_public(self) -> None:
        """Public subjects are what they are, with a salt and without."""
        for salt in (SALT, b""):
            self.assertIsNone(self.client("subject_type: public", salt).pairwise)

    def test_faults(self) -> None:
        """What is wrong is told at once."""
        for lines, problem in (
            ("subject_type: secret", "client a: subject_type: must be one of public, pairwise"),
            ("response_types: [token]", "client a: response_types: token is no response type"),
            ("default_max_age: soon", "client a: default_max_age: must be a whole number of seconds"),
            ("initiate_login_uri: http://a.example/", "client a: initiate_login_uri: must be a plain https URL"),
            ("policy_uri: 'javascript:x'", "client a: policy_uri: must be a plain http or https URL"),
            ("sector_identifier_uri: http://a.example/", "client a: sector_identifier_uri: must be a plain https URL"),
        ):
            with self.subTest(lines=lines):
                self.assertEqual(self.problem(lines), problem)

    def test_no_salt(self) -> None:
        """Without the salt there are no pairwise subjects, and nobody gets public ones instead."""
        self.assertIn("pairwise needs pairwise_salt", self.problem("subject_type: pairwise", b""))

    def test_no_sector(self) -> None:
        """Where the addresses are on several hosts it takes a document to say which is the sector."""
        text = """
clients:
  - {id: a, subject_type: pairwise, redirect_uris: [https://a.example/cb, https://b.example/cb]}
"""
        path = write(self, "r.yaml", text)
        error = self.assertRaises(
            ConfigErrors, load_clients, path, loopback_issuer=False, warn=self.fail, pairwise_salt=SALT
        )

        self.assertIn("not all on one web host", str(error))
