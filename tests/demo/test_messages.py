"""What is shown of a message, and the command that sends the same."""

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.demo.messages import Call, Reply, curl

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


class CurlTests(SynchronousTestCase):
    """Commands for a shell."""

    def test_a_posted_form(self) -> None:
        """Each field is encoded by curl itself, one in each line."""
        command = curl(Call(method="POST", uri="http://localhost/t", form=(("a", "1"), ("b", "2 3"))))

        self.assertEqual(command, "curl http://localhost/t \\\n  --data-urlencode a=1 \\\n  --data-urlencode 'b=2 3'")

    def test_an_address_of_ipv6(self) -> None:
        """Brackets are an address, not a pattern."""
        self.assertEqual(curl(Call(uri="http://[::1]/"), "--include"), "curl --include --globoff 'http://[::1]/'")

    @settings(deadline=None)
    @given(TEXT, TEXT)
    def test_no_value_reaches_the_shell(self, name: str, value: str) -> None:
        """Whatever is in a value, the shell sees the words that were meant, and no others."""
        command = curl(Call(uri="http://localhost/?a&b", headers=((name, value),), form=((name, value),)))

        words = ["curl", "http://localhost/?a&b", "--header", f"{name}: {value}", "--data-urlencode", f"{name}={value}"]
        self.assertEqual(shlex.split(command.replace(" \\\n  --", " --")), words)


class ReplyTests(SynchronousTestCase):
    """Reading answers."""

    def test_only_objects_have_members(self) -> None:
        """Anything that is not a JSON object has none, however broken or deep it is."""
        for text in ("", "[]", "null", "{", "<html>", "[" * 100_000):
            self.assertEqual(Reply(status=200, text=text).members, {})
