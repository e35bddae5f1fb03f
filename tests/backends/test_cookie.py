"""People whom an application knows by their cookies: what is asked, and what is believed of what comes back."""

import gzip
import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd import __version__
from konnectd.backends._cookie_question import LONGEST_ANSWER, MOST_AT_ONCE
from konnectd.backends.cookie import CookieBackend
from konnectd.flows.acquaintances import StoredAcquaintances
from konnectd.interfaces import BackendUnavailableError, PasswordBackend
from konnectd.option import ConfigErrors
from konnectd.protocol.end_user import EndUser
from konnectd.sources import BrowserBackend, Carried, Seen
from tests.support.application_server import Asked
from tests.support.fakes import FixedClock, ReadableSealer, SilentStore, memory_store, run

TICKET = Carried(cookies={"app": "secret-ticket"}, accept_language="de, en;q=0.5", user_agent="Firefox")
ALICE = EndUser(
    user_id="alice", subject="alice", username="alice", name="Alice", email="alice@app.example", numeric_id=7
)


class CookieCase(SynchronousTestCase):
    """A backend and its application."""

    def setUp(self) -> None:
        """Begin with an application that knows Alice."""
        self.asked = Asked()
        self.application = self.asked.application
        self.backend: CookieBackend = self.asked.backend()

    def look(self, carried: Carried = TICKET) -> Seen | None:
        """Ask who is there."""
        asking = Deferred.fromCoroutine(self.backend.look(carried))
        self.asked.clock.advance(0)
        answer: Seen | None = self.successResultOf(asking)
        return answer

    def refused(self, carried: Carried = TICKET) -> str:
        """Return why nothing can be said."""
        asking = Deferred.fromCoroutine(self.backend.look(carried))
        return str(self.failureResultOf(asking, BackendUnavailableError).value)


class QuestionTests(CookieCase):
    """What goes out."""

    def test_kind(self) -> None:
        """It is a backend that looks at browsers, and checks no passwords."""
        self.assertIsInstance(self.backend, BrowserBackend)
        self.assertNotIsInstance(self.backend, PasswordBackend)
        self.assertEqual(self.backend.name, "cookie")

    def test_request(self) -> None:
        """It is a POST without a body that tells the cookies, what the browser says of itself, and who asks."""
        self.look()
        ((method, uri, headers, body),) = self.application.heard

        self.assertEqual((method, uri, body), (b"POST", b"/whoami", b""))
        self.assertEqual(
            {
                name: headers.getRawHeaders(name)
                for name in ("Cookie", "Accept-Language", "User-Agent", "X-Konnect-Request")
            },
            {
                "Cookie": ["app=secret-ticket"],
                "Accept-Language": ["de, en;q=0.5"],
                "User-Agent": ["Firefox"],
                "X-Konnect-Request": [f"1/{__version__}"],
            },
        )

    def test_nobody_is_asked_about_nobody(self) -> None:
        """A browser without cookies is nobody's, without a question."""
        self.assertIsNone(self.look(Carried()))
        self.assertEqual(self.application.heard, [])

    def test_our_own(self) -> None:
        """CANARY: a cookie of ours does not get there even if somebody hands it over."""
        self.assertIsNone(self.look(Carried(cookies={"__Secure-KKT": "x", "KKBS": "x", "__host-kkt": "x"})))
        self.assertEqual(self.application.heard, [])

    def test_cookies_of_answers(self) -> None:
        """LEAK: what the application sets for one person is not sent with the next one's question."""
        self.application.headers["Set-Cookie"] = "app=of-alice; Path=/"
        self.look()
        self.look(Carried(cookies={"other": "of-bob"}))

        self.assertEqual(self.application.heard[1][2].getRawHeaders("Cookie"), ["other=of-bob"])

    def test_nothing_in_messages(self) -> None:
        """SECRET: no message and no value that is shown has a cookie in it."""
        self.application.status = 500

        self.assertNotIn("secret-ticket", self.refused() + repr(TICKET) + repr(self.backend))


