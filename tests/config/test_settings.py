"""Tests of settings: which value wins, what is refused, what is computed."""

from pathlib import Path

import attrs

from konnectd.config.branding_options import BrandingSettings
from konnectd.config.endpoints import EndpointSettings
from konnectd.config.key_rotation_options import RotationSettings
from konnectd.config.options import OPTIONS
from konnectd.config.settings import Settings
from konnectd.config.survey import SurveySettings
from konnectd.config.values import LogLevel
from konnectd.config.watching_options import WatchingSettings
from konnectd.option import ConfigError
from konnectd.protocol.logons import Stay
from konnectd.protocol.response_type import Profile
from tests.config.cases import ISS, SettingsTestCase
from tests.support.files import write


class DefaultTests(SettingsTestCase):
    """Without a word about them, options have Konnect's defaults."""

    def test_defaults(self) -> None:
        """The least that can be said is an issuer and a backend."""
        found = self.load(ISS, "ldap")

        self.assertEqual(
            found,
            Settings(
                iss="https://id.example.com",
                listen=("127.0.0.1:8777",),
                uri_base_path="",
                sign_in_uri="/signin/v1/identifier",
                signed_out_uri="/signin/v1/goodbye",
                identifier_client_path=None,
                disable_identifier_client=False,
                insecure=False,
                trusted_proxy=(),
                fetch_allow=(),
                signing_private_key=(),
                signing_kid="",
                signing_method="PS256",
                validation_keys_path=None,
                encryption_secret=None,
                identifier_registration_conf=None,
                identifier_scopes_conf=None,
                allow_scope=(),
                require_pushed_authorization_requests=False,
                response_types=Profile(),
                allow_client_guests=False,
                disable_local_logon=False,
                allow_dynamic_client_registration=False,
                dynamic_registration_token="",
                dynamic_client_secret_expiration=0,
                pairwise_salt=None,
                access_token_expiration=600,
                id_token_expiration=3600,
                refresh_token_expiration=94608000,
                consent_expiration=31536000,
                stay_signed_in="no",
                logon_idle=1209600,
                logon_lifetime=2592000,
                refresh_token_grace=10,
                log_level=LogLevel.INFO,
                log_timestamp=True,
                request_log=False,
                backend="ldap",
                backend_options={"ldap_uri": None, "ldap_bindpw": None, "ldap_scope": "sub"},
                sources={"iss": "command line", "identity_manager": "command line"},
            ),
        )

    def test_every_option_has_a_field(self) -> None:
        """No option is read for nothing; the backend's name has a field of its own."""
        kinds = (Settings, BrandingSettings, WatchingSettings, SurveySettings, EndpointSettings, RotationSettings)
        fields = {field.name for kind in kinds for field in attrs.fields(kind)}
        names = {option.dest for option in OPTIONS} - {"identity_manager", "identity_manager_args"}

        self.assertEqual(names - fields, set())

    def test_staying(self) -> None:
        """What the words mean; 0 is the default, as for all lifetimes, and another word is refused."""
        stays = [self.load(ISS, f"--stay-signed-in={word}", "ldap").stay for word in ("no", "offer", "PRESET")]
        zero = self.load(ISS, "--logon-idle=0", "--logon-lifetime=0", "ldap").stay

        self.assertEqual([(stay.offered, stay.preset) for stay in stays], [(False, False), (True, False), (True, True)])
        self.assertEqual(zero, Stay())
        self.assertEqual(len(self.faults(ISS, "--stay-signed-in=yes", "ldap")), 1)

    def test_staying_warnings(self) -> None:
        """Letting people stay with what a restart forgets is something to think about twice, and so is a vain limit."""
        on, secret = "--stay-signed-in=offer", "--encryption-secret=/tmp/secret"
        store = ("--store=sqlite", "--sqlite-path=/tmp/x.db")
        for more, words in (
            ((), ["encryption_secret"]),
            ((secret,), ["store"]),
            ((secret, *store), []),
            ((secret, *store, "--logon-idle=100", "--logon-lifetime=50"), ["logon_idle"]),
        ):
            warnings = self.load(ISS, on, *more, "ldap").warnings
            self.assertEqual([word for word, text in zip(words, warnings, strict=True) if word in text], words)

    def test_registration_warnings(self) -> None:
        """Registration for everybody, and one that forgets, are things to think about twice."""
        on = "--allow-dynamic-client-registration"
        for more, count in (
            ((), 2),
            (("--store=sqlite", "--sqlite-path=/tmp/x.db"), 1),
            (("--store=sqlite", "--sqlite-path=/tmp/x.db", "--dynamic-registration-token=x"), 1),
        ):
            with self.subTest(more=more):
                self.assertEqual(len(self.load(ISS, on, *more, "ldap").warnings), count)

    def test_registration_token_is_not_shown(self) -> None:
        """The representation does not have it."""
        found = self.load(ISS, "--allow-dynamic-client-registration", "--dynamic-registration-token=sesame", "ldap")

        self.assertEqual(found.dynamic_registration_token, "sesame")
        self.assertNotIn("sesame", repr(found))

    def test_networks(self) -> None:
        """Networks that may be asked for what clients publish are read, or refused, one by one."""
        found = self.load(ISS, "--fetch-allow=10.1.0.0/16", "--fetch-allow=::1", "ldap")
        faults = self.faults(ISS, "--fetch-allow=10.1.2.3/16", "--fetch-allow=localhost", "ldap")

        self.assertEqual([str(network) for network in found.fetch_allow], ["10.1.0.0/16", "::1/128"])
        self.assertEqual(len([fault for fault in faults if "must be a network" in fault]), len(faults))
        self.assertTrue(faults)

    def test_zero_is_the_default_lifetime(self) -> None:
        """Konnect reads 0 so."""
        found = self.load(ISS, "--access-token-expiration=0", "--id-token-expiration=60", "ldap")

        self.assertEqual((found.access_token_expiration, found.id_token_expiration), (600, 60))

    def test_grace(self) -> None:
        """A grace of 0 is none, and one of more than a minute is a fault."""
        found = self.load(ISS, "--refresh-token-grace=0", "ldap")
        faults = self.faults(ISS, "--refresh-token-grace=61", "ldap")

        self.assertEqual(found.refresh_token_grace, 0)
        self.assertIn("must not be more than 60 seconds", faults[0])


