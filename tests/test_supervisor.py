"""What a service manager says in the environment, read."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.supervisor import MOST_DESCRIPTORS, Supervisor

PROCESS = 42


def read(**environ: str) -> Supervisor:
    """Read variables."""
    return Supervisor.read(environ, PROCESS)


class DescriptorTests(SynchronousTestCase):
    """Which sockets are ours."""

    def test_table(self) -> None:
        """They are numbered from 3, and meant for one process."""
        for count, process, wanted in (
            ("1", "42", (3,)),
            ("3", "42", (3, 4, 5)),
            ("0", "42", ()),
            ("1", "43", ()),
            ("1", "", ()),
            ("", "42", ()),
            ("-1", "42", ()),
            ("1.0", "42", ()),
            ("\u0663", "42", ()),
            ("9" * 17, "42", tuple(range(3, 3 + MOST_DESCRIPTORS))),
            ("9" * 5000, "42", ()),
        ):
            with self.subTest(count=count[:20], process=process):
                self.assertEqual(read(LISTEN_FDS=count, LISTEN_PID=process).descriptors, wanted)


class AddressTests(SynchronousTestCase):
    """Where word is sent to."""

    def test_table(self) -> None:
        """A path or an abstract name; what can not be one is nothing."""
        for text, wanted in (
            ("/run/systemd/notify", "/run/systemd/notify"),
            ("@/org/x", "@/org/x"),
            ("relative", ""),
            ("vsock:2:1234", ""),
            ("/" + "x" * 106, "/" + "x" * 106),
            ("/" + "x" * 107, ""),
            ("", ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(read(NOTIFY_SOCKET=text).address, wanted)


class WatchdogTests(SynchronousTestCase):
    """How long it may be silent."""

    def test_table(self) -> None:
        """Microseconds become seconds; they count for everybody or for one process."""
        for length, process, wanted in (
            ("30000000", "42", 30.0),
            ("30000000", "", 30.0),
            ("30000000", "43", 0.0),
            ("0", "", 0.0),
            ("soon", "", 0.0),
        ):
            with self.subTest(length=length, process=process):
                self.assertEqual(read(WATCHDOG_USEC=length, WATCHDOG_PID=process).patience, wanted)

    @given(st.dictionaries(st.sampled_from(("LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC")), st.text()))
    def test_anything(self, environ: Mapping[str, str]) -> None:
        """Whatever stands in the environment, reading it does not fail."""
        self.assertLessEqual(len(Supervisor.read(environ, PROCESS).descriptors), MOST_DESCRIPTORS)
