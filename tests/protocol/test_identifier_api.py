"""What a front end may ask: each member, and what is no question."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError
from konnectd.protocol.identifier_api import ConsentAnswer, Hello, LogonAttempt, parse_logoff, read_body
from konnectd.protocol.scope import Scope
from konnectd.protocol.vocabulary import Prompt

NAMES = st.sampled_from(["state", "params", "hello", "allow"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["state", "params"]), inner)
    ),
    max_leaves=12,
)


class HelloTests(SynchronousTestCase):
    """Who is there, and what next?"""

    def test_everything(self) -> None:
        """Each member means what it means in an authorization request."""
        value = {
            "state": "s",
            "flow": "oidc",
            "scope": " openid  profile ",
            "prompt": "login somehow",
            "client_id": "notes",
            "redirect_uri": "https://notes.example.org/cb",
            "id_token_hint": "a.b.c",
            "max_age": "0030",
        }

        self.assertEqual(
            Hello.parse(value),
            Hello(
                state="s",
                flow="oidc",
                scope=Scope(("openid", "profile")),
                prompt=frozenset({Prompt.LOGIN}),
                client_id="notes",
                redirect_uri="https://notes.example.org/cb",
                id_token_hint="a.b.c",
                max_age=30,
            ),
        )

    def test_nothing(self) -> None:
        """Nothing has to be there; an age of nothing is an age."""
        self.assertEqual(Hello.parse({}), Hello())
        self.assertEqual([Hello.parse({"max_age": text}).max_age for text in ("", "0", None)], [None, 0, None])

    def test_flows(self) -> None:
        """A flow that is none is as if none was named."""
        found = [Hello.parse({"flow": flow}).flow for flow in ("oidc", "oauth", "consent", "OIDC", "device", "")]

        self.assertEqual(found, ["oidc", "oauth", "consent", "", "", ""])

    def test_hint_is_not_shown(self) -> None:
        """A token that came as a hint does not stand in a log."""
        self.assertNotIn("a.b.c", repr(Hello.parse({"id_token_hint": "a.b.c"})))


class LogonTests(SynchronousTestCase):
    """Signing in."""

    def test_modes(self) -> None:
        """A mode needs what it works with: by password there must be one, by cookie there must be none."""
        for params, mode in (
            (["a", "b", "1"], "1"),
            (["a", "b", "1", "c"], "1"),
            (["a", "", "0"], "0"),
            (["a", "b", "0"], ""),
            (["a", "", "1"], ""),
            (["a", "b", "2"], ""),
            (["a", "", "3"], ""),
            (["a", "b"], ""),
            (["a"], ""),
        ):
            self.assertEqual(LogonAttempt.parse({"params": params}).mode, mode, params)

    def test_password_is_not_shown(self) -> None:
        """What somebody typed does not stand in a log."""
        self.assertNotIn("wonderland", repr(LogonAttempt.parse({"params": ["alice", "wonderland", "1"]})))


class ConsentTests(SynchronousTestCase):
    """Answering a client."""

    def test_silence_is_no_consent(self) -> None:
        """Who does not say yes says no."""
        self.assertFalse(ConsentAnswer.parse({"state": "s"}).allow)

    def test_needs_a_state(self) -> None:
        """Nothing would lead back to an answer without one."""
        for value in ({}, {"state": ""}, {"state": None}):
            self.assertRaises(OAuthError, ConsentAnswer.parse, value)


class AnythingTests(SynchronousTestCase):
    """Whatever is sent."""

    @settings(deadline=None)
    @given(JSON)
    def test_parsed_or_refused(self, value: object) -> None:
        """A value is read or refused as what the sender did wrong, and a state that was read can stand in a header."""
        for parse in (Hello.parse, LogonAttempt.parse, ConsentAnswer.parse, parse_logoff):
            try:
                read = parse(value)
            except OAuthError:
                continue
            state = read if isinstance(read, str) else read.state
            self.assertTrue(state.isascii() and (not state or state.isprintable()))

    @settings(deadline=None)
    @given(st.binary() | st.text().map(str.encode))
    def test_bodies(self, body: bytes) -> None:
        """Bytes are JSON or refused."""
        try:
            read_body(body)
        except OAuthError as error:
            self.assertIn("JSON", error.description)
