"""Languages: which one a browser gets, and which catalogues are refused."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import evolve
from babel import Locale as Culture
from babel import localedata
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.protocol.local_text import LocalText
from konnectd.web import texts
from konnectd.web.locales import NAMES, BrokenCatalogError, Locale, Locales, UnknownLanguageError, direction
from konnectd.web.pages import Pages
from konnectd.web.templates_path import find_templates
from konnectd.web.views import ScopeLine, SignedOutPage, View
from tests.support.fakes import CountingEntropy
from tests.support.markup import elements, one, shape, text_of
from tests.support.rendering import GET, PAGES, STATIC, header, page
from tests.support.views import CONSENT, SAMPLES, SIGN_IN, SIGNED_OUT

HEADER = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
PLURALS = '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
GERMAN = 'msgid "Sign in"\nmsgstr "Anmelden"\n\nmsgid "Back to <bdi>%(name)s</bdi>"\nmsgstr "Zu <bdi>%(name)s</bdi>"\n'
TRIES = 'msgid "%(n)s try"\nmsgid_plural "%(n)s tries"\nmsgstr[0] "%(n)s Mal"\nmsgstr[1] "%(n)s Male"\n'
HEBREW = 'msgid "Sign in"\nmsgstr "\u05db\u05e0\u05d9\u05e1\u05d4"\n'


class CatalogCase(SynchronousTestCase):
    """Has a copy of the templates without languages, to add some to."""

    def setUp(self) -> None:
        """Make the copy."""
        self.folder = Path(tempfile.mkdtemp()) / "templates"
        self.addCleanup(shutil.rmtree, self.folder.parent)
        shutil.copytree(find_templates(), self.folder, ignore=shutil.ignore_patterns("locale"))

    def add(self, tag: str, text: str) -> Path:
        """Add a catalogue."""
        file = self.folder / "locale" / tag / "LC_MESSAGES" / "konnectd.po"
        file.parent.mkdir(parents=True)
        file.write_text(HEADER + (text if text.startswith('"') else f"\n{text}"), "utf-8")
        return file

    def pages(self) -> Pages:
        """Make pages of the copy."""
        return Pages(self.folder, static=STATIC, entropy=CountingEntropy())


def request(accept: str = "", cookie: str = "") -> HttpRequest:
    """Make a request of a browser with preferences."""
    return HttpRequest(method="GET", path="/", headers={"accept-language": accept, "cookie": cookie})


class TranslationTests(CatalogCase):
    """Pages in another language."""

    def test_translated(self) -> None:
        """A page is in the browser's language and says so; what is not translated stays English."""
        self.add("de", GERMAN)
        response = self.pages().render(SIGN_IN, request("de"))

        self.assertEqual("".join(one(response.body, "h1").text), "Anmelden")
        self.assertEqual(elements(response.body)[0].attributes["lang"], "de")
        self.assertEqual(header(response, b"Content-Language"), "de")
        self.assertIn("Password", text_of(response.body))

    def test_names_are_filled_in(self) -> None:
        """Names find their place in a translation, and stay text."""
        self.add("de", GERMAN)
        body = self.pages().render(SIGNED_OUT, request("de")).body

        self.assertIn("Zu Notes", text_of(body))
        self.assertEqual(shape(body), shape(page(SIGNED_OUT)))

    def test_right_to_left(self) -> None:
        """A language that is written from the right says so."""
        self.add("he", HEBREW)
        body = self.pages().render(SIGN_IN, request("he")).body

        self.assertEqual(elements(body)[0].attributes["dir"], "rtl")

    def test_number(self) -> None:
        """A text that depends on a number has the form that fits, in each language."""
        self.add(
            "de",
            PLURALS + 'msgid "%(n)s try"\nmsgid_plural "%(n)s tries"\nmsgstr[0] "%(n)s Mal"\nmsgstr[1] "%(n)s Male"\n',
        )
        text = "{% trans n=page.return_uri|length %}{{ n }} try{% pluralize %}{{ n }} tries{% endtrans %}"
        (self.folder / "signed_out.html").write_text(f"<html><body>{text}</body></html>", "utf-8")
        pages = self.pages()
        views = SignedOutPage(return_uri="x"), SignedOutPage(return_uri="xx")
        read = [text_of(pages.render(view, request(tag)).body) for tag in ("de", "en") for view in views]

        self.assertEqual(read, ["1 Mal", "2 Male", "1 try", "2 tries"])

    def test_two_languages_at_once(self) -> None:
        """Two people with the same page open read it in their own language."""
        self.add("de", GERMAN)
        pages = self.pages()
        titles = ["".join(one(pages.render(SIGN_IN, request(tag)).body, "h1").text) for tag in ("de", "en", "de")]

        self.assertEqual(titles, ["Anmelden", "Sign in", "Anmelden"])

    def test_same_elements(self) -> None:
        """In every language each page has the same elements; words are all that differs."""
        for tag in NAMES:
            for name, view in SAMPLES.items():
                body = PAGES.render(view, GET, ui_locales=tag).body

                self.assertEqual(shape(body), shape(page(view)), f"{tag}: {name}")

    def test_every_word(self) -> None:
        """No page has a word of English left in another language, but for what people wrote themselves."""
        left = {
            text for text in texts.NAMINGS.values() for tag in ("hi", "ja", "ru") if text in self.read(SIGN_IN, tag)
        }
        found = [word for tag in ("hi", "ja", "ru") for word in ("Password", "Sign") if word in self.read(SIGN_IN, tag)]

        self.assertEqual((left, found), (set(), []))

    def read(self, view: View, tag: str) -> str:
        """Return what there is to read on a page in a language."""
        return text_of(PAGES.render(view, GET, ui_locales=tag).body)

    def test_three_forms(self) -> None:
        """A language that counts otherwise than English uses its own forms."""
        plurals = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2)"
        forms = "".join(f'msgstr[{number}] "%(n)s form {number}"\n' for number in range(3))
        self.add("ru", f'"Plural-Forms: {plurals};\\n"\n\nmsgid "%(n)s try"\nmsgid_plural "%(n)s tries"\n{forms}')
        locale = Locale.read(self.folder / "locale" / "ru")
        found = [locale.ngettext("%(n)s try", "%(n)s tries", number)[-1] for number in (1, 3, 5, 21)]

        self.assertEqual(found, ["0", "1", "2", "0"])

    def test_scope_descriptions(self) -> None:
        """What an operator wrote about a scope in several languages is shown in that of the page."""
        line = ScopeLine(description=LocalText("Your calendar", {"de": "Ihr Kalender"}), token="calendar")
        view = evolve(CONSENT, lines=(line,))
        shown = [self.read(view, tag) for tag in ("de", "fr")]

        self.assertIn("Ihr Kalender", shown[0])
        self.assertIn("Your calendar", shown[1])


