"""The calls, held against real exchanges: what we send is what a real server has taken, and its answers are read."""

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _kopano_answers as answers
from konnectd.backends._kopano_answers import LogonAnswer, ManyProperty, Property, ResolveAnswer, SessionId, Standing
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError, UnsendableError
from konnectd.backends._kopano_logons import (
    LONGEST_TOKEN,
    PasswordCheck,
    PasswordProbe,
    PersonLogon,
    ServiceAccount,
    ServiceLogon,
    TokenLogon,
)
from konnectd.backends._kopano_soap import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    MOST_NAMES,
    BookName,
    GetUser,
    Logoff,
    ResolveNames,
    ResolveUsername,
)
from tests.support.kopano.captures import captures
from tests.support.kopano_calls import READERS, Sent, captured, outcome, rebuilt, replied, sent

SESSION = SessionId(9661529679815429599)
ALICE = EntryId.parse("AAAAAKwhqVBA0+5Isxn7p1MwRCUBAAAABgAAAAMAAABlM0lhMWVkM1RmU29hempISWo1aEZRPT0AAAAA")

#: Calls that a real client has sent and ours can not, each with the reason.
NOT_SENT = {
    "fault-empty-body": "no call",
    "fault-not-xml": "no call",
    "fault-unknown-method": "no call of ours",
    "fault-wrong-namespace": "no call",
    "getUser-empty-id-is-self": "would be about whoever asks",
    "getUser-not-base64": "no entry id",
    "getUser-system": "no external id",
    "getUser-truncated-entryid": "no entry id",
    "getUserList-ok": "no call of ours",
    "http-get": "no call",
    "logon-client-too-old": "says its version",
    "logon-empty-password": "nobody's password",
    "logon-empty-username": "nobody's name",
    "logon-impersonate-denied": "as somebody else",
    "logon-impersonate-ok": "as somebody else",
    "logon-no-unicode-capability": "without Unicode",
    "logon-system-unix-noimpersonate": "leaves out what must be there",
    "logon-system-unix-nouidauth": "the server's own account as a person",
    "logon-system-unix-rawxml": "has no head",
    "logon-with-szVersion": "says its version",
    "ok-default-namespace": "has another form",
    "resolveUsername-empty": "nobody's name",
    "resolveUsername-missing-name": "leaves out what must be there",
    "resolveUsername-session-notnumber": "no session",
    "ssoLogon-empty-input": "no token",
    "ssoLogon-kcoidc-no-clientVersion": "leaves out what must be there",
    "ssoLogon-kcoidc-no-impersonate-element": "leaves out what must be there",
    "ssoLogon-kcoidc-no-unicode": "without Unicode",
    "ssoLogon-missing-clientVersion": "leaves out what must be there",
    "trap-qualified-children": "children that servers ignore",
}


def is_sent(name: str) -> bool:
    """Tell whether we send the same as a real client has."""
    request = sent(captured(name))
    if request is None:
        return False
    try:
        call = rebuilt(request)
    except ValueError:
        return False
    ours = sent(call.encode())
    return ours is not None and ours.comparable() == request.comparable()


class CaptureTests(SynchronousTestCase):
    """Every exchange there is."""

    def test_requests(self) -> None:
        """We send what a real client has sent and a real server has taken, but for what must not be sent."""
        self.assertEqual({one.name for one in captures() if not is_sent(one.name)}, set(NOT_SENT))

    def test_answers(self) -> None:
        """Every answer to a call of ours comes to what the index says, good or bad."""
        found, expected = {}, {}
        for one in captures():
            request = sent(captured(one.name))
            if request is not None and request.method in READERS:
                expected[one.name] = one.result.strip()
                found[one.name] = outcome(READERS[request.method], replied(one.name))

        self.assertEqual(found, expected)
        self.assertGreater(len(found), 80)


