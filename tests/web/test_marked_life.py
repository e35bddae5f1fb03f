"""A complete life with every secret marked: no mark is in a log, a figure, a dump, an error, or what is in the store.

What a process leaves behind is looked into in `tests.real.test_marked_life`.
"""

import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support.marked_answers import NEVER
from tests.support.marked_backends import COOKIE, KC, KC_SERVICE, LDAP, PEOPLE
from tests.support.marked_daemon import MEMORY, REDIS, SQLITE, Lived, live
from tests.support.requests import ISSUER
from tests.watching.test_audit_events import faults

#: What stands in the store as it is, as `docs/operate/stores.md` says: nothing of it opens anything.
IN_CLEAR = frozenset({"nonce", "sid", "state", "passthru", "key in an address"})


@cache
def lived(kind: str, people: str) -> Lived:
    """Live once with a kind of store and of people."""
    with tempfile.TemporaryDirectory() as folder:
        return live(Path(folder), kind, people)


class LivedCase(SynchronousTestCase):
    """A life that is over."""

    kind = MEMORY
    people = PEOPLE

    def setUp(self) -> None:
        """Live, if nobody has; mistakes of ours that are part of it are none of the test."""
        self.lived = lived(self.kind, self.people)
        self.flushLoggedErrors(ValueError, TypeError)

    def assert_clean(self, *places: str) -> None:
        """There is something at each place, and no mark in it."""
        for place in places:
            text = self.lived.places[place]
            self.assertGreater(len(text), 200, place)
            self.assertEqual(self.lived.marks.found(text), set(), place)

    def errors(self) -> set[tuple[str, int, str]]:
        """Return what errors show that they must not; one that goes to a client has the client's own state."""
        return {
            (told.asked, told.answer.status, kind)
            for told in self.lived.told
            if told.is_error
            for kind in self.lived.marks.found(told.content, but={"state"} if told.answer.status == 302 else ())
        }

    def repeated(self) -> set[tuple[str, str]]:
        """Return what any answer shows that none must; a client that registers is told its own secret."""
        return {
            (told.asked, kind)
            for told in self.lived.told
            for kind in self.lived.marks.found(told.content) & NEVER
            if not (told.asked.endswith("/register") and kind == "client secret")
        }


class WrittenTests(LivedCase):
    """What was written down."""

    def test_log(self) -> None:
        """The log as text, at its most talkative, tracebacks included."""
        self.assert_clean("log")

    def test_facts(self) -> None:
        """Nor the values behind it, which are not written, however they may be shown."""
        self.assert_clean("facts behind the log")

    def test_log_as_json(self) -> None:
        """The log as JSON, and the fields of the journal."""
        self.assert_clean("log as JSON", "journal")

    def test_metrics(self) -> None:
        """Names and labels of figures."""
        self.assert_clean("metrics")

    def test_dump_of_tasks(self) -> None:
        """What is shown of timers, coroutines and threads."""
        self.assert_clean("dump of tasks")

    def test_happened(self) -> None:
        """What travels with answers for those who count."""
        self.assert_clean("what answers came of")

    def test_audit(self) -> None:
        """The audit log, whose every entry is as the schema has it."""
        self.assertGreater(len(self.lived.audit), 50)
        self.assertEqual(self.lived.marks.found("\n".join(self.lived.audit)), set())
        self.assertEqual([fault for line in self.lived.audit for fault in faults(line)], [])
        self.assertEqual([line for line in self.lived.audit if ISSUER in line], [])


class AnsweredTests(LivedCase):
    """What was answered."""

    def test_errors(self) -> None:
        """No error shows a secret of the request or of ours."""
        self.assertEqual(self.errors(), set())

    def test_everything_else(self) -> None:
        """No answer repeats a password, a secret or a key."""
        self.assertEqual(self.repeated(), set())


class StoreTests(LivedCase):
    """What is in the store of the process."""

    def test_store(self) -> None:
        """Whoever reads a dump finds no password, code, token, cookie or secret."""
        self.assertGreater(len(self.lived.dump), 10_000)
        self.assertEqual(self.lived.marks.found(self.lived.dump, but=IN_CLEAR), set())


class SqliteTests(StoreTests):
    """What is in the file of the store, and in those beside it, what was removed included."""

    kind = SQLITE


class RedisTests(StoreTests):
    """What is in Redis."""

    kind = REDIS

    def test_log(self) -> None:
        """The password of Redis is not in the log, nor is what it was told."""
        self.assert_clean("log", "facts behind the log")


class BackendCase(LivedCase):
    """A life with people of one kind, who have secrets of their own, and fall silent in the end."""

    def test_written(self) -> None:
        """Nothing that was written down has a mark."""
        self.assertIn("Authorized(", self.lived.places["what answers came of"])
        self.assert_clean(*self.lived.places)
        self.assertEqual(self.lived.marks.found("\n".join(self.lived.audit)), set())

    def test_answers(self) -> None:
        """Nor has an answer."""
        self.assertEqual((self.errors(), self.repeated()), (set(), set()))

    def test_store(self) -> None:
        """Nor has the store."""
        self.assertEqual(self.lived.marks.found(self.lived.dump, but=IN_CLEAR), set())


class LdapTests(BackendCase):
    """A directory, with a service that may read it."""

    people = LDAP


class KopanoTests(BackendCase):
    """A groupware server, with a session for everybody."""

    people = KC


class KopanoServiceTests(BackendCase):
    """A groupware server that is asked in the session of a service, with its password."""

    people = KC_SERVICE


class CookieTests(BackendCase):
    """An application that knows people by their cookies."""

    people = COOKIE


class MarkedTests(LivedCase):
    """What was looked for would have been found."""

    def test_kinds(self) -> None:
        """Every kind of secret was there."""
        kinds = {kind.partition("KK")[0] for kind in self.lived.marks.kinds}

        self.assertEqual(
            kinds,
            {
                *("password", "password in the field of the name", "encryption secret", "signing key", "pairwise salt"),
                *("client secret", "client's key", "initial access token", "registration_access_token", "assertion"),
                *("state", "nonce", "code_verifier", "login_hint", "passthru", "request_uri", "key in an address"),
                *("code", "access_token", "refresh_token", "id_token", "device_code", "user_code", "sid"),
                *("csrf", "interaction", "retry", "konnect", "ticket", "cookie __Secure-", "password of the store"),
                "logout_token",
            },
        )

    def test_answers(self) -> None:
        """There were answers of every kind, good and bad, and mistakes of ours."""
        statuses = Counter(told.answer.status for told in self.lived.told)

        self.assertEqual(statuses.keys(), {200, 201, 204, 302, 303, 400, 401, 403, 404, 405, 500, 503})
        self.assertIn("Traceback", self.lived.places["log"])
        self.assertIn("TypeError", self.lived.places["log"])

    def test_log_levels(self) -> None:
        """The log has lines of every level."""
        for level in ("debug", "info", "warn", "fatal"):
            self.assertIn(f"level={level}", self.lived.places["log"], level)


del LivedCase, BackendCase
