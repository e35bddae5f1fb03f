"""Choosing the language on a page: it stays, leads nowhere else, and counts for more than what others wish."""

from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.markup import elements, one
from tests.support.requests import NOTES
from tests.support.visitor import Visit, Visitor

GERMAN = "Anmelden"
FRENCH = "Se connecter"


class SwitchCase(SynchronousTestCase):
    """Has a daemon and one person's browser."""

    def setUp(self) -> None:
        """Start."""
        self.daemon = Daemon()
        self.paths = self.daemon.settings.paths
        self.app = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def choose(self, visit: Visit, tag: str, *headers: str, back: str | None = None) -> Visit:
        """Press the button of a language on a page."""
        found = (element for element in elements(visit.answer.body) if element.attributes.get("name") == "back")
        fields = {"back": next(found).attributes["value"] if back is None else back, "language": tag}
        ours = headers or (f"Origin: {self.daemon.origin}", f"Referer: {visit.url}", "Sec-Fetch-Site: same-origin")
        return self.visitor.post(self.paths.language, fields, *ours, cross_site=False)

    def kept(self) -> str:
        """Return what the browser keeps of the choice; empty for nothing."""
        return next((cookie.value for (name, _), cookie in self.visitor.jar.items() if name.endswith("KKUL")), "")


class SwitchTests(SwitchCase):
    """The switch at the foot of pages."""

    def test_same_page(self) -> None:
        """Choosing a language shows the same page in it, with everything it was about."""
        page = self.app.arrive(self.visitor, login_hint="alice")
        again = self.choose(page, "de")

        self.assertEqual(again.url, page.url)
        self.assertEqual((again.title, again.fields["username"]), (GERMAN, "alice"))

    def test_all_the_way(self) -> None:
        """The choice stays on all further pages, whatever the application wishes for."""
        page = self.app.arrive(self.visitor, ui_locales="fr", prompt="login consent")
        self.assertEqual(page.title, FRENCH)
        page = self.choose(page, "de")
        consent = self.visitor.submit(page, username="alice", password=self.daemon.people.passwords["alice"])

        self.assertEqual((page.title, consent.title), (GERMAN, "Notes bittet um Zugriff"))

    def test_error_pages(self) -> None:
        """Even a page that can not offer a choice is in the language that was chosen."""
        self.choose(self.app.arrive(self.visitor), "de")
        page = self.visitor.open(self.app.url(client_id="nobody"))

        self.assertEqual(one(page.answer.body, "html").attributes["lang"], "de")
        self.assertNotIn(b"languages", page.answer.body)

    def test_fault_stays(self) -> None:
        """What was wrong is still told, in the new language."""
        wrong = self.visitor.submit(self.app.arrive(self.visitor), username="alice", password="wrong")
        again = self.choose(wrong, "de")

        self.assertEqual("".join(one(again.answer.body, "p", id="fault").text).strip()[:12], "Benutzername")

    def test_all_languages(self) -> None:
        """Each language stands there under its own name, and the current one is marked."""
        page = self.app.arrive(self.visitor, ui_locales="fr")
        buttons = [e for e in elements(page.answer.body) if e.attributes.get("name") == "language"]
        marked = [e.attributes["value"] for e in buttons if "aria-current" in e.attributes]

        self.assertEqual(["".join(e.text) for e in buttons][:3], ["Deutsch", "English", "Español"])
        self.assertEqual((len(buttons), marked), (17, ["fr"]))

    def test_only_one(self) -> None:
        """Where there is nothing to choose there is no switch."""
        daemon = Daemon("--ui-locale=de")
        page = Application(daemon, NOTES).arrive(Visitor(daemon))

        self.assertEqual(page.title, GERMAN)
        self.assertNotIn(b"languages", page.answer.body)


class SafetyTests(SwitchCase):
    """What the switch can not be used for."""

    def test_nowhere_else(self) -> None:
        """Only pages of ours are gone back to."""
        page = self.app.arrive(self.visitor)
        hostile = (
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            f"{self.paths.pages}../../evil",
            f"{self.paths.pages}/evil.example",
            f"{self.paths.pages}identifier\r\nX: y",
            f"{self.paths.pages}%2e%2e/evil",
            f"{self.paths.pages}identifier?{'x' * 9000}",
            self.paths.token,
            self.paths.authorize,
            self.paths.endsession,
            f"{self.paths.pages}identifier?a=\u00e9",
            "",
        )
        for back in hostile:
            self.assertEqual(
                self.choose(page, "de", back=back).url, self.daemon.origin + self.paths.inner + "signin", back
            )

    def test_ordinary_queries(self) -> None:
        """A query in which everything is escaped is one of ours."""
        page = self.app.arrive(self.visitor)
        back = f"{self.paths.pages}identifier?login_hint={quote('a//b@example.com/../é', safe='')}"

        self.assertEqual(self.choose(page, "fr", back=back).title, FRENCH)

    def test_from_elsewhere(self) -> None:
        """Another site can not choose."""
        page = self.app.arrive(self.visitor)
        for headers in (
            ("Origin: https://evil.example",),
            ("Sec-Fetch-Site: cross-site",),
            ("Sec-Fetch-Site: same-site",),
        ):
            self.assertEqual(self.choose(page, "de", *headers).answer.status, 403)
        self.assertEqual(self.kept(), "")

    def test_no_language(self) -> None:
        """What is no language is not kept."""
        page = self.app.arrive(self.visitor)
        for tag in ("tlh", "", "de; Domain=evil.example", "../de"):
            self.assertEqual(self.choose(page, tag).title, "Sign in")
        self.assertEqual(self.kept(), "")

    def test_cookie(self) -> None:
        """The choice is kept for a year, where error pages are too, and not sent from other sites' frames."""
        fields = {"back": self.paths.identifier, "language": "pt-BR"}
        answer = self.visitor.send(
            "POST", self.daemon.origin + self.paths.language, "&".join(f"{n}={v}" for n, v in fields.items())
        )
        (line,) = (value for name, value in answer.headers if name.lower() == "set-cookie")

        self.assertEqual(line, "__Secure-KKUL=pt-PT; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax")
