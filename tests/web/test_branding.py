"""What an installation made its own: on every page, without a way for it to be more than words, pictures and colors."""

import re

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.protocol.branding import PLAIN, SVG_TYPE, Branding, LogoHeight, Naming
from konnectd.protocol.client_logo import Logo
from konnectd.protocol.color import Color
from konnectd.protocol.local_text import LocalText
from konnectd.protocol.palette import DARK, LIGHT
from konnectd.web.branding import Branded
from konnectd.web.static import StaticFiles
from tests.support.assembly import Daemon
from tests.support.branding import EVERYTHING, PICTURES, PREFIX, SVG, branded_page, served
from tests.support.fakes import run
from tests.support.files import write
from tests.support.logos import PNG
from tests.support.markup import elements, one, shape, text_of, xml_shape
from tests.support.rendering import STATIC, header, page
from tests.support.requests import NOTES
from tests.support.views import ACCOUNT, SAMPLES, SIGN_IN, WELCOME
from tests.web.test_hostile_text import HOSTILE

#: All a style sheet of ours consists of.
RULES = re.compile(
    r"(?:@media [a-z0-9:.() -]+ \{ )?(?::root|html) \{ "
    r"(?:(?:--)?[a-z-]+: (?:#[0-9a-f]{6}|[a-z]+|var\(--ground\) url\(\"/[A-Za-z0-9/._-]+\"\) [a-z/ -]+); )+\}(?: \})?"
)
PART = st.integers(0, 255)
COLORS = st.builds(Color, PART, PART, PART)


def css(branding: Branding) -> str:
    """Return the style sheet of a brand."""
    return served(branding)["brand.css"].content.decode()


class EveryPageTests(SynchronousTestCase):
    """What holds for each page of an installation that has everything of its own."""

    def test_well_formed(self) -> None:
        """HTML and XML readers see the same elements with the same attributes."""
        for brand in (EVERYTHING, PICTURES):
            for name, view in SAMPLES.items():
                body = branded_page(view, brand)

                self.assertEqual(xml_shape(body), shape(body), name)

    def test_nothing_inline_nothing_from_elsewhere(self) -> None:
        """There is no style inside, and all that is loaded is served by the daemon."""
        for brand in (EVERYTHING, PICTURES):
            known = {route.path for route in Branded.of(brand, STATIC, PREFIX).static.routes}
            for name, view in SAMPLES.items():
                if "logo" in name:
                    continue
                for element in elements(branded_page(view, brand)):
                    loaded = [element.attributes[key] for key in ("src", "srcset") if key in element.attributes]
                    loaded += [element.attributes["href"]] if element.name == "link" else []

                    self.assertFalse(element.name == "style" or "style" in element.attributes, name)
                    if element.name != "iframe":
                        self.assertLessEqual(set(loaded), known, f"{name}: {loaded}")

    def test_weight(self) -> None:
        """With everything but big pictures a sign-in page and all it loads weigh at most 40 kB."""
        loaded = sum(len(file.content) for file in Branded.of(EVERYTHING, STATIC, PREFIX).static.files.values())

        self.assertLessEqual(len(branded_page(SIGN_IN, EVERYTHING)) + loaded, 40_000)

    def test_nothing_said(self) -> None:
        """Where nobody said anything nothing more is served, and pages are ours."""
        self.assertEqual(served(PLAIN), {})
        self.assertIs(Branded.of(PLAIN, STATIC, PREFIX).static, STATIC)
        self.assertEqual(branded_page(SIGN_IN, PLAIN).count(b"stylesheet"), 1)


