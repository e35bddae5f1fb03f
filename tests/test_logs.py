"""Tests of the log as text."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from konnectd.logs import TextObserver, one_line


class Unprintable:
    """Something that can not even be shown."""

    def __repr__(self) -> str:
        """Fail."""
        raise RuntimeError("no")


class LogTests(SynchronousTestCase):
    """Events become lines."""

    def setUp(self) -> None:
        """Write to a list."""
        self.written: list[str] = []

    def logger(self, level: str = "info", namespace: str = "konnectd.x", *, timestamp: bool = False) -> Logger:
        """Return a logger whose events an observer writes."""
        observer = TextObserver(self.written.append, level, timestamp=timestamp)
        return Logger(namespace=namespace, observer=LogPublisher(observer))

    def test_line(self) -> None:
        """A line has level, message, and the facts the message does not have."""
        self.logger().warn("{count} keys are old", count=2, kid="a b", folder="/etc/keys", empty="")

        self.assertEqual(self.written, ['level=warn msg="2 keys are old" kid="a b" folder=/etc/keys empty=""\n'])

    def test_time(self) -> None:
        """The time stands first when it is wanted, in UTC."""
        TextObserver(self.written.append)({"log_time": 1.5, "log_level": LogLevel.error, "log_format": "x"})

        self.assertEqual(self.written, ['time=1970-01-01T00:00:01.500Z level=error msg="x"\n'])

    def test_levels(self) -> None:
        """Each of Konnect's levels lets through what is at least as important."""
        for level, wanted in (
            ("panic", ["fatal"]),
            ("fatal", ["fatal"]),
            ("error", ["fatal", "error"]),
            ("warn", ["fatal", "error", "warn"]),
            ("info", ["fatal", "error", "warn", "info"]),
            ("debug", ["fatal", "error", "warn", "info", "debug"]),
            ("trace", ["fatal", "error", "warn", "info", "debug"]),
        ):
            with self.subTest(level=level):
                self.written.clear()
                log = self.logger(level)
                for write in (log.critical, log.error, log.warn, log.info, log.debug):
                    write("x")

                self.assertEqual([line.split()[0].removeprefix("level=") for line in self.written], wanted)

    def test_libraries(self) -> None:
        """What a library finds worth telling is for those who look for faults; its warnings are for all."""
        self.logger("info", "twisted.web").info("chatter")
        self.logger("info", "konnectdish").info("chatter")
        self.logger("debug", "twisted.web").info("chatter")
        self.logger("info", "twisted.web").warn("careful")

        self.assertEqual(
            self.written,
            ['level=debug msg="chatter" logger=twisted.web\n', 'level=warn msg="careful" logger=twisted.web\n'],
        )

    def test_failure(self) -> None:
        """A failure brings its traceback, moved to the right."""
        try:
            int("bad\ntime=forged")
        except ValueError:
            self.logger().failure("answering {path} failed", path="/x")
        lines = self.written[0].splitlines()

        self.assertEqual(lines[0], 'level=fatal msg="answering /x failed: ValueError"')
        self.assertIn("Traceback", lines[1])
        self.assertTrue(all(line.startswith("    ") for line in lines[1:]))

    def test_failure_without_a_sentence(self) -> None:
        """A failure Twisted logs by itself still says what it is."""
        self.logger()
        TextObserver(self.written.append, timestamp=False)(
            {"log_level": LogLevel.critical, "log_failure": Failure(ValueError("why"))}
        )

        self.assertTrue(self.written[0].startswith('level=fatal msg="ValueError: why"\n'))

    def test_no_traceback_without_failure(self) -> None:
        """An error that was understood is one line."""
        self.logger().error("no answer", reason=ValueError("x"))

        self.assertEqual(self.written, ['level=error msg="no answer" reason=x\n'])

    def test_old_events(self) -> None:
        """Events of Twisted's old log are written as well."""
        TextObserver(self.written.append, "debug", timestamp=False)(
            {
                "message": ("old",),
                "log_text": "old",
                "log_format": "{log_text}",
                "isError": 0,
                "system": "-",
                "time": 1.0,
            }
        )

        self.assertEqual(self.written, ['level=debug msg="old"\n'])

    def test_old_failures(self) -> None:
        """A failure in Twisted's old log looks like one in its new log."""
        TextObserver(self.written.append, timestamp=False)(
            {
                "failure": Failure(ValueError("why")),
                "isError": 1,
                "log_text": "Unhandled Error\nTraceback",
                "log_format": "{log_text}",
                "log_level": LogLevel.critical,
                "why": None,
            }
        )

        self.assertTrue(self.written[0].startswith('level=fatal msg="ValueError: why"\n    Traceback'))

    def test_unprintable(self) -> None:
        """A fact that can not be shown does not cost the line."""
        self.logger().info("x", fact=Unprintable())
        self.logger().info("{fact}", fact=Unprintable())
        self.logger().info("{", fact=1)

        self.assertEqual([line.count("\n") for line in self.written], [1, 1, 1])
        self.assertTrue(self.written[0].startswith('level=info msg="x" fact='))

    @given(st.text(), st.text())
    @settings(deadline=None, max_examples=200)
    def test_nothing_breaks_a_line(self, message: str, fact: str) -> None:
        """Whatever somebody sent, an event is one line of printable text that can be taken apart again."""
        self.written.clear()
        self.logger().info("{message}", message=message, fact=fact)
        (line,) = self.written

        self.assertTrue(line.removesuffix("\n").isprintable())
        self.assertIsNotNone(
            re.fullmatch(r'level=info msg="(?:[^"\\]|\\.)*" fact=(?:[^\s"=]+|"(?:[^"\\]|\\.)*")\n', line)
        )

    def test_one_line(self) -> None:
        """Text for people keeps its quotes and loses what plays with a terminal."""
        self.assertEqual(one_line('a "b" \\ \n \x1b[2J \u202e'), 'a "b" \\ \\n \\x1b[2J \\u202e')
