"""Tests of what counts as a client's logo. Spec: OIDC Registration 2."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client_logo import Logo, logo_address
from tests.support.logos import BEGINNINGS, PNG
from tests.support.requests import MAIL

#: What somebody might publish as a logo and browsers must not be given.
NO_PICTURES = (
    b"",
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"<?xml version='1.0'?><svg/>",
    b"<!DOCTYPE html><title>Sign in</title>",
    b"\x00\x00\x01\x00",
    b"BM\x36\x00\x00\x00",
    b"%PDF-1.7",
    b"\x1f\x8b\x08\x00",
    b"\x89PNG\n",
    b"\xff\xd8",
    b"GIF88a",
    b"RIFF\x24\x00\x00\x00WAVEfmt ",
    b"RIFX\x00\x00\x00\x24WEBPVP8 ",
    b"RIFFWEBP",
    b" " + PNG,
    b"\xef\xbb\xbf" + PNG,
)


class PictureTests(SynchronousTestCase):
    """What is a picture."""

    def test_kinds(self) -> None:
        """PNG, JPEG, GIF and WebP are known by how they begin."""
        for beginning, media_type in BEGINNINGS.items():
            logo = Logo.find(beginning)

            self.assertEqual(logo, Logo(media_type=media_type, content=beginning))

    def test_nothing_else(self) -> None:
        """A document, a picture that can hold scripts, half a picture and something before one are none."""
        for content in NO_PICTURES:
            self.assertIsNone(Logo.find(content), content)

    @settings(deadline=None)
    @given(beginning=st.sampled_from(sorted(BEGINNINGS)), rest=st.binary(max_size=64))
    def test_rest_is_not_looked_at(self, beginning: bytes, rest: bytes) -> None:
        """What follows the beginning changes neither the kind nor the bytes that are handed on."""
        logo = Logo.find(beginning + rest)

        self.assertEqual(logo, Logo(media_type=BEGINNINGS[beginning], content=beginning + rest))

    @settings(deadline=None)
    @given(content=st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
    def test_only_with_a_beginning(self, content: bytes) -> None:
        """Whatever is a picture begins like one of the four kinds, and is called what it is."""
        logo = Logo.find(content)
        kinds = {
            "image/png": content[:8] == PNG[:8],
            "image/jpeg": content[:3] == b"\xff\xd8\xff",
            "image/gif": content[:6] in {b"GIF87a", b"GIF89a"},
            "image/webp": content[:4] + content[8:12] == b"RIFFWEBP",
        }

        self.assertEqual([logo.media_type] if logo is not None else [], [kind for kind, fits in kinds.items() if fits])

    def test_content_is_not_shown(self) -> None:
        """No log shows the bytes of a picture."""
        self.assertNotIn("PNG", repr(Logo.find(PNG)))


class AddressTests(SynchronousTestCase):
    """Where a logo may be fetched."""

    def test_https(self) -> None:
        """Only at an https address, however it is written."""
        for address in ("https://a.example/logo.png", "HTTPS://a.example/"):
            self.assertEqual(logo_address(evolve(MAIL, logo_uri=address)), address)

    def test_none(self) -> None:
        """Nothing, plain http and everything that only looks like an address count as none."""
        for address in ("", "http://a.example/logo.png", "data:image/png;base64,AAAA", "//a.example/", "https:/a"):
            self.assertEqual(logo_address(evolve(MAIL, logo_uri=address)), "")
