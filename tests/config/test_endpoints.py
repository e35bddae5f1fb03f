"""Further addresses of endpoints: which there are, and which can not be."""

from collections.abc import Mapping

from tests.config.cases import ISS, SettingsTestCase

AUTHORIZE, ENDSESSION = "--authorization-endpoint-uri=", "--endsession-endpoint-uri="
INNER = "/signin/v1/identifier/_/"


class EndpointTests(SettingsTestCase):
    """Konnect's options for its cookie and dummy managers."""

    def moved(self, *words: str) -> Mapping[str, str]:
        """Return where addresses send on to."""
        settings = self.load(ISS, *words)
        return settings.endpoints.moved(settings.paths)

    def test_only_the_path_counts(self) -> None:
        """A URL stands for its path, whatever its host is, as it did for Konnect."""
        for text in ("/login/authorize", "https://elsewhere.example/login/authorize", "http://x/login/authorize"):
            with self.subTest(text=text):
                self.assertEqual(self.moved("ldap", AUTHORIZE + text), {"/login/authorize": f"{INNER}authorize"})

    def test_both(self) -> None:
        """Each leads to its endpoint, below the base path."""
        self.assertEqual(
            self.moved("ldap", "--uri-base-path=/sub", f"{AUTHORIZE}/a", f"{ENDSESSION}/b"),
            {"/a": f"/sub{INNER}authorize", "/b": f"/sub{INNER}endsession"},
        )

    def test_of_the_cookie_backend(self) -> None:
        """With it Konnect had an address that nobody had to name; with others it had none."""
        cookie = ("cookie", "https://app.example/whoami")

        self.assertEqual(
            self.moved(*cookie, "--uri-base-path=/sub"), {"/sub/konnect/v1/authorize": f"/sub{INNER}authorize"}
        )
        self.assertEqual(self.moved(*cookie, f"{AUTHORIZE}/a"), {"/a": f"{INNER}authorize"})
        self.assertEqual(self.moved("ldap"), {})

    def test_where_it_is_anyway(self) -> None:
        """The address of the endpoint itself needs nothing."""
        self.assertEqual(self.moved("ldap", f"{AUTHORIZE}{INNER}authorize", f"{ENDSESSION}{INNER}endsession"), {})

    def test_taken(self) -> None:
        """Where something else answers, nothing can send on."""
        for path in ("/konnect/v1/token", "/health-check", "/healthz/live", "/signin/v1/static/x", f"{INNER}hello"):
            with self.subTest(path=path):
                self.assertEqual(
                    self.faults(ISS, "ldap", AUTHORIZE + path),
                    [f"command line: authorization_endpoint_uri: {path} is the address of something else"],
                )

    def test_twice(self) -> None:
        """One address can not lead to both."""
        self.assertEqual(
            self.faults(ISS, "ldap", f"{AUTHORIZE}/a", f"{ENDSESSION}/a"),
            ["command line: endsession_endpoint_uri: is the address of the authorization endpoint"],
        )

    def test_no_path(self) -> None:
        """What is no address is refused."""
        for text in (
            "authorize",
            "https://id.example.com",
            "https://id.example.com/",
            "/a?b",
            "/a#b",
            "/a b",
            "//x/y/",
        ):
            with self.subTest(text=text):
                (fault,) = self.faults(ISS, "ldap", f"{ENDSESSION}{text}")
                self.assertTrue(fault.startswith("command line: --endsession-endpoint-uri: must "), fault)
