"""Tests of the log as JSON."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line
from konnectd.log_json import JsonObserver
from konnectd.protocol.trail import Trail

TRAIL = Trail(at="token", status="400", reason="code-unknown", client="mail", granted=("openid", "email")).to_text()
REFUSED = "refused: {words} [{reference}] {trail}"


class Odd:
    """Something that can not even be shown."""

    def __repr__(self) -> str:
        """Fail."""
        raise RuntimeError("no")


class JsonTests(SynchronousTestCase):
    """Events become objects."""

    def setUp(self) -> None:
        """Write to a list."""
        self.written: list[str] = []
        self.log = self.logger()

    def logger(self, level: str = "debug", namespace: str = "konnectd.web", *, timestamp: bool = False) -> Any:  # noqa: ANN401 - Logger carries no types
        """Return a logger whose events are written."""
        observer: Any = JsonObserver(self.written.append, level, timestamp=timestamp)
        return Logger(namespace=namespace, observer=LogPublisher(observer))

    def only(self) -> dict[str, Any]:
        """Return the one object that was written."""
        (line,) = self.written
        if not line.endswith("\n") or "\n" in line[:-1]:
            raise AssertionError("it is not one line")
        found: dict[str, Any] = json.loads(line)
        return found

    def test_event(self) -> None:
        """An object has level, id, sentence and facts."""
        self.log.info("listening at {address}", address="[::1]:1")

        expected = {"level": "info", "event": "listening", "msg": "listening at [::1]:1"}
        self.assertEqual(self.only(), {**expected, "fields": {"address": "[::1]:1"}})

    def test_decision(self) -> None:
        """The facts of a decision are there one by one, and its reference where every event has it."""
        self.log.info(REFUSED, words="no", reference="E1234", trail=TRAIL)
        found = self.only()

        self.assertEqual(found["reference"], "E1234")
        self.assertEqual((found["fields"]["reason"], found["fields"]["granted"]), ("code-unknown", ["openid", "email"]))
        self.assertNotIn("trail", found["fields"])

    def test_explain_reads_it(self) -> None:
        """What is explained from a line of text is explained from an object, behind a container's words too."""
        self.logger(timestamp=True).info(REFUSED, words="no", reference="E1234", trail=TRAIL, path="/x")
        line = self.written[0]
        found = [Line.parse(text) for text in (line, f"Nov  1 10:00:00 host konnectd[12]: {line}")]

        for each in found:
            self.assertEqual((each and each.told.reference, each and each.path), ("E1234", "/x"))

    def test_explain_reads_faults(self) -> None:
        """Our own faults are explained as well."""
        failure: Any = Failure(ValueError("mistake"))  # type: ignore[no-untyped-call]
        self.log.failure("{route}: our fault, reference {reference}", failure, route="token", reference="E1234")
        found = Line.parse(self.written[0])

        self.assertEqual(found and found.told.words, "ValueError")
        self.assertIn("ValueError: mistake", self.only()["traceback"])

    def test_explain_passes_over_other_objects(self) -> None:
        """An entry of the audit log, or an object that somebody wrote, is no line of ours."""
        for text in ('{"audit": 1, "msg": "x"}', '{"level": 1, "event": "x", "msg": "y"}', "{}", "{", '{"a":' * 5000):
            self.assertIsNone(Line.parse(text))

    def test_levels(self) -> None:
        """What is less important than wanted is not written."""
        self.logger("warn").info("listening at {address}", address="x")

        self.assertEqual(self.written, [])

    def test_library(self) -> None:
        """What a library says has its name and no id of ours."""
        self.logger(namespace="twisted.web").warn("hm")

        self.assertEqual((self.only()["event"], self.only()["logger"]), ("library", "twisted.web"))

    def test_odd_values(self) -> None:
        """Whatever is told, the line is JSON as everybody reads it."""
        self.log.warn("{advice}", advice=Odd(), number=1 << 80, part=float("nan"), flag=True, none=None)
        fields = self.only()["fields"]

        self.assertEqual((fields["flag"], fields["none"], fields["part"]), (True, None, "nan"))
        self.assertEqual(fields["number"], str(1 << 80))

    @given(st.text())
    @settings(deadline=None)
    def test_no_text_gets_out(self, text: str) -> None:
        """Whatever somebody typed, it ends no line, and is read back as it was; nothing but ASCII is written."""
        self.written.clear()
        self.log.warn("{advice}", advice=text)

        self.assertEqual(self.only()["fields"]["advice"], text)
        self.assertTrue(self.written[0].isascii())
