"""Tests of the audit log's entries: their schema is the one of the manual, and they say what happened and no more."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd import happenings
from konnectd.config.key_steps import KeyChange
from konnectd.happenings import ClientChanged, Happening, Rejected, SignedIn, SignInRefused, TokensIssued
from konnectd.http import HttpRequest, HttpResponse
from konnectd.watch_assembly import Auditing
from konnectd.watching.audit_events import COMMON, LONGEST, SHAPES, entries, entry
from konnectd.web.route import Route
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.requests import NOTES
from tests.support.visitor import Visitor

MANUAL = Path(konnectd.__file__).parent.parent / "docs" / "operate" / "audit.md"
ROW = re.compile(r"^\| `([a-z-]+)` \|[^|]+\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
TYPES = {str: "text", int: "number", bool: "yes or no", dict: "object"}


def faults(line: str) -> list[str]:
    """Return what in an entry is not as the schema has it."""
    found = json.loads(line)
    shape = SHAPES.get(found.get("event", ""))
    if shape is None:
        return [f"{found.get('event')!r} is no event"]
    always, known = {**COMMON, **shape.always}, {**COMMON, **shape.always, **shape.maybe}
    wrong = [f"{name} is missing" for name in always if name not in found]
    wrong += [f"{name} is not known" for name in found if name not in known]
    wrong += [f"{name} is of another type" for name, value in found.items() if type(value) is not known.get(name)]
    return wrong


class Kept:
    """Keeps entries instead of writing them."""

    def __init__(self) -> None:
        """Begin with none."""
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Keep an entry."""
        self.lines.append(line)


class AuditedRuns(SynchronousTestCase):
    """A daemon in memory whose answers are written down."""

    words: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon(*self.words)
        self.kept: Any = Kept()
        self.auditing = Auditing(self.kept, lambda: 1.5)
        self.daemon.site = self.daemon.assembly.site(self.daemon.reactor, observe=self.auditing.observe)
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def events(self) -> list[str]:
        """Return what was written down since the last time, by name."""
        return [found["event"] for found in self.found()]

    def found(self) -> list[dict[str, Any]]:
        """Return what was written down since the last time; all of it has to be as the schema has it."""
        lines, self.kept.lines = self.kept.lines, []
        wrong = [(line, fault) for line in lines for fault in faults(line)]
        if wrong:
            raise AssertionError(wrong)
        return [json.loads(line) for line in lines]


class NobodyCountsTests(AuditedRuns):
    """A daemon whose settings say that nobody counts."""

    words = ("--with-metrics=no",)

    def test_not_told(self) -> None:
        """What clients get is not even put together."""
        consent = self.notes.sign_in(self.visitor)
        self.found()
        self.visitor.submit(consent, allow="1")

        self.assertEqual(self.events(), ["consent-given"])


