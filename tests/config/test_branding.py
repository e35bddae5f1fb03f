"""Tests of the files that the options about pages name."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.branding import LARGEST_BACKGROUND, LARGEST_LOGO, read_branding
from konnectd.config.branding_options import BrandingSettings
from konnectd.option import ConfigErrors
from konnectd.protocol.branding import PLAIN, SVG_TYPE, Branding
from konnectd.protocol.color import WHITE
from tests.support.files import folder, write
from tests.support.logos import BEGINNINGS, PNG

SVG = b'<?xml version="1.0"?>\n<!-- ours --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


class BrandingTests(SynchronousTestCase):
    """What the files hold, or every fault of all of them."""

    def read(self, **options: object) -> Branding:
        """Read what some options name."""
        return read_branding(evolve(BrandingSettings(), **options))  # type: ignore[arg-type]

    def faults(self, **options: object) -> list[str]:
        """Return what is wrong, as an operator is told."""
        error: ConfigErrors = self.assertRaises(ConfigErrors, self.read, **options)
        return [str(fault) for fault in error.faults]

    def test_nothing(self) -> None:
        """Without a word nothing is read."""
        self.assertIs(self.read(), PLAIN)

    def test_pictures(self) -> None:
        """A picture is known by how it begins, whatever it is called."""
        for beginning, media_type in BEGINNINGS.items():
            file = write(self, "logo.txt", beginning)
            found = self.read(brand_logo=file, brand_logo_dark=file, brand_background=file)

            for picture in (found.logo, found.logo_dark, found.background):
                self.assertEqual(getattr(picture, "media_type", ""), media_type)

    def test_svg(self) -> None:
        """SVG is a logo, in the forms that drawing programs write."""
        for content in (SVG, b"\xef\xbb\xbf" + SVG, SVG.replace(b"\n", b"\r\n  "), SVG + b"\n<!-- end -->\n"):
            found = self.read(brand_logo=write(self, "logo.svg", content)).logo

            self.assertEqual(found and (found.media_type, found.content), (SVG_TYPE, content))

    def test_no_svg(self) -> None:
        """What only looks like SVG is refused, with what is wrong."""
        cases = (
            (b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>", "is no SVG"),
            (b"<svg/>", "is no SVG"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>\n<g></svg>", "mismatched tag in line 2"),
            (b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'/>", "document type"),
            (b"&<svg", "is no well-formed SVG"),
        )
        for content, words in cases:
            with self.subTest(content=content):
                self.assertIn(words, self.faults(brand_logo=write(self, "logo.svg", content))[0])

    def test_no_picture(self) -> None:
        """Anything else is no logo, and SVG is nothing to put behind a page."""
        for content in (b"", b"<html>", b"BM6", b"%PDF-1.7"):
            self.assertIn("no picture of a kind", self.faults(brand_logo=write(self, "logo.png", content))[0])
        self.assertIn("PNG, JPEG, GIF or WebP", self.faults(brand_background=write(self, "b.svg", SVG))[0])

    def test_too_large(self) -> None:
        """A file beyond the limit is refused."""
        for option, largest in (("brand_logo", LARGEST_LOGO), ("brand_background", LARGEST_BACKGROUND)):
            self.read(**{option: write(self, "p.png", PNG.ljust(largest, b"\0"))})
            faults = self.faults(**{option: write(self, "p.png", PNG.ljust(largest + 1, b"\0"))})

            self.assertIn(f"is larger than {largest // 1024} KiB", faults[0])

    def test_missing(self) -> None:
        """Each file that is not there is told, all at once."""
        nothing = folder(self) / "absent"
        faults = self.faults(
            brand_logo=nothing,
            brand_logo_dark=nothing,
            brand_background=nothing,
            sign_in_texts=nothing,
            templates_path=nothing,
        )

        self.assertEqual(len(faults), 5)

    def test_alone(self) -> None:
        """What would do nothing without something else is refused."""
        self.assertEqual(self.faults(brand_color_dark=WHITE), ["brand_color_dark: needs brand_color"])
        self.assertEqual(self.faults(brand_logo_uri="https://a/"), ["brand_logo_uri: needs brand_logo"])
        self.assertIn("brand_logo_dark: needs brand_logo", self.faults(brand_logo_dark=write(self, "l.png", PNG)))

    def test_texts(self) -> None:
        """The text below the form is in as many languages as somebody wrote it in."""
        file = write(self, "texts.yaml", "de: Willkommen\npt_BR: |\n  Bem\n  vindo\n")
        text = self.read(sign_in_text="Welcome", sign_in_texts=file).sign_in_text

        shown = [text.in_language(tag) for tag in ("en", "de-AT", "pt-BR", "pt")]
        self.assertEqual(shown, ["Welcome", "Willkommen", "Bem\nvindo", "Welcome"])

    def test_broken_texts(self) -> None:
        """What is wrong in that file is told with its line."""
        file = write(self, "texts.yaml", "de: a\n'12': b\nfr: [c]\nit: \"a\\u202Eb\"\nnl: " + "x" * 1001 + "\n")
        faults = self.faults(sign_in_texts=file)

        self.assertEqual([fault.split(": ")[0].rpartition(":")[2] for fault in faults], ["2", "3", "4", "5"])
        self.assertIn("is not YAML", self.faults(sign_in_texts=write(self, "t.yaml", "de: 'a"))[0])