class PartsTests(SynchronousTestCase):
    """Each thing that can be said."""

    def test_name(self) -> None:
        """The name stands beside the title of every page, and in the place of a logo."""
        body = branded_page(WELCOME, Branding(name="Example"))

        self.assertEqual("".join(one(body, "title").text), "You are signed in · Example")
        self.assertTrue(text_of(body).startswith("Example You are signed in"))
        self.assertNotIn(b"logo", one(body, "p", **{"class": "masthead"}).path.encode())

    def test_logo(self) -> None:
        """A logo takes the place of ours, has the name for those who do not see it, and is the mark of the window."""
        body = branded_page(WELCOME, EVERYTHING)
        files = served(EVERYTHING)
        picture, dark = one(body, "img").attributes, one(body, "source").attributes

        self.assertEqual((picture["src"], picture["alt"]), (files["brand-logo.svg"].path, "Example University"))
        self.assertEqual(dark["srcset"], files["brand-logo-dark.svg"].path)
        self.assertEqual(dark["media"], "(prefers-color-scheme: dark)")
        self.assertEqual(one(body, "link", rel="icon").attributes["href"], files["brand-logo.svg"].path)
        self.assertNotIn(STATIC.url("logo.svg").encode(), body)

    def test_logo_leads_somewhere(self) -> None:
        """A logo that is a link opens a window of its own and has a name, whether the brand has one or not."""
        for name, said in (("Example", "Example"), ("", "Home page")):
            body = branded_page(WELCOME, evolve(EVERYTHING, name=name))
            link = one(body, "a", href="https://www.example.com/").attributes

            self.assertEqual((link["target"], link["rel"]), ("_blank", "noopener noreferrer"))
            self.assertEqual(one(body, "img").attributes["alt"], said)

    def test_logo_for_bright_screens_only(self) -> None:
        """Where there is no logo for dark screens the one there is stands on a plate there."""
        for brand, plate in ((PICTURES, True), (EVERYTHING, False)):
            found = [e.attributes["class"].split() for e in elements(branded_page(WELCOME, brand)) if e.name == "p"]

            self.assertEqual("plate" in found[0], plate)

    def test_height(self) -> None:
        """Each height has its class."""
        for height in LogoHeight:
            body = branded_page(WELCOME, evolve(EVERYTHING, logo_height=height))

            one(body, "p", **{"class": f"masthead {height}"})

    def test_foot(self) -> None:
        """The links stand at the foot of every page; those of the web open windows of their own."""
        for view in (SIGN_IN, ACCOUNT):
            links = [e for e in elements(branded_page(view, EVERYTHING)) if "/footer" in e.path and e.name == "a"]
            said = [("".join(e.text), e.attributes["href"], e.attributes.get("target")) for e in links]

            expected = [
                ("Help", EVERYTHING.help_uri, None),
                ("Privacy", EVERYTHING.privacy_uri, "_blank"),
                ("Imprint", EVERYTHING.imprint_uri, "_blank"),
            ]
            self.assertEqual(said, expected)

    def test_no_foot(self) -> None:
        """Where there is nothing to say there is no foot."""
        self.assertEqual([e for e in elements(branded_page(SIGN_IN, PLAIN)) if e.name == "footer"], [])

    def test_forgotten_password(self) -> None:
        """It stands on the sign-in page, where it is needed, and nowhere else."""
        for uri, target in (("https://www.example.com/password", "_blank"), ("tel:+49-30-1", None)):
            brand = Branding(forgotten_password_uri=uri)
            link = one(branded_page(SIGN_IN, brand), "a", href=uri)

            self.assertEqual("".join(link.text), "Forgotten your password?")
            self.assertEqual(link.attributes.get("target"), target)
            self.assertNotIn(uri.encode(), branded_page(WELCOME, brand))

    def test_sign_in_text(self) -> None:
        """The text is on the sign-in page, in the language of the page if it is there in that."""
        brand = Branding(sign_in_text=LocalText("Welcome", {"en": "Hello"}))

        self.assertIn("Hello", text_of(branded_page(SIGN_IN, brand)))
        self.assertNotIn("Welcome", text_of(branded_page(SIGN_IN, brand)))
        self.assertNotIn("Hello", text_of(branded_page(WELCOME, brand)))

    def test_username_label(self) -> None:
        """The field is called what it should be called."""
        labels: dict[Naming | str, str] = {
            Naming.USERNAME: "Username",
            Naming.EMAIL: "Email address",
            Naming.IDENTITY: "Username or email address",
            "Card <number>": "Card <number>",
        }
        for label, shown in labels.items():
            self.assertIn(f" {shown} Password", text_of(branded_page(SIGN_IN, Branding(username_label=label))))

    def test_text_of_client(self) -> None:
        """What a client has people told stands on its sign-in page, and on no other."""
        told = evolve(NOTES, client_id="told", sign_in_text=LocalText("Only for\nmembers <b>", {"de": "Nur"}))
        daemon = Daemon(clients=(NOTES, told))
        query = (
            "redirect_uri=https://notes.example.org/cb&response_type=code&scope=openid&nonce=n&code_challenge_method"
        )
        query += "=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        bodies = [
            daemon.get(f"/signin/v1/identifier?client_id={name}&{query}").body.decode() for name in ("told", "notes")
        ]

        self.assertIn("Only for\nmembers &lt;b&gt;", bodies[0])
        self.assertNotIn("Only for", bodies[1])