class OperatorTests(CatalogCase):
    """Catalogues of an operator, laid over ours."""

    def setUp(self) -> None:
        """Have a folder for them."""
        super().setUp()
        self.over = self.folder.parent / "over"

    def lay(self, tag: str, text: str) -> Path:
        """Write one."""
        file = self.over / "locale" / tag / "LC_MESSAGES" / "konnectd.po"
        file.parent.mkdir(parents=True)
        file.write_text(f"{HEADER}\n{text}", "utf-8")
        return file

    def locales(self) -> Locales:
        """Read them, and ours."""
        return Locales.read(find_templates() / "locale", self.over / "locale")

    def test_over_ours(self) -> None:
        """What they translate counts; what they leave out is ours."""
        self.lay("de", 'msgid "Sign in"\nmsgstr "Hereinspaziert"\n')
        german = self.locales().by_tag["de"]

        self.assertEqual((german.gettext("Sign in"), german.gettext("Allow")), ("Hereinspaziert", "Erlauben"))

    def test_of_one_more_language(self) -> None:
        """A language that we do not have is called what it calls itself."""
        self.lay("cy", 'msgid "Sign in"\nmsgstr "Mewngofnodi"\n')
        welsh = self.locales().by_tag["cy"]

        self.assertEqual((welsh.name, welsh.gettext("Sign in")), ("Cymraeg", "Mewngofnodi"))

    def test_text_counts(self) -> None:
        """What a program has compiled beside a text is not looked at: only the text was checked."""
        file = self.lay("de", 'msgid "Sign in"\nmsgstr "Hereinspaziert"\n')
        file.with_suffix(".mo").write_bytes(b"nothing that could be read")

        self.assertEqual(self.locales().by_tag["de"].gettext("Sign in"), "Hereinspaziert")