class LogonTests(SynchronousTestCase):
    """Signing in."""

    def sent(self, call: PersonLogon | PasswordCheck | PasswordProbe | ServiceLogon | TokenLogon) -> Sent:
        """Return what a call sends."""
        found = sent(call.encode())
        if found is None:
            raise AssertionError("it is no call")
        return found

    def test_flags(self) -> None:
        """Whoever is a person is let in by nothing but the password, and what only checks leaves no session."""
        account = ServiceAccount("svc", "svc-secret")
        table = {
            PersonLogon("alice", "x"): "1",
            PasswordCheck("alice", "x"): "3",
            PasswordProbe(account, "x"): "3",
            ServiceLogon(account): "0",
        }

        self.assertEqual({call: self.sent(call).get("ulFlags") for call in table}, table)

    def test_flags_can_not_be_given(self) -> None:
        """There is no way to make a person's logon with other flags, and none to change one."""
        for name in ("flags", "ulFlags"):
            with self.assertRaises(TypeError):
                PersonLogon("alice", "x", **{name: 0})  # type: ignore[arg-type]
        with self.assertRaises(AttributeError):
            PersonLogon("alice", "x").flags = 0  # type: ignore[attr-defined]

    def test_capabilities(self) -> None:
        """Unicode is announced, or servers refuse; answers in pieces are not asked for."""
        self.assertEqual(self.sent(PersonLogon("alice", "x")).get("ulCapabilities"), "592")
        self.assertEqual(self.sent(TokenLogon("x")).get("clientCaps"), "592")

    def test_nobody_else(self) -> None:
        """The one to act as is there and empty: without it servers look at neither uid nor certificate."""
        for call in (ServiceLogon(ServiceAccount("SYSTEM", "")), TokenLogon("x")):
            self.assertIn(b"<szImpersonateUser/>", call.encode())

    def test_probe(self) -> None:
        """A probe names the service's account and shows another password than the service's."""
        request = self.sent(PasswordProbe(ServiceAccount("SYSTEM", ""), "chance"))

        self.assertEqual((request.get("szUsername"), request.get("szPassword")), ("SYSTEM", "chance"))

    def test_system(self) -> None:
        """Nobody signs in as the server itself, however it is written."""
        for name in ("SYSTEM", "system", "System", " SYSTEM ", "\u017fyst\u0065m"):
            for kind in (PersonLogon, PasswordCheck):
                with self.subTest(name=name, kind=kind), self.assertRaises(UnsendableError):
                    kind(name, "x")

    def test_unsendable(self) -> None:
        """Names and passwords that can be nobody's are refused before they are sent, and not repeated."""
        names = ("", " ", "x" * (LONGEST_NAME + 1), "a\nb", "a\0b", "a\x7fb", "a\u2028b", "a\ud800", "a\uffff")
        passwords = ("", "s3cret" * LONGEST_PASSWORD, "s3cret\0", "s3cret\x1b", "s3cret\udfff", "s3cret\ufffe")
        for name, password in [(name, "x") for name in names] + [("alice", password) for password in passwords]:
            for kind in (PersonLogon, PasswordCheck, ServiceAccount):
                with self.subTest(name=name[:9], password=password[:9], kind=kind):
                    error = self.assertRaises(UnsendableError, kind, name, password)
                    self.assertNotIn("s3cret", str(error))

    def test_longest(self) -> None:
        """The longest name and password are sent as they are."""
        name, password = "é" * LONGEST_NAME, "\t<&>\"'\r\n 😀" + "x" * (LONGEST_PASSWORD - 10)
        request = self.sent(PersonLogon(name, password))

        self.assertEqual((request.get("szUsername"), request.get("szPassword")), (name, password))

    def test_token(self) -> None:
        """A token is sent as one of ours, with the entry id it has to be for, or with none."""
        request = self.sent(TokenLogon("a.b.c", ALICE))

        self.assertEqual(request.get("lpInput"), b64encode(b"KCOIDCa.b.c").decode())
        self.assertEqual(request.get("szUsername"), str(ALICE))
        self.assertEqual(self.sent(TokenLogon("a.b.c")).get("szUsername"), "")

    def test_no_token(self) -> None:
        """What can be no token is refused."""
        for token in ("", "é", "x" * (LONGEST_TOKEN + 1)):
            with self.subTest(token=token[:9]), self.assertRaises(UnsendableError):
                TokenLogon(token)

    def test_answer(self) -> None:
        """A session has its whole 64 bits."""
        found = PersonLogon("alice", "x").read(replied("logon-user-ok"))

        self.assertEqual(
            found,
            LogonAnswer(
                session=SESSION,
                server_version="0,11,0,2",
                server_guid=bytes.fromhex("50e4ba288be542f3b483c9e4f8adbb65"),
            ),
        )

    def test_nothing_secret_is_shown(self) -> None:
        """Passwords, tokens and sessions do not get into a traceback or a log with the values that hold them."""
        account = ServiceAccount("svc", "s3cret")
        values = (
            PersonLogon("alice", "s3cret"), PasswordCheck("alice", "s3cret"), PasswordProbe(account, "s3cret"),
            ServiceLogon(account), TokenLogon("s3cret"), Logoff(SESSION), GetUser(SESSION, ALICE),
            ResolveUsername(SESSION, "alice"), ResolveNames(SESSION, (BookName("alice"),)),
            PersonLogon("alice", "x").read(replied("logon-user-ok")),
        )  # fmt: skip
        text = repr(values)

        self.assertNotIn("s3cret", text)
        self.assertNotIn(str(SESSION.number), text)

    def test_secrets_are_known(self) -> None:
        """Each call knows what in it must not come back into a log."""
        account = ServiceAccount("svc", "s3cret")
        table = {
            PersonLogon("alice", "s3cret"): "s3cret",
            PasswordCheck("alice", "s3cret"): "s3cret",
            PasswordProbe(account, "x"): "s3cret",
            ServiceLogon(account): "s3cret",
            TokenLogon("s3cret"): b64encode(b"KCOIDCs3cret").decode(),
            Logoff(SESSION): str(SESSION.number),
            GetUser(SESSION, ALICE): str(SESSION.number),
            ResolveUsername(SESSION, "alice"): str(SESSION.number),
            ResolveNames(SESSION, (BookName("alice"),)): str(SESSION.number),
        }

        self.assertEqual([type(call) for call, secret in table.items() if secret not in call.secrets], [])

    def test_repeatable(self) -> None:
        """A second try must do no harm: the service's logon, tokens and sign-outs are made once."""
        account = ServiceAccount("svc", "x")
        once = (ServiceLogon(account), TokenLogon("x"), Logoff(SESSION))
        again = (
            PersonLogon("alice", "x"), PasswordCheck("alice", "x"), PasswordProbe(account, "x"),
            GetUser(SESSION, ALICE), ResolveUsername(SESSION, "alice"), ResolveNames(SESSION, (BookName("alice"),)),
        )  # fmt: skip

        self.assertEqual([call.repeatable for call in once], [False] * len(once))
        self.assertEqual([call.repeatable for call in again], [True] * len(again))