class RunTests(AuditedRuns):
    """Who did what."""

    def test_sign_in(self) -> None:
        """Who signed in, at which client, from where; what they allowed, and what the client got."""
        consent = self.notes.sign_in(self.visitor)
        entered = self.found()
        self.visitor.submit(consent, allow="1")
        given, authorized = self.found()

        self.assertEqual(
            {name: entered[0][name] for name in ("event", "user", "client", "method", "address")},
            {"event": "sign-in", "user": "alice", "client": "notes", "method": "password", "address": "192.0.2.7"},
        )
        self.assertEqual(len(entered), 1)
        self.assertEqual((given["event"], given["client"], given["sub"]), ("consent-given", "notes", entered[0]["sub"]))
        self.assertEqual((authorized["event"], authorized["scope"]), ("authorization", "openid"))
        self.assertEqual(authorized["session"], entered[0]["session"])

    def test_wrong_password(self) -> None:
        """An account that was tried is named as the backend has it."""
        page = self.notes.arrive(self.visitor)
        self.visitor.submit(page, username="alice", password="wrong")
        (found,) = self.found()

        self.assertEqual((found["event"], found["reason"]), ("sign-in-refused", "wrong_password"))
        self.assertEqual(found["account"], self.daemon.people.users["alice"].subject)

    def test_what_was_typed(self) -> None:
        """A name that is nobody's is not written down: it may be a password."""
        page = self.notes.arrive(self.visitor)
        self.visitor.submit(page, username="my-p4ssword", password="x")
        (found,) = self.found()

        self.assertEqual((found["reason"], "account" in found), ("unknown_user", False))
        self.assertNotIn("my-p4ssword", json.dumps(found))

    def test_refusal(self) -> None:
        """Somebody who does not agree."""
        consent = self.notes.sign_in(self.visitor)
        self.found()
        self.visitor.submit(consent, deny="1")

        self.assertEqual(self.events()[0], "consent-refused")

    def test_taking_back(self) -> None:
        """What a client may do is taken back, on the page for that."""
        consent = self.notes.sign_in(self.visitor)
        self.visitor.submit(consent, allow="1")
        self.found()
        page = self.visitor.open(f"{self.daemon.settings.paths.inner}account")
        self.visitor.submit(page, revoke="notes")

        self.assertEqual(
            [(found["event"], found["client"]) for found in self.found()], [("consent-withdrawn", "notes")]
        )

    def test_signing_out(self) -> None:
        """Who leaves, of which session."""
        mail = Application(self.daemon)
        tokens = mail.tokens(self.visitor)
        session = self.found()[0]["session"]
        leave = f"{self.daemon.settings.paths.endsession}?id_token_hint={tokens['id_token']}"
        self.visitor.open(leave)
        (found,) = self.found()

        self.assertEqual((found["event"], found["session"], found["remote"]), ("sign-out", session, False))

    def test_refused_clients(self) -> None:
        """A client that does not prove who it is, and one that wants what it may not."""
        self.notes.ask_token(self.notes.basic(secret="wrong"), grant_type="authorization_code", code="x")
        self.daemon.get(self.notes.url(redirect_uri="https://evil.example/"))
        proof, astray = self.found()

        self.assertEqual((proof["client"], proof["error"], proof["route"]), ("notes", "invalid_client", "token"))
        self.assertEqual((astray["client"], astray["route"]), ("notes", "authorize"))
        self.assertNotIn("evil.example", json.dumps(astray))

    def test_codes_and_refreshing(self) -> None:
        """What follows from an authorization is not written down again; a code that comes back is."""
        mail = Application(self.daemon)
        code = mail.code(self.visitor, scope="openid offline_access")
        self.found()
        tokens = json_of(mail.redeem(code))
        mail.refresh(tokens["refresh_token"])
        before = self.events()
        mail.redeem(code)

        self.assertEqual((before, self.events()), ([], ["client-refused"]))

    def test_everyday(self) -> None:
        """What happens all the time and says nothing is not written down."""
        self.notes.arrive(self.visitor, prompt="none")
        self.daemon.get("/nowhere")
        self.daemon.get("/health-check")

        self.assertEqual(self.events(), [])