class AnswerTests(CookieCase):
    """What comes back."""

    def test_somebody(self) -> None:
        """Whom the application names is there, never with a proven address unless it says so."""
        for self.application.status in (200, 202):
            self.assertEqual(self.look(), Seen(user=ALICE))

    def test_more(self) -> None:
        """It may say more."""
        self.application.say(
            sub="u-1",
            preferred_username="alice",
            given_name="Alice",
            family_name="L",
            email="a@b",
            email_verified=True,
            auth_time=1_700_000_000,
            further="is passed over",
            name=None,
        )
        seen = self.look()

        self.assertEqual(
            seen,
            Seen(
                user=EndUser(
                    user_id="u-1",
                    subject="u-1",
                    username="alice",
                    given_name="Alice",
                    family_name="L",
                    email="a@b",
                    email_verified=True,
                ),
                proven_at=1_700_000_000,
            ),
        )

    def test_nobody(self) -> None:
        """Whom it does not name is nobody."""
        for self.application.status in (401, 403):
            self.assertIsNone(self.look())

    def test_other_statuses(self) -> None:
        """Everything else says nothing; a redirect leads nowhere."""
        self.application.headers["Location"] = "http://127.0.0.1:8080/elsewhere"
        for status in (201, 204, 301, 302, 303, 307, 308, 400, 404, 500, 503):
            self.application.status = status
            self.application.heard.clear()
            self.assertIn(str(status), self.refused())
            self.assertEqual(len(self.application.heard), 1, status)

    def test_other_types(self) -> None:
        """Something that is not said to be JSON is not read."""
        for kind in ("text/html", "text/plain", "application/jsonp", "application/problem+json"):
            self.application.headers["Content-Type"] = kind
            self.assertIn("application/json", self.refused(), kind)

    def test_wrong_json(self) -> None:
        """What can not be understood, or could be understood in two ways, names nobody."""
        for body in (
            b"",
            b"{",
            b"[]",
            b'"alice"',
            b"null",
            b"{}",
            b'{"sub":""}',
            b'{"sub":null}',
            b'{"sub":7}',
            b'{"sub":["alice"]}',
            b'{"sub":"alice","sub":"bob"}',
            b'{"sub":"a\\u0000b"}',
            b'{"sub":"a","name":7}',
            b'{"sub":"a","email":{}}',
            b'{"sub":"a","id":"7"}',
            b'{"sub":"a","id":true}',
            b'{"sub":"a","id":-1}',
            b'{"sub":"a","id":1.5}',
            b'{"sub":"a","auth_time":NaN}',
            b'{"sub":"a","auth_time":true}',
            b'{"sub":"a","email_verified":"true"}',
            b'{"sub":"\xff"}',
            b'{"sub":' + b"[" * 60_000,
            json.dumps({"sub": "x" * 256}).encode(),
        ):
            self.application.body = body
            self.assertIn("of no use", self.refused(), body[:40])

    def test_too_long(self) -> None:
        """An answer of ten megabytes is given up."""
        self.application.body = b'{"sub":"alice","more":"' + b"x" * 10_000_000 + b'"}'

        self.assertIn(str(LONGEST_ANSWER), self.refused())

    def test_compressed(self) -> None:
        """BOMB: a little that would become very much is not unpacked, and not asked for."""
        self.application.body = gzip.compress(b'{"sub":"alice","more":"' + b"x" * 10_000_000 + b'"}')
        self.application.headers["Content-Encoding"] = "gzip"

        self.assertIn("encoded", self.refused())
        self.assertIsNone(self.application.heard[0][2].getRawHeaders("Accept-Encoding"))

    def test_hanging(self) -> None:
        """Nobody waits longer than the operator wants."""
        self.application.hangs = True
        asking = Deferred.fromCoroutine(self.backend.look(TICKET))
        self.asked.clock.advance(9.9)
        self.assertNoResult(asking)
        self.asked.clock.advance(0.2)

        self.failureResultOf(asking, BackendUnavailableError)

    def test_many_hanging(self) -> None:
        """Only so many questions are out at one time, and waiting for a turn counts."""
        self.application.hangs = True
        asking = [Deferred.fromCoroutine(self.backend.look(TICKET)) for _ in range(MOST_AT_ONCE + 5)]
        self.assertEqual(len(self.application.heard), MOST_AT_ONCE)
        self.asked.clock.advance(10.1)

        for one in asking:
            self.failureResultOf(one, BackendUnavailableError)


class CheckTests(CookieCase):
    """The check at start."""

    def check(self) -> Deferred[Any]:
        """Try it."""
        return Deferred.fromCoroutine(self.backend.check())

    def test_good(self) -> None:
        """An application that names nobody when nothing is carried is a good one."""
        self.application.status = 401

        self.assertIsNone(self.successResultOf(self.check()))

    def test_everybody(self) -> None:
        """FAULT: one that names somebody all the same would let everybody in."""
        failure = self.failureResultOf(self.check(), ConfigErrors)

        self.assertIn("although no cookie was sent", str(failure.value))

    def test_trouble(self) -> None:
        """One that is not well may be later."""
        self.application.status = 500

        self.failureResultOf(self.check(), BackendUnavailableError)


class BetweenTests(CookieCase):
    """Between two visits."""

    def setUp(self) -> None:
        """Keep people for an hour."""
        super().setUp()
        self.clock = FixedClock()
        self.store = memory_store(self.clock)
        self.kept = StoredAcquaintances(store=self.store, sealer=ReadableSealer(), clock=self.clock, life=3600)
        self.backend.keep_with(self.kept)

    def test_found_again(self) -> None:
        """Whoever was here is known for a time, without a question."""
        self.look()
        found = run(self.backend.find("alice"))
        self.clock.advance(3601)

        self.assertEqual((found, len(self.application.heard)), (ALICE, 1))
        self.assertIsNone(run(self.backend.find("alice")))

    def test_nobody(self) -> None:
        """Who was never here is nobody, whatever the id."""
        self.look()
        for user_id in ("", "bob", "ALICE", "alice\0", "x" * 100_000, "\ud800"):
            self.assertIsNone(run(self.backend.find(user_id)), repr(user_id[:10]))

    def test_entry_of_another(self) -> None:
        """An entry that somebody has moved is nobody's."""
        self.look()
        moved = StoredAcquaintances(store=Moved(self.store), sealer=ReadableSealer(), clock=self.clock, life=3600)
        run(moved.note(ALICE))

        self.assertIsNone(run(moved.recall("bob")))

    def test_no_cookie_is_kept(self) -> None:
        """SECRET: the store has nothing of what the browser carries."""
        self.look()

        self.assertNotIn("secret-ticket", repr(vars(self.store)))

    def test_silent_store(self) -> None:
        """Whom nobody could keep is not let in."""
        self.backend.keep_with(
            StoredAcquaintances(store=SilentStore(), sealer=ReadableSealer(), clock=self.clock, life=1)
        )

        self.refused()

    def test_without(self) -> None:
        """Without anything to keep people with nobody is found."""
        self.assertIsNone(run(Asked().backend().find("alice")))

    def test_close_twice(self) -> None:
        """Closing a closed backend does nothing."""
        run(self.backend.close())

        self.assertIsNone(run(self.backend.close()))


class Moved(SilentStore):
    """A store with one entry, whatever the key."""

    def __init__(self, _: object) -> None:
        """Begin with none."""
        self._value: str | None = None

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep it."""
        self._value = value

    async def get(self, key: str) -> str | None:
        """Return it."""
        return self._value
