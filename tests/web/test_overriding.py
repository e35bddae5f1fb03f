"""A folder of an operator's whose files take the place of ours: what it can do, and that mistakes are told at start."""

from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.http import HttpRequest
from konnectd.option import ConfigErrors
from konnectd.protocol.branding import PLAIN
from konnectd.service import make_service
from konnectd.web.branding import Branded
from konnectd.web.every_view import EVERY_VIEW
from konnectd.web.pages import Pages
from konnectd.web.templates_path import find_templates
from konnectd.web.trial import samples
from konnectd.web.views import ErrorPage, SignInFault, SignInPage, View
from tests.support.branding import PREFIX
from tests.support.fakes import CountingEntropy, run
from tests.support.files import folder, write
from tests.support.keys import quick_hash
from tests.support.logos import PNG
from tests.support.markup import one, text_of
from tests.support.rendering import GET, STATIC, page
from tests.support.views import SAMPLES, SIGN_IN, WELCOME

#: What stands in front of the texts of a catalogue.
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
FIELDS = '<input name="username" /><input name="password" />'


def whole(content: str) -> str:
    """Return a template of a page whose form has the token and some content."""
    form = '<form method="post" action="{{ page.action }}"><input name="csrf" value="{{ page.csrf }}" />'
    blocks = "{% block title %}x{% endblock %}{% block main %}"
    return f'{{% extends "layout.html" %}}{blocks}{form}{content}</form>{{% endblock %}}'


def foot(content: str) -> str:
    """Return a layout that is ours but for its foot."""
    return f'{{% extends "original/layout.html" %}}{{% block foot %}}{content}{{% endblock %}}'


class OverCase(SynchronousTestCase):
    """Has an empty folder of an operator's."""

    def setUp(self) -> None:
        """Make it."""
        self.over = folder(self)

    def put(self, name: str, content: str | bytes) -> Path:
        """Put a file into the folder."""
        file = self.over / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def pages(self) -> Pages:
        """Make pages of our templates and the folder."""
        templates = find_templates()
        look = Branded.read(PLAIN, templates, self.over, PREFIX)
        return Pages(templates, static=look.static, entropy=CountingEntropy(), brand=look.brand, over=self.over)

    def shown(self, view: View, language: str = "") -> bytes:
        """Return the bytes of a page."""
        request = HttpRequest(method="GET", path="/", headers={"accept-language": language})
        return self.pages().render(view, request).body