class PrecedenceTests(SettingsTestCase):
    """Flag, environment, file, default."""

    def kid(self, flag: str | None, variable: str | None, line: str | None) -> tuple[str, str]:
        """Return the key id that wins, and where it stands."""
        flags = [] if flag is None else [f"--signing-kid={flag}"]
        environ = {} if variable is None else {"KONNECTD_SIGNING_KID": variable}
        found = self.load(ISS, "ldap", *flags, environ=environ, file="" if line is None else f"signing_kid = {line}\n")
        return found.signing_kid, Path(found.sources.get("signing_kid", "")).name

    def test_order(self) -> None:
        """Each place wins over those after it."""
        self.assertEqual(self.kid("a", "b", "c"), ("a", "command line"))
        self.assertEqual(self.kid(None, "b", "c"), ("b", "environment"))
        self.assertEqual(self.kid(None, None, "c"), ("c", "k.conf:1"))
        self.assertEqual(self.kid(None, None, None), ("", ""))

    def test_empty(self) -> None:
        """An empty variable or line says nothing; an empty flag asks for the default."""
        self.assertEqual(self.kid(None, "", "c"), ("c", "k.conf:1"))
        self.assertEqual(self.kid(None, " ", "c"), ("c", "k.conf:1"))
        self.assertEqual(self.kid(None, None, ""), ("", ""))
        self.assertEqual(self.kid("", "b", "c"), ("", ""))

    def test_last_flag_wins(self) -> None:
        """A script may add a flag behind those it was given."""
        found = self.load(ISS, "--signing-kid=a", "--signing-kid=b", "ldap")

        self.assertEqual(found.signing_kid, "b")

    def test_several_values(self) -> None:
        """Flags are repeated, words in variables and lines are separated by blanks; repeated values count once."""
        flags = self.load(ISS, "--listen=:1", "--listen=:2", "ldap", environ={"KONNECTD_LISTEN": ":9"})
        variable = self.load(ISS, "ldap", environ={"KONNECTD_SIGNING_PRIVATE_KEY": " a.pem  b.pem a.pem"})
        line = self.load(ISS, "ldap", file="allowed_scopes = email profile\n")

        self.assertEqual(flags.listen, (":1", ":2"))
        self.assertEqual(variable.signing_private_key, (Path("a.pem"), Path("b.pem")))
        self.assertEqual(line.allow_scope, ("email", "profile"))

    def test_config_from_the_environment(self) -> None:
        """The file can be named by a variable; none is read unless it is named."""
        path = write(self, "k.conf", "signing_kid = x\n")
        found = self.load(ISS, "ldap", environ={"KONNECTD_CONFIG": str(path)})

        self.assertEqual(found.signing_kid, "x")


