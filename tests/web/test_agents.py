"""Browsers in words, and moments in languages."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web import moments
from konnectd.web.agents import Agent

MOZILLA, WEBKIT = "Mozilla/5.0", "AppleWebKit/537.36 (KHTML, like Gecko)"
KNOWN = {
    f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": ("Firefox", "Linux"),
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36": ("Chrome", "Windows"),
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0": ("Edge", "Windows"),
    f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36": ("Chrome", "ChromeOS"),
    f"{MOZILLA} (Linux; Android 15; Pixel 9) {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36": ("Chrome", "Android"),
    f"{MOZILLA} (Macintosh; Intel Mac OS X 15_0) {WEBKIT} Version/18.0 Safari/605.1.15": ("Safari", "macOS"),
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} CriOS/140 Safari/604.1": ("Chrome", "iPhone"),
    f"{MOZILLA} (iPad; CPU OS 18_0 like Mac OS X) {WEBKIT} Version/18.0 Safari/604.1": ("Safari", "iPad"),
    f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 OPR/120.0": ("Opera", "Windows"),
    "curl/8.14.1": ("", ""),
    "": ("", ""),
}


class AgentTests(SynchronousTestCase):
    """What a browser is called."""

    def test_known(self) -> None:
        """People find the name of their browser, although it says that it is others as well."""
        self.assertEqual({text: (Agent.parse(text).browser, Agent.parse(text).system) for text in KNOWN}, KNOWN)

    @settings(deadline=None)
    @given(st.text(max_size=600))
    def test_only_our_words(self, header: str) -> None:
        """Whatever a browser says, nothing of it is kept but words that we know."""
        words = {word for pair in KNOWN.values() for word in pair} | {"Samsung Internet", "Vivaldi"}

        self.assertLessEqual({Agent.parse(header).browser, Agent.parse(header).system}, words)


class MomentTests(SynchronousTestCase):
    """How a moment is written."""

    def test_languages(self) -> None:
        """A day is written as people of a language write it, the time with its minutes."""
        found = [moments.day(1_700_000_000, tag) for tag in ("en", "de", "pt-BR")]

        self.assertEqual(found, ["November 14, 2023", "14. November 2023", "14 de novembro de 2023"])
        self.assertIn("10:13", moments.minute(1_700_000_000, "en"))
        self.assertIn("22:13", moments.minute(1_700_000_000, "de"))

    def test_for_programs(self) -> None:
        """Programs get one form."""
        self.assertEqual(moments.machine(1_700_000_000), "2023-11-14T22:13Z")
