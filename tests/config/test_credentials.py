"""Settings that name what systemd gives to a unit."""

from pathlib import Path

from tests.config.cases import ISS, SettingsTestCase
from tests.support.files import write

KEY = "signing_private_key = ${CREDENTIALS_DIRECTORY}/keys_signing-1.pem\n"


class CredentialTests(SettingsTestCase):
    """A value that begins with the variable is in the folder that systemd names."""

    def test_file(self) -> None:
        """A key of the file, a list of which only one is a credential, and the folder itself."""
        file = (
            "signing_private_key = ${CREDENTIALS_DIRECTORY}/keys_a.pem /etc/b.pem\n"
            "validation_keys_path = ${CREDENTIALS_DIRECTORY}\n"
        )
        found = self.load(ISS, "ldap", file=file, environ={"CREDENTIALS_DIRECTORY": "/run/credentials/k"})

        self.assertEqual(
            (found.signing_private_key, found.validation_keys_path),
            ((Path("/run/credentials/k/keys_a.pem"), Path("/etc/b.pem")), Path("/run/credentials/k")),
        )

    def test_secret_in_a_file(self) -> None:
        """A password can be a credential."""
        folder = write(self, "password", "hunter2\n").parent
        line = "ldap_bindpw_file = ${CREDENTIALS_DIRECTORY}/password\n"
        found = self.load(ISS, "ldap", file=line, environ={"CREDENTIALS_DIRECTORY": str(folder)})

        self.assertEqual(found.backend_options["ldap_bindpw"], "hunter2")

    def test_password_is_a_password(self) -> None:
        """A secret that only looks like the name of a credential is kept as it is."""
        line = "ldap_bindpw = ${CREDENTIALS_DIRECTORY}/password\n"
        found = self.load(ISS, "ldap", file=line, environ={"CREDENTIALS_DIRECTORY": "/run"})

        self.assertEqual(found.backend_options["ldap_bindpw"], "${CREDENTIALS_DIRECTORY}/password")

    def test_another_variable(self) -> None:
        """There is no other variable."""
        found = self.load(
            ISS,
            "ldap",
            file="encryption_secret_key = ${CREDENTIALS_DIRECTORY}S/x\n",
            environ={"CREDENTIALS_DIRECTORY": "/run"},
        )

        self.assertEqual(found.encryption_secret, Path("${CREDENTIALS_DIRECTORY}S/x"))

    def test_without_systemd(self) -> None:
        """Whoever starts the daemon by hand is told what is missing, and where it was asked for."""
        (fault,) = self.faults(ISS, "ldap", file=KEY)

        self.assertIn("k.conf:1: signing_private_key: ${CREDENTIALS_DIRECTORY} is not set; systemd does", fault)