class NameTests(SettingsTestCase):
    """Names of Konnect's, and ours."""

    def test_file_of_konnect(self) -> None:
        """A file that Konnect was run with is read as it is."""
        found = self.load(
            file="""
            oidc_issuer_identifier = https://id.example.com/sub
            listen = 0.0.0.0:8777
            insecure = no
            identity_manager = ldap
            signing_private_key = /etc/kopano/key.pem
            signing_method=RS256
            validation_keys_path = /etc/kopano/konnectkeys
            encryption_secret_key = "/etc/kopano/secret.key"
            identifier_registration_conf = /etc/kopano/registration.yaml
            identifier_scopes_conf =
            uri_base_path = /sub
            allowed_scopes = email
            allow_client_guests = no
            trusted_proxies =
            access_token_expiration = 300
            log_level = warn
            kc_server_uri = file:///run/kopano/server.sock
            KOPANO_SERVER_SESSION_TIMEOUT = 300
            ldap_uri = ldap://localhost
            LDAP_SCOPE=one
            """
        )

        self.assertEqual((found.iss, found.listen), ("https://id.example.com/sub", ("0.0.0.0:8777",)))
        self.assertEqual(found.encryption_secret, Path("/etc/kopano/secret.key"))
        self.assertEqual(found.backend_options["ldap_uri"], "ldap://localhost")
        self.assertEqual(found.backend_options["ldap_scope"], "one")
        self.assertEqual((found.warnings, found.identifier_scopes_conf), ((), None))

    def test_variables(self) -> None:
        """Konnect's variables count, and so does the flag's name in capitals for every option."""
        for environ in (
            {"OIDC_ISSUER_IDENTIFIER": "https://x.example"},
            {"KONNECTD_ISS": "https://x.example"},
            {"KONNECTD_ISS": "https://y.example", "OIDC_ISSUER_IDENTIFIER": "https://x.example"},
        ):
            with self.subTest(environ=environ):
                self.assertEqual(self.load("ldap", environ=environ).iss, "https://x.example")

    def test_secret_file_variable(self) -> None:
        """The container's variables for files of secrets name the same files."""
        found = self.load(ISS, "ldap", environ={"KONNECTD_ENCRYPTION_SECRET_FILE": "/run/secrets/x"})

        self.assertEqual(found.encryption_secret, Path("/run/secrets/x"))

    def test_switch(self) -> None:
        """A switch is on, off, or set to either."""
        for flag, wanted in (("--log-timestamp", True), ("--log-timestamp=false", False), ("--log-timestamp=1", True)):
            with self.subTest(flag=flag):
                self.assertEqual(self.load(ISS, flag, "ldap").log_timestamp, wanted)


