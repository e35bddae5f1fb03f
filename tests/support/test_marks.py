"""Marks are found in whatever form they turn up, and nowhere else."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.support.keys import p256_key, rsa_key
from tests.support.marks import SHORTEST, Marks, mark

SECRET = mark("a test") + '/"\\\u00e4'


class FormTests(SynchronousTestCase):
    """One secret, in one form each."""

    def setUp(self) -> None:
        """Know of a secret."""
        self.marks = Marks()
        self.marks.add("thing", SECRET)

    def assert_found(self, content: str | bytes) -> None:
        """The secret is in there."""
        self.assertEqual(self.marks.found(content), {"thing"}, content)

    def test_as_it_is(self) -> None:
        """In the middle of text, or of bytes."""
        self.assert_found(f"x{SECRET}y")
        self.assert_found(b"\xff" + SECRET.encode() + b"\xff")

    def test_in_an_address(self) -> None:
        """In an address or a form, by either alphabet."""
        self.assert_found(quote(SECRET, safe=""))
        self.assert_found(urlencode({"a": SECRET}))

    def test_in_json(self) -> None:
        """In JSON."""
        self.assert_found(json.dumps({"a": SECRET}))

    def test_in_digits(self) -> None:
        """In hexadecimal digits."""
        self.assert_found(SECRET.encode().hex())
        self.assert_found(SECRET.encode().hex().upper())

    def test_in_base64(self) -> None:
        """In base64 of both alphabets, wherever in it."""
        for before in ("", "a", "ab", "abc"):
            for after in ("", "a", "ab"):
                content = f"{before}{SECRET}{after}".encode()
                self.assert_found(b64encode(content))
                self.assert_found(urlsafe_b64encode(content).rstrip(b"="))


class MarkTests(SynchronousTestCase):
    """Many secrets."""

    @given(st.binary(max_size=200))
    def test_nothing(self, content: bytes) -> None:
        """What has no mark in it is clean."""
        marks = Marks()
        marks.add("thing", SECRET)

        self.assertEqual(marks.found(content), set())

    def test_kinds(self) -> None:
        """Each is told by its kind, and what is let pass is."""
        marks = Marks()
        marks.add("one", mark("1"), mark("2"))
        marks.add("other", mark("3"), "x" * (SHORTEST - 1))

        self.assertEqual(marks.found(f"{mark('2')} {mark('3')} xxxxxxx"), {"one", "other"})
        self.assertEqual(marks.found(f"{mark('2')} {mark('3')}", but={"one"}), {"other"})
        self.assertEqual(marks.kinds, {"one": 2, "other": 1})

    def test_keys(self) -> None:
        """A key is found by any number of it, and not by what is public."""
        for key in (rsa_key(), p256_key()):
            marks = Marks()
            marks.add_key("key", key)
            numbers = key.key.private_numbers()
            private = numbers.d if key.kty == "RSA" else numbers.private_value  # type: ignore[union-attr] # by kty
            jwk = urlsafe_b64encode(private.to_bytes((private.bit_length() + 7) // 8, "big")).rstrip(b"=")

            self.assertEqual(marks.found(b'{"d":"' + jwk + b'"}'), {"key"})
            self.assertEqual(marks.found(json.dumps(key.public.to_jwk())), set())

    def test_tokens(self) -> None:
        """A token is found by its content or its signature alone, but its header is everybody's."""
        marks = Marks()
        marks.add_token("token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl")

        self.assertEqual(marks.found("c2lnbmF0dXJl"), {"token"})
        self.assertEqual(marks.found("eyJhbGciOiJub25lIn0"), set())
