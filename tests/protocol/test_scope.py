"""Scopes and what they mean to people."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.local_text import LocalText
from konnectd.protocol.scope import Scope, ScopeCatalog, ScopeDefinition
from tests.support.strategies import SCOPES


class ScopeTests(SynchronousTestCase):
    """Scope tokens, each once, in order."""

    def test_good_texts(self) -> None:
        """Blanks separate, however many; a token that stands there twice counts once."""
        cases = {
            "": (),
            "   ": (),
            "openid": ("openid",),
            " openid  profile ": ("openid", "profile"),
            "b a b": ("b", "a"),
            "konnect/id !#[]~": ("konnect/id", "!#[]~"),
            "OpenID openid": ("OpenID", "openid"),
        }

        self.assertEqual({text: Scope.parse(text).tokens for text in cases}, cases)

    def test_refused_texts(self) -> None:
        """Nothing but blanks separates, and no other character than the specification's stands in a token."""
        for text in (
            'a"b',
            "a\\b",
            "openid\tprofile",
            "openid\nprofile",
            "openid\u2003profile",
            "ä",
            "\x7f",
            "openid \x00",
        ):
            with self.assertRaises(OAuthError, msg=repr(text)) as caught:
                Scope.parse(text)

            self.assertEqual(caught.exception.code, "invalid_scope")

    @settings(deadline=None)
    @given(SCOPES)
    def test_parse_and_print(self, scope: Scope) -> None:
        """Reading what was written gives the same scope."""
        self.assertEqual(Scope.parse(str(scope)), scope)

    @settings(deadline=None)
    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is refused as an invalid scope, or means the same when it is written and read again."""
        try:
            scope = Scope.parse(text)
        except OAuthError as error:
            self.assertEqual(error.code, "invalid_scope")
            return

        self.assertEqual(Scope.parse(str(scope)), scope)

    @settings(deadline=None)
    @given(SCOPES, SCOPES)
    def test_keep_never_grows(self, scope: Scope, allowed: Scope) -> None:
        """What is kept is what is in both, in the order of the first; the rest is what is without it."""
        kept = scope.keep(allowed)

        self.assertEqual(kept.tokens, tuple(token for token in scope if token in allowed))
        self.assertTrue(scope.covers(kept) and allowed.covers(kept))
        self.assertEqual(set(scope.without(*kept)) | set(kept), set(scope))

    def test_covers(self) -> None:
        """A scope covers every part of itself and nothing more."""
        scope = Scope.parse("openid profile")

        self.assertEqual(
            [scope.covers(Scope.parse(text)) for text in ("", "profile", "profile openid", "email", "openid email")],
            [True, True, True, False, False],
        )


class CatalogTests(SynchronousTestCase):
    """What a consent page says about a scope."""

    def test_built_in(self) -> None:
        """The scopes that are about who somebody is share one line; the more important lines come first."""
        lines = ScopeCatalog().lines(Scope.parse("offline_access groups email openid profile konnect/id"))

        self.assertEqual(lines[0][1].id, "scope_alias_basic")
        self.assertEqual([key for key, _ in lines], ["basic", "groups", "offline_access"])

    def test_unknown_scope(self) -> None:
        """A scope nobody has described stands for itself, after those that are described."""
        lines = ScopeCatalog().lines(Scope.parse("zoo calendar openid"))

        self.assertEqual([key for key, _ in lines], ["basic", "calendar", "zoo"])
        self.assertEqual(lines[1][1], ScopeDefinition())

    def test_operator_wins(self) -> None:
        """The operator's entries replace the built-in ones, add to them, and become scopes that can be granted."""
        own = ScopeDefinition(description=LocalText("Your groups and circles"), priority=99)
        catalog = ScopeCatalog.build({"circles": "groups", "profile": "me"}, {"groups": own, "me": ScopeDefinition()})

        lines = catalog.lines(Scope.parse("openid circles groups profile"))
        self.assertEqual([key for key, _ in lines], ["groups", "basic", "me"])
        self.assertEqual(lines[0][1], own)
        self.assertEqual(catalog.supported, ("groups", "me"))

    def test_leaving_out(self) -> None:
        """Who one is can not be left out; of the rest a line counts with all its scopes, and nothing else comes in."""
        catalog = ScopeCatalog.build(
            {"circles": "groups"}, {"calendar": ScopeDefinition(description=LocalText("Your calendar"))}
        )
        scope = Scope.parse("openid email groups circles calendar zoo")
        cases = {
            (): "openid email",
            ("groups",): "openid email groups circles",
            ("calendar", "zoo"): "openid email calendar zoo",
            ("circles", "basic", "phone", ""): "openid email",
        }

        self.assertEqual({keys: str(catalog.choose(scope, keys)) for keys in cases}, cases)
        self.assertEqual([key for key, _ in catalog.lines(scope) if catalog.is_required(key)], ["basic"])

    def test_what_the_operator_makes_of_it(self) -> None:
        """Where profile has a line of its own, that one is required as well."""
        catalog = ScopeCatalog.build({"profile": "me"}, {"me": ScopeDefinition(description=LocalText("Your profile"))})

        self.assertEqual(str(catalog.choose(Scope.parse("openid profile groups"), ())), "openid profile")