class StyleTests(SynchronousTestCase):
    """Colors and pictures behind pages, as a style sheet."""

    @given(COLORS, COLORS | st.none(), COLORS | st.none(), COLORS | st.none())
    @settings(max_examples=200)
    def test_only_rules(self, color: Color, dark: Color | None, behind: Color | None, night: Color | None) -> None:
        """Whatever the colors, the style sheet consists of nothing but rules of our own form."""
        text = css(Branding(color=color, color_dark=dark, background=behind, background_dark=night))
        for line in text.splitlines():
            self.assertIsNotNone(RULES.fullmatch(line), line)

    def test_picture_behind(self) -> None:
        """A picture is served under a name of ours, and is not loaded by small screens."""
        lines = css(PICTURES).splitlines()
        behind = [line for line in lines if "url(" in line]

        self.assertEqual(len(behind), 1)
        self.assertIn(f'url("{served(PICTURES)["brand-background.png"].path}")', behind[0])
        self.assertIn("min-width: 30.0625rem", behind[0])
        self.assertEqual([line for line in lines if RULES.fullmatch(line) is None], [])

    def test_color_behind(self) -> None:
        """A color counts for bright screens, its own for dark ones; text on each can be read."""
        text = css(Branding(background=Color.parse("#123456"), background_dark=Color.parse("#eeeeee")))

        self.assertIn("(prefers-color-scheme: light) { :root { --ground: #123456; --on-ground: #a9b5c2; } }", text)
        self.assertIn("(prefers-color-scheme: dark) { :root { --ground: #eeeeee; --on-ground: #4f5d6c; } }", text)

    def test_digest(self) -> None:
        """Another color is another address, so that browsers may keep the sheet for good."""
        paths = {served(Branding(color=Color.parse(text)))["brand.css"].path for text in ("#123456", "#654321")}

        self.assertEqual(len(paths), 2)

    def test_same_grounds(self) -> None:
        """The grounds that colors are held against are those of the style sheet of all pages."""
        text = STATIC.files["konnectd.css"].content.decode()
        bright, _, rest = text.partition("@media (prefers-color-scheme: dark)")
        for scheme, part in ((LIGHT, bright), (DARK, rest)):
            for name, color in (("card", scheme.card), ("ground", scheme.ground), ("quiet", scheme.quiet)):
                self.assertEqual(re.findall(rf"--{name}: (#\w+);", part), [color.css])


class HarmlessTests(SynchronousTestCase):
    """Nothing an operator writes is more than text, and no picture runs anything."""

    def test_texts(self) -> None:
        """Whatever is written in every text, the page has the same elements and attributes, for both readers."""
        expected = shape(branded_page(SIGN_IN, self.said("plain")))
        for text in HOSTILE:
            body = branded_page(SIGN_IN, self.said(text))

            self.assertEqual(shape(body), expected, text[:20])
            self.assertEqual(xml_shape(body), expected, text[:20])

    @staticmethod
    def said(text: str) -> Branding:
        """Return a brand with the same text everywhere."""
        return evolve(EVERYTHING, name=text, sign_in_text=LocalText(text), username_label=text)

    def test_text_of_client(self) -> None:
        """The same holds for the text of a client."""
        expected = shape(page(evolve(SIGN_IN, client_text=LocalText("plain"))))
        for text in HOSTILE:
            body = page(evolve(SIGN_IN, client_text=LocalText(text)))

            self.assertEqual((shape(body), xml_shape(body)), (expected, expected), text[:20])

    def test_svg(self) -> None:
        """Opened by itself an SVG logo may run nothing and load nothing, and nobody takes it for anything else."""
        logo = write(self, "logo.svg", SVG)
        daemon = Daemon(f"--brand-logo={logo}")
        path = next(route.path for route in daemon.assembly.routes if "/brand-logo." in route.path)
        answer = daemon.get(path)

        self.assertEqual(answer.body, SVG)
        self.assertEqual(answer.header("content-type"), SVG_TYPE)
        self.assertEqual(
            answer.header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        self.assertEqual(answer.header("x-content-type-options"), "nosniff")

    def test_names_of_files(self) -> None:
        """What is served is called after what it is, whatever the operator's file is called."""
        self.assertEqual(set(served(EVERYTHING)), {"brand-logo.svg", "brand-logo-dark.svg", "brand.css"})
        self.assertEqual(set(served(PICTURES)), {"brand-logo.png", "brand-background.png", "brand.css"})

    def test_kept_for_good(self) -> None:
        """All of it may be kept by browsers, and says so."""
        for file in served(PICTURES).values():
            answer = run(file.respond(HttpRequest(method="GET", path="/")))

            self.assertIn("immutable", header(answer, b"Cache-Control"))

    def test_ours_stay(self) -> None:
        """A brand's files take the place of none of ours."""
        found = Branded.of(evolve(PICTURES, logo=Logo(media_type="image/png", content=PNG)), STATIC, PREFIX).static

        self.assertEqual({name: found.files[name] for name in STATIC.files}, dict(STATIC.files))
        self.assertIsInstance(found, StaticFiles)