class SessionTests(SynchronousTestCase):
    """What is asked in a session."""

    def test_resolve(self) -> None:
        """A name leads to an entry id."""
        found = ResolveUsername(SESSION, "alice").read(replied("resolveUsername-ok"))

        self.assertEqual(found, ResolveAnswer(numeric_id=3, entry_id=ALICE))

    def test_resolve_system(self) -> None:
        """The server's own account, which keeps a session alive, has no entry id to sign in with."""
        found = ResolveUsername(SESSION, "SYSTEM").read(replied("resolveUsername-SYSTEM-keepalive"))

        self.assertEqual(found, ResolveAnswer(numeric_id=2, entry_id=None))

    def test_user(self) -> None:
        """Names, mail address and properties are read, with many values too."""
        user = GetUser(SESSION, ALICE).read(replied("getUser-ok"))

        self.assertEqual(
            (user.numeric_id, user.username, user.full_name, user.mail_address, user.object_class, user.is_admin),
            (3, "alice", "Alice Anderson", "alice@example.test", 65537, 0),
        )
        self.assertEqual((user.find(answers.GIVEN_NAME), user.find(answers.SURNAME)), ("Alicia", "Andersson"))
        self.assertIn(ManyProperty(tag=answers.DISABLED_FEATURES, values=("imap", "pop3")), user.many_properties)
        self.assertEqual(user.entry_id, ALICE)

    def test_user_without_properties(self) -> None:
        """Somebody may have no properties at all."""
        user = GetUser(SESSION, ALICE).read(replied("getUser-no-propmap"))

        self.assertEqual((user.properties, user.find(answers.GIVEN_NAME)), ((), None))

    def test_other_type(self) -> None:
        """A name that came as another type is not the one that is looked for."""
        content = replied("getUser-ok").replace(b"973471774", b"973471775")
        user = GetUser(SESSION, ALICE).read(content)

        self.assertIsNone(user.find(answers.GIVEN_NAME))
        self.assertIn(Property(tag=0x3A06001F, value="Alicia"), user.properties)

    def test_admin(self) -> None:
        """An administrator is told from others."""
        self.assertEqual(GetUser(SESSION, ALICE).read(replied("getUser-admin")).is_admin, 1)

    def test_not_found(self) -> None:
        """An error has its number, although there is nothing else in the answer."""
        error = self.assertRaises(KopanoError, GetUser(SESSION, ALICE).read, replied("getUser-unknown-externid"))

        self.assertEqual(error.code, Code.KCERR_NOT_FOUND)

    def test_logoff_twice(self) -> None:
        """A sign-out has its number in another place, and it is looked at."""
        error = self.assertRaises(KopanoError, Logoff(SESSION).read, replied("logoff-again"))

        self.assertEqual(error.code, Code.KCERR_END_OF_SESSION)

    @given(st.integers(0, 2**64 - 1))
    @settings(deadline=None)
    def test_every_session(self, number: int) -> None:
        """Whatever 64 bits a session has, they are sent as they are."""
        request = sent(Logoff(SessionId(number)).encode())

        self.assertEqual(request, Sent("logoff", (("ulSessionId", str(number)),)))