class SchemaTests(SynchronousTestCase):
    """The schema."""

    def test_manual(self) -> None:
        """The manual says which members each event has, always and when they are known, and no other event."""
        described = {
            name: (set(re.findall(r"`([a-z_]+)`", always)), set(re.findall(r"`([a-z_]+)`", maybe)))
            for name, always, maybe in ROW.findall(MANUAL.read_text(encoding="utf-8"))
        }

        self.assertEqual(described, {name: (set(shape.always), set(shape.maybe)) for name, shape in SHAPES.items()})

    def test_types(self) -> None:
        """The manual names each member with its type."""
        text = MANUAL.read_text(encoding="utf-8")
        members = {
            name: kind for shape in SHAPES.values() for name, kind in {**COMMON, **shape.always, **shape.maybe}.items()
        }

        self.assertEqual([name for name, kind in members.items() if f"| `{name}` | {TYPES[kind]} |" not in text], [])

    def test_everything_that_happens_has_a_shape(self) -> None:
        """Whatever an answer may come of, its entry is as the schema has it."""
        made = [
            line
            for kind in get_args(Happening)
            for happening in every(kind)
            for line in entries("token", (happening,), "192.0.2.7", 1.5)
        ]

        self.assertEqual([(line, faults(line)) for line in made if faults(line)], [])
        of_the_daemon = {"start", "stop", "keys", "configuration", "reload", "reload-refused", "lost"}
        of_the_daemon |= {f"key-{change}" for change in KeyChange}
        self.assertEqual({json.loads(line)["event"] for line in made}, set(SHAPES) - of_the_daemon)

    def test_time(self) -> None:
        """The time is one that everybody can read."""
        self.assertEqual(json.loads(entry("stop", 1.5))["time"], "1970-01-01T00:00:01.500Z")
        self.assertEqual(datetime.fromisoformat(json.loads(entry("stop", 1.5))["time"]).timestamp(), 1.5)

    def test_times_of_many(self) -> None:
        """Each entry has the thousandth of its own second."""
        moments = (1.5, 1.501, 2.0, 1.999, 1764137702.114)
        found = [datetime.fromisoformat(json.loads(entry("stop", moment))["time"]).timestamp() for moment in moments]

        self.assertEqual(found, list(moments))

    def test_names_of_all_kinds(self) -> None:
        """A name of any letters, controls of a terminal among them, is one line of ASCII and can be read again."""
        for user in ("alice", "J\u00fcrgen", "\U0001f600", "a\x7fb\x1b[2J", 'a"\\b', "\ud800"):
            told = SignedIn(user=user, sub="s", session="x")
            line = next(entries("sign-in", (told,), "", 0))

            self.assertTrue(line.isascii() and line.isprintable() and line.startswith('{"audit":1,'), line)
            self.assertEqual(json.loads(line)["user"], user)

    def test_long_ids(self) -> None:
        """The id of a client that registered itself has its whole registration in it, so a digest stands for it."""
        one, other = (
            json.loads(next(entries("register", (ClientChanged(client="e" * 3000 + end, change="registered"),), "", 0)))
            for end in "ab"
        )

        self.assertLess(len(one["client"]), 100)
        self.assertNotEqual(one["client"], other["client"])

    def test_sessions(self) -> None:
        """The id of a session is not written down."""
        told = SignedIn(user="a", sub="s", session="the-session-id")

        self.assertNotIn("the-session-id", next(entries("sign-in", (told,), "", 0)))

    @given(st.text(), st.text(), st.text())
    @settings(deadline=None)
    def test_no_text_gets_out(self, user: str, client: str, address: str) -> None:
        """Whatever names people and clients have, an entry is one line of ASCII, of a bounded length."""
        told = (SignedIn(user=user, sub="s", session=user, client=client), SignInRefused(reason="x", account=user))
        told += (Rejected(reason="x", error=client, client=client), TokensIssued(grant_type=user, client=client))
        for line in entries("token", told, address, 0):
            self.assertTrue(line.isascii() and line.isprintable())
            self.assertEqual(faults(line), [])
            self.assertLess(len(line), 20 * LONGEST)

    def test_nothing_happened(self) -> None:
        """Most answers make no entry."""
        kept: Any = Kept()
        Auditing(kept, lambda: 0.0).observe(None, HttpRequest(method="GET", path="/"), HttpResponse(), 0.0)

        self.assertEqual(kept.lines, [])


def every(kind: type) -> list[Any]:
    """Return one of each form of something that may happen."""
    person = {"user": "alice", "sub": "s@konnect"}
    forms: dict[type, list[dict[str, Any]]] = {
        happenings.SignedIn: [
            {**person, "session": "x"},
            {**person, "session": "x", "client": "c", "recognized": True},
        ],
        happenings.SignInRefused: [{"reason": "unknown_user"}, {"reason": "locked", "account": "a", "client": "c"}],
        happenings.Authorized: [{**person, "session": "x", "client": "c", "scope": "openid"}],
        happenings.ConsentAnswered: [{**person, "client": "c", "allowed": allowed} for allowed in (True, False)],
        happenings.ConsentWithdrawn: [{**person, "client": client} for client in ("c", "")],
        happenings.SignedOut: [{**person, "session": "x", "remote": remote} for remote in (True, False)],
        happenings.TokensIssued: [
            {"grant_type": name, "client": "c"} for name in ("client_credentials", "refresh_token")
        ],
        happenings.Rejected: [
            {"reason": "r", "error": "e"},
            {"reason": "r", "error": "e", "everyday": True},
            {"reason": "r"},
        ],
        happenings.ClientChanged: [
            {"client": "c", "change": change} for change in ("registered", "changed", "removed")
        ],
        happenings.TokenRevoked: [{"client": "c"}],
    }
    return [kind(**form) for form in forms[kind]]


class RouteTests(AuditedRuns):
    """Which route it was."""

    def test_no_route(self) -> None:
        """What belongs to no route has a name as well."""
        answer = HttpResponse().telling(Rejected(reason="r", error="e", reference="E1"))
        none: Route | None = None
        self.auditing.observe(none, HttpRequest(method="GET", path="/"), answer, 0.0)

        self.assertEqual(self.found()[0]["route"], "-")