class DirectionTests(SynchronousTestCase):
    """How languages are written."""

    def test_all(self) -> None:
        """It is known of every language there is; one that is written downwards is no business of a browser's."""
        known = {tag: Culture.parse(tag).text_direction for tag in localedata.locale_identifiers() if tag != "root"}
        wrong = [tag for tag, way in known.items() if direction(tag.replace("_", "-")) != way and way != "ttb"]

        self.assertEqual((wrong, len(known) > 500), ([], True))

    def test_nothing_is_loaded(self) -> None:
        """Reading our catalogues takes nothing of Babel, which would be a tenth of the start."""
        code = (
            "import sys; from pathlib import Path; from konnectd.web.locales import Locales; "
            "found = Locales.read(Path(sys.argv[1])); text = found.by_tag['de'].gettext('Sign in'); "
            "sys.exit(9 if 'babel' in sys.modules else 0 if text == 'Anmelden' else 8)"
        )
        words = (sys.executable, "-c", code, str(find_templates() / "locale"))

        self.assertEqual(subprocess.run(words, timeout=60, check=False).returncode, 0)


class ChoiceTests(CatalogCase):
    """The order of wishes."""

    def setUp(self) -> None:
        """Have five languages besides English."""
        super().setUp()
        for tag in ("de", "fr", "nb", "pt-PT", "zh_Hant_TW"):
            self.add(tag, "")
        self.locales = Locales.read(self.folder / "locale")

    def choose(self, accept: str = "", cookie: str = "", ui_locales: str = "") -> str:
        """Return the tag of the language that is chosen."""
        return self.locales.choose(request(accept, cookie), ui_locales).tag

    def test_order(self) -> None:
        """The client's wish goes first, then the cookie, then the browser, then English."""
        self.assertEqual(self.choose("de", "ui_locale=fr", "pt-PT"), "pt-PT")
        self.assertEqual(self.choose("de", "ui_locale=fr"), "fr")
        self.assertEqual(self.choose("de"), "de")
        self.assertEqual(self.choose(), "en")

    def test_unknown_wishes_are_passed_over(self) -> None:
        """A wish nobody can fulfil leaves the turn to the next one."""
        self.assertEqual(self.choose("tlh, de", "ui_locale=xx", "nl sv"), "de")

    def test_closest(self) -> None:
        """A variant that is missing is replaced by the language, or by another variant of it."""
        cases = {
            "de-AT": "de",
            "DE_ch": "de",
            "pt-BR": "pt-PT",
            "pt": "pt-PT",
            "zh-Hant-TW": "zh-Hant-TW",
            "zh": "zh-Hant-TW",
            "no": "nb",
            "nn-NO": "nb",
            "en-AU": "en",
            "d": "en",
            "../../etc": "en",
        }
        for tag, chosen in cases.items():
            self.assertEqual(self.choose(ui_locales=tag), chosen, tag)

    def test_english_first(self) -> None:
        """Somebody who prefers a variant of English gets English, not their second language."""
        self.assertEqual(self.choose("en-AU, de;q=0.9"), "en")

    def test_weights(self) -> None:
        """The browser's weights count; what it refuses or garbles does not."""
        cases = {
            "de;q=0.5, fr;q=0.9": "fr",
            "de;q=0": "en",
            "de;q=x": "en",
            "de;q=x, fr;q=0.1": "fr",
            "de;q=2, fr;q=0.1": "fr",
            "de ; Q=1.000 , fr": "de",
            "*, fr;q=0.2": "fr",
            ",,;;q=,": "en",
            "de;q=0.5,fr;q=0.5": "de",
        }
        for accept, chosen in cases.items():
            self.assertEqual(self.choose(accept), chosen, accept)

    def test_long_list(self) -> None:
        """Only the beginning of an endless list is looked at."""
        self.assertEqual(self.choose(",".join(["xx"] * 5000) + ",de"), "en")

    @settings(deadline=None, max_examples=100)
    @given(st.text(), st.text(), st.text())
    def test_anything(self, accept: str, cookie: str, ui_locales: str) -> None:
        """Whatever is wished for, there is a language."""
        self.assertIn(self.locales.choose(request(accept, cookie), ui_locales), self.locales.by_tag.values())

    def test_own_choice(self) -> None:
        """What somebody chose on one of our pages counts for more than what anybody else wishes for them."""
        for cookie in ("KKUL=fr", "__Secure-KKUL=fr"):
            self.assertEqual(self.choose("de", f"ui_locale=de; {cookie}", "pt-PT"), "fr")

    def test_some(self) -> None:
        """An operator who wants some languages only gets these, the first one for all who want none of them."""
        self.locales = self.locales.only(("fr", "pt_PT"))
        chosen = [self.choose(ui_locales=tag) for tag in ("de", "en", "pt", "fr", "")]

        self.assertEqual(chosen, ["fr", "fr", "pt-PT", "fr", "fr"])

    def test_some_that_are_not_there(self) -> None:
        """A language without pages is refused, with those that there are."""
        error = self.assertRaises(UnknownLanguageError, self.locales.only, ("de", "tlh"))

        self.assertEqual(str(error), "there are no pages in 'tlh', but in de, en, fr, nb, pt-PT, zh-Hant-TW")