class OverridingTests(OverCase):
    """What the folder can do."""

    def test_empty(self) -> None:
        """An empty folder changes nothing."""
        pages = self.pages()
        for view in SAMPLES.values():
            self.assertEqual(text_of(pages.render(view, GET).body), text_of(page(view)))

    def test_page(self) -> None:
        """A page takes the place of ours, and the other pages stay."""
        self.put("signin.html", whole(f"Hello{FIELDS}"))

        self.assertEqual(text_of(self.shown(SIGN_IN)), "Hello")
        self.assertEqual(text_of(self.shown(WELCOME)), text_of(page(WELCOME)))

    def test_layout(self) -> None:
        """What pages share takes the place of ours on all of them."""
        ours = (find_templates() / "layout.html").read_text("utf-8")
        self.put("layout.html", ours.replace("<main>", "<p>Ours</p><main>"))

        for view in (SIGN_IN, WELCOME):
            self.assertTrue(text_of(self.shown(view)).startswith("Ours"))

    def test_part_of_a_page(self) -> None:
        """A template can extend the one it takes the place of, and change a part."""
        self.put("welcome.html", '{% extends "original/welcome.html" %}{% block title %}Servus{% endblock %}')
        body = self.shown(WELCOME)

        self.assertEqual("".join(one(body, "title").text), "Servus")
        self.assertEqual(text_of(body), text_of(page(WELCOME)))

    def test_further_template(self) -> None:
        """A template that another one uses may be there, whatever it is called."""
        self.put("layout.html", foot('{% include "address.html" %}'))
        self.put("address.html", "<footer>Main Street 1</footer>")

        self.assertIn("Main Street 1", text_of(self.shown(SIGN_IN)))

    def test_static_files(self) -> None:
        """Static files take the place of ours under addresses of their own, and further ones can be named."""
        self.put("static/logo.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.put("static/photo.jpg", b"\xff\xd8\xff")
        self.put("layout.html", foot('<img src="{{ static("photo.jpg") }}" alt="" />'))
        look = Branded.read(PLAIN, find_templates(), self.over, PREFIX)

        self.assertNotEqual(look.static.url("logo.svg"), STATIC.url("logo.svg"))
        self.assertEqual(look.static.url("konnectd.css"), STATIC.url("konnectd.css"))
        self.assertIn(look.static.url("photo.jpg").encode(), self.shown(SIGN_IN))
        answer = run(look.static.files["photo.jpg"].respond(GET))
        self.assertIn((b"Content-Type", b"image/jpeg"), answer.headers)

    def test_catalog(self) -> None:
        """The texts of a catalogue win in its language; what it does not have is ours."""
        self.put("locale/en/LC_MESSAGES/konnectd.po", HEADER + 'msgid "Password"\nmsgstr "PIN"\n')
        text = text_of(self.shown(SIGN_IN))

        self.assertIn("Username PIN", text)
        self.assertTrue(text.startswith("Sign in"))

    def test_further_language(self) -> None:
        """A language that we do not have can be added."""
        self.put("locale/cy/LC_MESSAGES/konnectd.po", HEADER + 'msgid "Password"\nmsgstr "Cyfrinair"\n')

        self.assertIn("Cyfrinair", text_of(self.shown(SIGN_IN, "cy")))
        self.assertNotIn("Cyfrinair", text_of(self.shown(SIGN_IN, "en")))


class BrokenTests(OverCase):
    """What is wrong is told at start with the option, the file and where possible the line."""

    def told(self) -> str:
        """Return what an operator is told when the daemon does not start."""
        users = write(self, "users.yaml", f"users: [{{username: alice, password: '{quick_hash('w')}'}}]")
        words = ("--iss=https://sso.example.com", f"--file-users={users}", f"--templates-path={self.over}", "file")
        error: ConfigErrors = self.assertRaises(ConfigErrors, make_service, load(words, {}), MemoryReactorClock())
        (fault,) = error.faults
        return str(fault)

    def refused(self, name: str, content: str, *words: str, line: int = 0) -> None:
        """Expect that a template is refused."""
        file = self.put(name, content)
        told = self.told()
        file.unlink()

        place = f"{file}:{line}" if line else str(file)
        self.assertTrue(told.startswith(f"{place}: templates_path: "), told)
        for word in words:
            self.assertIn(word, told)

    def test_good(self) -> None:
        """Our own templates would pass for an operator's."""
        for file in find_templates().glob("*.html"):
            self.put(file.name, file.read_bytes())

        self.assertEqual(self.shown(SIGN_IN).count(b"<form"), 1)

    def test_syntax(self) -> None:
        """A mistake of syntax has its line."""
        self.refused("signin.html", "\n{% if %}", line=2)

    def test_names(self) -> None:
        """So has a name that does not exist, of a variable, of the page, of the brand, of a file."""
        for text, name in (
            ("{{ pgae }}", "pgae"),
            ("{{ page.usrname }}", "usrname"),
            ("{{ brand.nmae }}", "nmae"),
            ('{{ static("x.png") }}', "x.png"),
        ):
            self.refused("signin.html", whole(f"{FIELDS}\n\n{text}"), name, line=3)

    def test_deep_names(self) -> None:
        """So has one that is only looked for when the page is shown."""
        content = whole("\n{% for line in page.lines %}{{ line.txet }}{% endfor %}")

        self.refused("consent.html", content, "txet", line=2)

    def test_wrong_kind(self) -> None:
        """So has anything else that only fails then."""
        self.refused("signin.html", whole(f"{FIELDS}\n{{{{ page.username / 2 }}}}"), line=2)

    def test_missing_template(self) -> None:
        """A template that another one wants is missed."""
        self.put("signin.html", '{% extends "latout.html" %}')

        self.assertIn("latout.html", self.told())

    def test_useless_template(self) -> None:
        """A template that nobody uses was meant to be another one."""
        self.refused("sigin.html", "x", "takes the place of no page")

    def test_dead_ends(self) -> None:
        """A page without what it must send would leave people where they are."""
        self.refused("signin.html", whole('<input name="username" />'), "password")
        self.refused("consent.html", whole('<button name="allow">x</button>'), "deny")
        self.refused("signin.html", whole(FIELDS).replace('"csrf"', '"token"'), "csrf")

    def test_what_browsers_refuse(self) -> None:
        """What our policy forbids would be missing without a word."""
        for text, words in (
            ('<p style="color: red">x</p>', "style inside"),
            ("<style>p { color: red }</style>", "style inside"),
            ('<p onclick="x()">x</p>', "onclick"),
            ("<script>x()</script>", "nonce"),
            ('<script src="/x.js"></script>', "nonce"),
            ('<img src="https://example.org/x.png" alt="" />', "loads https://example.org/x.png"),
            ('<link rel="stylesheet" href="//example.org/x.css" />', "loads //example.org/x.css"),
        ):
            self.refused("signin.html", whole(FIELDS + text), words)

    def test_static_file(self) -> None:
        """A static file of a kind that is not served, or with a name that is no address, is refused."""
        for name in ("x.html", "a b.png", "ä.png"):
            file = self.put(f"static/{name}", PNG)
            told = self.told()
            file.unlink()

            self.assertIn("templates_path: ", told)
            self.assertIn(name, told)

    def test_catalog(self) -> None:
        """A catalogue that can not be used has its file and line."""
        text = 'msgid "Back to <bdi>%(name)s</bdi>"\nmsgstr "Back to %(name)s"\n'
        file = self.put("locale/en/LC_MESSAGES/konnectd.po", HEADER + text)

        told = self.told()
        self.assertIn(f"{file}:5", told)
        self.assertIn("templates_path: ", told)

    def test_no_folder(self) -> None:
        """A folder that is not there is refused."""
        self.over = self.over / "absent"

        self.assertIn("is not a folder", self.told())


class SamplesTests(SynchronousTestCase):
    """What pages are tried with."""

    def test_everything_filled(self) -> None:
        """Each view is tried with nothing that can be left out, and with something in every field."""
        for view in EVERY_VIEW:
            found = list(samples(view))

            self.assertGreaterEqual(len(found), 2, view)
            self.assertTrue(all(isinstance(one_of, view) for one_of in found))
            self.assertNotIn("", [getattr(found[-1], name) for name in vars(type(found[-1])).get("__slots__", ())])

    def test_every_choice(self) -> None:
        """Each fault and each kind of error is tried."""
        faults = {found.fault for found in samples(SignInPage) if isinstance(found, SignInPage)}
        kinds = {found.kind for found in samples(ErrorPage) if isinstance(found, ErrorPage)}

        self.assertEqual(faults, {None, *SignInFault})
        self.assertEqual(len(kinds), len(type(next(iter(kinds)))))