class BookTests(SynchronousTestCase):
    """The address book."""

    def test_rows(self) -> None:
        """What was found under a name is in its row, each of its own type."""
        found = ResolveNames(SESSION, (BookName("alice"),)).read(replied("abResolveNames-resolved"))

        self.assertEqual(found.rows[0].standing, Standing.RESOLVED)
        self.assertEqual(found.rows[0].find(answers.SMTP_ADDRESS), "alice@example.test")
        self.assertEqual(found.rows[0].find(answers.ENTRY_ID), ALICE.content)
        self.assertEqual(found.rows[0].find(answers.OBJECT_TYPE), 6)

    def test_standings(self) -> None:
        """Nobody and several are told apart, and neither has properties."""
        call = ResolveNames(SESSION, (BookName("a"),))
        rows = [call.read(replied(f"abResolveNames-{name}")).rows[0] for name in ("notfound", "ambiguous")]

        self.assertEqual([row.standing for row in rows], [Standing.NOT_FOUND, Standing.AMBIGUOUS])
        self.assertEqual([row.properties for row in rows], [(), ()])

    def test_sizes(self) -> None:
        """Neither nothing nor everything is looked up."""
        for names in ((), (BookName("a"),) * (MOST_NAMES + 1)):
            with self.subTest(count=len(names)), self.assertRaises(UnsendableError):
                ResolveNames(SESSION, names)
        with self.assertRaises(UnsendableError):
            ResolveNames(SESSION, (BookName("a"),), tags=())