class NameTests(SynchronousTestCase):
    """What languages are called."""

    def test_names(self) -> None:
        """Each of ours is called what it calls itself; of Portuguese there is one, so nobody needs to be told which."""
        known = {tag: Culture.parse(tag, sep="-").get_display_name() or "" for tag in NAMES}
        known["pt-PT"] = known["pt-PT"].partition(" (")[0]

        self.assertEqual(NAMES, {tag: name[:1].upper() + name[1:] for tag, name in known.items()})


class BrokenCatalogTests(CatalogCase):
    """A catalogue that would spoil pages stops the start and is named."""

    def refuse(self, text: str, tag: str = "de") -> BrokenCatalogError:
        """Return the complaint about a catalogue."""
        self.add(tag, text)
        return self.assertRaises(BrokenCatalogError, self.pages)

    def test_placeholders(self) -> None:
        """A translation that forgets or invents a placeholder is refused with its line."""
        error = self.refuse('msgid "Back to <bdi>%(name)s</bdi>"\nmsgstr "Zu <bdi>%(nam)s</bdi>"\n')

        self.assertTrue(error.source.endswith("konnectd.po:6"), error.source)
        self.assertIn("Back to", error.problem)

    def test_markup(self) -> None:
        """So is one that changes markup."""
        translations = ("A<b>", "<script>x</script>", "A & B", "&amp;", "<", "A > B")
        for tag, translation in zip(("de", "fr", "nl", "sv", "da", "fi"), translations, strict=True):
            self.add(tag, f'msgid "Allow"\nmsgstr "{translation}"\n')

            self.assertRaises(BrokenCatalogError, Locale.read, self.folder / "locale" / tag)

    def test_percent(self) -> None:
        """So is a lone percent sign, which would take what follows it for a placeholder."""
        self.refuse('msgid "Allow"\nmsgstr "100 % ja"\n')

    def test_plurals(self) -> None:
        """So is one with plurals that does not say how its language counts; one without them need not say it."""
        self.assertIn("Plural-Forms", self.refuse(TRIES).problem)

    def test_syntax(self) -> None:
        """A file that is no catalogue is refused."""
        self.refuse('msgid "Allow\n')

    def test_name(self) -> None:
        """A folder that is not named after a language is refused."""
        self.assertIn("klingon-x", self.refuse("", "klingon-x").source)

    def test_missing(self) -> None:
        """A folder without a catalogue is refused."""
        (self.folder / "locale" / "nl").mkdir(parents=True)

        self.assertIn("nl", self.assertRaises(BrokenCatalogError, self.pages).source)

    def test_markup_may_move(self) -> None:
        """A translation may order its words as its language wants."""
        self.add("de", 'msgid "to continue to <bdi>%(name)s</bdi>"\nmsgstr "um zu <bdi>%(name)s</bdi> zu kommen"\n')

        self.assertIn("um zu Notes zu kommen", text_of(self.pages().render(SIGN_IN, request("de")).body))

    def test_without_any(self) -> None:
        """Without a single catalogue the pages are English."""
        self.assertEqual(self.pages().render(SIGN_IN, GET).status, 200)