class FaultTests(SettingsTestCase):
    """All faults are told at once, each with its place."""

    def test_all_at_once(self) -> None:
        """Command line, file and environment are each read to their end."""
        found = self.faults(
            "--bogus=1",
            "--signing-method=HS256",
            "nis",
            environ={"KONNECTD_LOG_LEVEL": "loud"},
            file="listn = x\nsigned_out_uri = //evil\niss = https://a.example\noidc_issuer_identifier = https://b.example\n",
        )

        self.assertEqual(
            [fault.split(": ")[:2] for fault in found],
            [
                ["command line", "identity_manager"],
                ["command line", "--bogus"],
                ["k.conf:1", "listn"],
                ["k.conf:4", "oidc_issuer_identifier"],
                ["k.conf:2", "signed_out_uri"],
                ["command line", "--signing-method"],
                ["environment", "KONNECTD_LOG_LEVEL"],
            ],
        )

    def test_nothing_said(self) -> None:
        """Without a word, what is required is missed."""
        self.assertEqual([fault.split(":")[0] for fault in self.faults()], ["identity_manager", "iss"])

    def test_wrong_issuer_is_one_fault(self) -> None:
        """An issuer that is wrong is not missed as well."""
        self.assertEqual(len(self.faults("--iss=http://id.example.com", "ldap")), 1)

    def test_value_of_an_unknown_flag(self) -> None:
        """What was probably the value of an unknown flag is not taken for a backend."""
        self.assertEqual(self.faults(ISS, "--bogus", "x", "ldap"), ["command line: --bogus: is not an option"])
        self.assertEqual(self.faults(ISS, "--bogus", "x"), ["command line: --bogus: is not an option"])

    def test_config_in_a_file(self) -> None:
        """A file does not name another."""
        self.assertEqual(self.faults(ISS, "ldap", file="config = x\n"), ["k.conf:1: config: is not an option"])

    def test_empty_switch(self) -> None:
        """A switch set to nothing on the command line keeps its default."""
        self.assertTrue(self.load(ISS, "--log-timestamp=", "ldap").log_timestamp)

    def test_locate(self) -> None:
        """A fault found later gets the place where its option was given."""
        found = self.load(ISS, "ldap", file="ldap_uri = nonsense\n")
        located = found.locate(ConfigError("ldap_uri", "must be a URI"))

        self.assertEqual(Path(located.source).name, "k.conf:1")
        self.assertEqual(found.locate(ConfigError("ldap_basedn", "is required")).source, "")


class WarningTests(SettingsTestCase):
    """What is allowed but doubtful."""

    def test_variable_that_is_no_option(self) -> None:
        """A typing error in a variable is told; what Kubernetes and the container image set is not."""
        found = self.load(
            ISS,
            "ldap",
            environ={
                "KONNECTD_SIGNING_KEY": "x",
                "KONNECTD_SERVICE_HOST": "10.0.0.1",
                "KONNECTD_PORT_8777_TCP": "x",
                "KONNECTD_DOCKER_SECRETS_PATH": "x",
                "KONNECTD_USER": "x",
                "KONNECTD_KC_SERVER_URI": "of another backend",
                "LICOD_ISS": "https://x.example",
                "LICOD_SIGNING_KID": "x",
                "PATH": "/bin",
            },
        )

        self.assertEqual(
            found.warnings,
            tuple(
                f"the environment variable {name} is not an option" for name in ("KONNECTD_SIGNING_KEY", "LICOD_ISS")
            ),
        )

    def test_environment_of_another(self) -> None:
        """Konnect's file was its environment; what no option of ours ever was is told, and stops nothing."""
        found = self.load(ISS, "ldap", file="LC_CTYPE=en_US.UTF-8\nGODEBUG = x\nhttps_proxy = http://proxy:3128\n")
        faults = self.faults(ISS, "ldap", file="LD_PRELOAD = /x.so\n")

        self.assertEqual(
            [line.partition("k.conf:")[2].partition(" has no effect")[0] for line in found.warnings],
            ["1: LC_CTYPE", "2: GODEBUG", "3: https_proxy"],
        )
        self.assertEqual(faults, ["k.conf:1: LD_PRELOAD: is not an option"])

    def test_proxy_on_the_way_out(self) -> None:
        """Konnect's went through one that variables named; that nothing here does is told."""
        found = self.load(ISS, "ldap", environ={"https_proxy": "http://proxy:3128", "HTTP_PROXY": "", "FTP_PROXY": "x"})

        self.assertEqual(
            found.warnings,
            ("the environment variable https_proxy has no effect: other servers are asked without a proxy",),
        )

    def test_insecure(self) -> None:
        """Certificates that are not checked are told of at each start."""
        self.assertIn("not checked", self.load(ISS, "--insecure", "ldap").warnings[0])

    def test_paths_that_differ(self) -> None:
        """An issuer with a path needs the base path, or a proxy that knows."""
        apart = self.load("--iss=https://id.example.com/sub", "ldap")
        together = self.load("--iss=https://id.example.com/sub/", "--uri-base-path=/sub", "ldap")

        self.assertIn("uri_base_path", apart.warnings[0])
        self.assertEqual(together.warnings, ())
