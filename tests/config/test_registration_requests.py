"""What an operator says of the requests a client makes."""

from tests.config.test_registration import RegistrationTestCase


class RequestTests(RegistrationTestCase):
    """Keys of an entry that speak of requests."""

    CALLBACK = "redirect_uris: ['https://a.example.com/cb']"

    def test_nothing_said(self) -> None:
        """Without a word nothing can be fetched, and nothing is demanded."""
        client = self.client(self.CALLBACK)

        self.assertEqual(client.request_uris, ())
        self.assertFalse(client.require_signed_request_object or client.require_pushed_authorization_requests)

    def test_all_keys(self) -> None:
        """Each of them is kept, an address with its fragment."""
        client = self.client(
            f"{self.CALLBACK}, request_uris: ['https://a.example.com/r#1', 'https://a.example.com/r#1'],"
            " require_signed_request_object: yes, require_pushed_authorization_requests: yes"
        )

        self.assertEqual(client.request_uris, ("https://a.example.com/r#1",))
        self.assertTrue(client.require_signed_request_object and client.require_pushed_authorization_requests)
        self.assertEqual(self.warnings, [])

    def test_addresses(self) -> None:
        """What is no address on the web, or not by TLS, stops the start."""
        for uri in (
            "http://a.example.com/r",
            "file:///etc/passwd",
            "/r",
            "https://user@a.example.com/r",
            "https://a.example.com/a b",
            "urn:ietf:params:oauth:request_uri:x",
        ):
            problem = self.problem(f"{self.CALLBACK}, request_uris: ['{uri}']")
            self.assertEqual(
                problem, "request_uris: must begin with https://, and have no user name and no blanks", uri
            )

    def test_implicit_scopes(self) -> None:
        """Scopes are kept once each, and what is none stops the start."""
        client = self.client(f"{self.CALLBACK}, implicit_scopes: [groups, konnect/id, groups]")
        problem = self.problem(f"{self.CALLBACK}, implicit_scopes: ['a b']")

        self.assertEqual(client.implicit_scopes, ("groups", "konnect/id"))
        self.assertEqual(problem, "implicit_scopes: must be a scope without blanks, quotes and backslashes, not 'a b'")

    def test_length(self) -> None:
        """A longer address could never be sent."""
        problem = self.problem(f"{self.CALLBACK}, request_uris: ['https://a.example.com/{'r' * 500}']")

        self.assertEqual(problem, "request_uris: must have at most 512 characters")

    def test_insecure(self) -> None:
        """Not even for trying things out is an address without TLS good: it would never be asked."""
        problem = self.problem(f"{self.CALLBACK}, insecure: yes, request_uris: ['http://localhost/r']")

        self.assertIn("must begin with https://", problem)

    def test_signed_by_nobody(self) -> None:
        """Requests can not be signed and unsigned."""
        problem = self.problem(f"{self.CALLBACK}, require_signed_request_object: yes, request_object_signing_alg: none")

        self.assertEqual(problem, "require_signed_request_object: does not go with request_object_signing_alg: none")
