"""The stand-in for the groupware server lets people in as the real one does, by ways around the password as well."""

import base64
import json
from collections.abc import Callable
from typing import Any

from attrs import evolve
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support.kopano import codes
from tests.support.kopano.asking import CHUNKED, TCP, TLS, UNIX, Heard, ask, logon, session_of
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer, Transport
from tests.support.kopano.sso import Issuer

NOW = 1_800_000_000
TRUSTED, OTHER = (Peer(transport=Transport.TLS, public_key=key) for key in (b"trusted", b"other"))
ROOT = Peer(transport=Transport.UNIX, pid=200, uid=0)


class LogonCase(SynchronousTestCase):
    """A server in memory that runs as a user of its own."""

    def setUp(self) -> None:
        """Start."""
        self.server = KopanoServer(Clock(), seed=1)
        self.server.settings.own_uid = 999
        self.server.settings.uid_of = {"alice": 1000}.get
        self.server.settings.trusted_keys = {b"trusted"}

    def code(self, peer: Peer, name: str | None, password: str | None, **given: str | int | None) -> int | None:
        """Return what a logon came to."""
        return logon(self.server, peer, name, password, **given).code


class PasswordTests(LogonCase):
    """Names and passwords."""

    def test_everybody_has_the_password_of_the_table(self) -> None:
        """Whoever may sign in can, with any character in name and password."""
        people = [person for person in self.server.people if person.password and person.is_active]
        came_to = {person.name: self.code(TCP, person.name, person.password) for person in people}

        self.assertEqual(came_to, {person.name: codes.SUCCESS for person in people})

    def test_passwords_are_compared_exactly(self) -> None:
        """Case and space matter, unlike in the name."""
        wrong = ("Alice-secret", " alice-secret", "alice-secret ", "alice-secre")

        self.assertEqual({self.code(TCP, "alice", each) for each in wrong}, {codes.LOGON_FAILED})

    def test_no_password(self) -> None:
        """A missing one is refused like a wrong one."""
        self.assertEqual(self.code(TCP, "alice", None), codes.LOGON_FAILED)

    def test_system_has_no_password(self) -> None:
        """It can not sign in with one, whatever is in the table."""
        system = next(person for person in self.server.people if person.name == "SYSTEM")
        self.server.people.replace(evolve(system, password="a password"))

        self.assertEqual(self.code(TCP, "SYSTEM", "a password"), codes.LOGON_FAILED)

    def test_nobody_to_impersonate(self) -> None:
        """With a password it does not matter that the element is missing."""
        self.assertEqual(self.code(TCP, "alice", "alice-secret", szImpersonateUser=None), codes.SUCCESS)

    def test_somebody_else(self) -> None:
        """Who administrates may act as somebody, and the session is that one's."""
        session = logon(self.server, TCP, "admin", "admin-secret", szImpersonateUser="bob").session
        heard = ask(self.server, TCP, "getUser", sUserId="", ulSessionId=session)

        self.assertEqual(heard.value("lpszUsername"), "bob")

    def test_somebody_who_is_not_there(self) -> None:
        """Nobody can act as nobody."""
        self.assertEqual(self.code(TCP, "admin", "admin-secret", szImpersonateUser="nobody"), codes.LOGON_FAILED)

    def test_versions(self) -> None:
        """Only one that can be read and is too old is refused."""
        given = ("5,9,9", "0,5,9,9", "6,0,0", "0,8,7,1", "8", "old", "")
        came_to = [self.code(TCP, "alice", "alice-secret", szVersion=each) for each in given]

        self.assertEqual(came_to, [codes.INVALID_VERSION] * 2 + [codes.SUCCESS] * 5)

    def test_a_check_leaves_no_session(self) -> None:
        """With flag 2 there is an id, and no session."""
        session = logon(self.server, TCP, "alice", "alice-secret", ulFlags=3).session

        self.assertEqual((session > 0, len(self.server.sessions)), (True, 0))


class CertificateTests(LogonCase):
    """The first way around the password."""

    def test_a_trusted_one_opens_everything(self) -> None:
        """Neither password nor flags nor kind of account are looked at."""
        came_to = [self.code(TRUSTED, name, "wrong", ulFlags=3) for name in ("alice", "room1", "SYSTEM")]

        self.assertEqual(came_to, [codes.SUCCESS] * 3)

    def test_nobody_of_that_name(self) -> None:
        """There has to be an account."""
        self.assertEqual(self.code(TRUSTED, "nobody", "wrong"), codes.LOGON_FAILED)

    def test_another_one_opens_nothing(self) -> None:
        """The password counts then."""
        came_to = [self.code(OTHER, "alice", password) for password in ("wrong", "alice-secret")]

        self.assertEqual(came_to, [codes.LOGON_FAILED, codes.SUCCESS])

    def test_the_missing_element(self) -> None:
        """Without somebody to impersonate, be it nobody, it does not work."""
        self.assertEqual(self.code(TRUSTED, "alice", "wrong", szImpersonateUser=None), codes.LOGON_FAILED)

    def test_sessions_are_those_of_the_address(self) -> None:
        """A session that a certificate has opened is good without it."""
        session = logon(self.server, TRUSTED, "SYSTEM", "", ulFlags=0).session

        heard = ask(self.server, TLS, "resolveUsername", lpszUsername="bob", ulSessionId=session)
        self.assertEqual(heard.code, codes.SUCCESS)


class ProcessTests(LogonCase):
    """The second way around the password."""

    def test_an_administrator_of_the_machine(self) -> None:
        """Without flag 1 root is let in as anybody."""
        self.assertEqual(self.code(ROOT, "bob", "wrong", ulFlags=0), codes.SUCCESS)

    def test_the_flag(self) -> None:
        """With it the password counts."""
        self.assertEqual(self.code(ROOT, "bob", "wrong", ulFlags=1), codes.LOGON_FAILED)

    def test_the_server_itself(self) -> None:
        """The user that the server runs as is let in as anybody."""
        peer = Peer(transport=Transport.UNIX, pid=300, uid=999)

        self.assertEqual(self.code(peer, "SYSTEM", "", ulFlags=0), codes.SUCCESS)

    def test_an_account_of_the_machine(self) -> None:
        """Anybody else is let in as who has the same name, and as nobody else."""
        came_to = [self.code(UNIX, name, "wrong", ulFlags=0) for name in ("alice", "bob")]

        self.assertEqual(came_to, [codes.SUCCESS, codes.LOGON_FAILED])

    def test_accounts_of_the_machine_can_be_switched_off(self) -> None:
        """They are nobody special then."""
        self.server.settings.local_users = False

        self.assertEqual(self.code(UNIX, "alice", "wrong", ulFlags=0), codes.LOGON_FAILED)

    def test_settings_can_say_who_it_is(self) -> None:
        """Administrators of the machine can be taken from the list."""
        self.server.settings.local_admins = frozenset()

        self.assertEqual(self.code(ROOT, "bob", "wrong", ulFlags=0), codes.LOGON_FAILED)

    def test_root_on_the_network(self) -> None:
        """Over the network nobody is root."""
        self.assertEqual(self.code(TCP, "bob", "wrong", ulFlags=0), codes.LOGON_FAILED)


Claims = dict[str, Any]


class TokenTests(LogonCase):
    """Tokens in the place of a password."""

    def setUp(self) -> None:
        """Trust an issuer."""
        super().setUp()
        self.key = JWK.generate(kty="EC", crv="P-256", kid="one")
        self.keys = {"keys": [self.key.export_public(as_dict=True)]}
        self.server.settings.issuer = Issuer(keys=self.keys, identifier="https://op.test", now=lambda: NOW)

    def claims(self, **changes: object) -> Claims:
        """Return claims that are good, for alice."""
        usual: Claims = {
            "iss": "https://op.test",
            "aud": "konnect",
            "sub": self.entry_id("alice"),
            "iat": NOW,
            "exp": NOW + 60,
            "kc.isAccessToken": True,
            "kc.authorizedScopes": ["openid", "kopano/gc"],
            "kc.identity": None,
        }
        return {name: value for name, value in (usual | changes).items() if value is not ...}

    def entry_id(self, name: str) -> str:
        """Return who somebody is."""
        person = self.server.people.by_name(name)
        if person is None:
            raise AssertionError("nobody of that name")
        return person.entry_id.to_text()

    def token(self, claims: Claims, key: JWK | None = None, **head: object) -> str:
        """Sign claims."""
        jws = JWS(json.dumps(claims))
        jws.add_signature(key or self.key, None, json.dumps({"alg": "ES256", "kid": "one"} | head))
        text: str = jws.serialize(compact=True)
        return text

    def present(self, token: str, username: str | None = "", **given: str | int | None) -> Heard:
        """Show a token."""
        usual: dict[str, str | int | None] = {
            "lpInput": base64.b64encode(b"KCOIDC" + token.encode()).decode(),
            "szImpersonateUser": "",
            "clientCaps": CHUNKED,
            "clientVersion": "8",
            "szClientApp": "konnect",
            "ulSessionId": 0,
        }
        return ask(self.server, TCP, "ssoLogon", szUsername=username, **(usual | given))

    def who(self, token: str, username: str = "") -> str | None:
        """Return whose session a token opens; None for none."""
        session = self.present(token, username).session
        return ask(self.server, TCP, "getUser", sUserId="", ulSessionId=session).value("lpszUsername")

    def test_the_subject(self) -> None:
        """Without an identity the subject says who it is."""
        self.assertEqual(self.who(self.token(self.claims())), "alice")

    def test_the_identity(self) -> None:
        """With one it says who it is, and the subject does not."""
        claims = self.claims(**{"sub": "x@konnect", "kc.identity": {"kc.i.id": self.entry_id("bob")}})

        self.assertEqual(self.who(self.token(claims)), "bob")

    def test_who_is_expected(self) -> None:
        """A name has to be the entry id of the same one; the number in it does not matter."""
        number = base64.b64decode(self.entry_id("alice"))
        same = base64.b64encode(number[:28] + b"\x63\0\0\0" + number[32:]).decode()
        token = self.token(self.claims())
        opened = [self.who(token, each) for each in (self.entry_id("alice"), same, self.entry_id("bob"), "alice")]

        self.assertEqual(opened, ["alice", "alice", None, None])

    def test_tokens_that_are_no_good(self) -> None:
        """Each of them opens nothing."""
        wrong = {
            "over": self.token(self.claims(exp=NOW)),
            "endless": self.token(self.claims(exp=...)),
            "not yet": self.token(self.claims(nbf=NOW + 60)),
            "another issuer": self.token(self.claims(iss="https://other.test")),
            "an ID token": self.token(self.claims(**{"kc.isAccessToken": ...})),
            "almost an access token": self.token(self.claims(**{"kc.isAccessToken": "true"})),
            "another scope": self.token(self.claims(**{"kc.authorizedScopes": ["openid"]})),
            "scopes as text": self.token(self.claims(**{"kc.authorizedScopes": "kopano/gc"})),
            "nobody": self.token(self.claims(sub="alice")),
            "another key": self.token(self.claims(), JWK.generate(kty="EC", crv="P-256", kid="one")),
            "an unknown key": self.token(self.claims(), kid="two"),
            "no word of a key": self.token(self.claims(), kid=""),
            "changed": self.token(self.claims())[:-8] + "AAAAAAAA",
            "no token": "x",
        }

        self.assertEqual(
            {name: self.present(token).code for name, token in wrong.items()}, dict.fromkeys(wrong, codes.LOGON_FAILED)
        )

    def test_keys_without_a_name(self) -> None:
        """A token that names no key is refused, though the issuer has a key without a name."""
        self.keys["keys"][0].pop("kid")
        jws = JWS(json.dumps(self.claims()))
        jws.add_signature(self.key, None, json.dumps({"alg": "ES256"}))

        self.assertEqual(self.present(jws.serialize(compact=True)).code, codes.LOGON_FAILED)

    def test_an_algorithm_that_is_not_the_issuers(self) -> None:
        """What the issuer does not sign with is not accepted."""
        self.server.settings.issuer = Issuer(keys=self.keys, algorithms=frozenset(("PS256",)), now=lambda: NOW)

        self.assertEqual(self.present(self.token(self.claims())).code, codes.LOGON_FAILED)

    def test_keys_can_be_asked_for(self) -> None:
        """What returns keys is as good as keys."""
        keys: Callable[[], Any] = lambda: self.keys  # noqa: E731 - so that it is one
        self.server.settings.issuer = Issuer(keys=keys, now=lambda: NOW)

        self.assertEqual(self.who(self.token(self.claims())), "alice")

    def test_switched_off(self) -> None:
        """A server that takes no tokens refuses good ones."""
        self.server.settings.enable_sso = False

        self.assertEqual(self.present(self.token(self.claims())).code, codes.LOGON_FAILED)

    def test_elements_that_have_to_be_there(self) -> None:
        """Without any of them a good token is refused."""
        token = self.token(self.claims())
        missing = [
            self.present(token, None).code,
            self.present(token, szImpersonateUser=None).code,
            self.present(token, clientVersion=None).code,
            self.present(token, szClientApp=None).code,
            self.present(token, lpInput=None).code,
        ]

        self.assertEqual(missing, [codes.LOGON_FAILED] * 5)

    def test_other_kinds_of_tokens(self) -> None:
        """Nothing else is understood."""
        given = base64.b64encode(b"NTLM" + self.token(self.claims()).encode()).decode()

        self.assertEqual(self.present("", lpInput=given).code, codes.LOGON_FAILED)

    def test_an_exchange_that_was_never_begun(self) -> None:
        """It can not be gone on with."""
        self.assertEqual(self.present(self.token(self.claims()), ulSessionId=5).code, codes.END_OF_SESSION)

    def test_frames(self) -> None:
        """A session of a token has its answers in chunks, or not, as one of a password has."""
        token = self.token(self.claims())
        sessions = (self.present(token).session, self.present(token, clientCaps=CHUNKED & ~0x100).session)
        heard = [ask(self.server, TCP, "logoff", ulSessionId=session).is_chunked for session in sessions]

        self.assertEqual(heard, [True, False])


class RecordTests(LogonCase):
    """What the server remembers."""

    def test_what_was_asked(self) -> None:
        """Call, transport, certificate, name and flags are there to look at."""
        logon(self.server, OTHER, "alice", "wrong", ulFlags=3)
        asked = self.server.asked[0]

        self.assertEqual(
            (asked.call, asked.transport, asked.certificate, asked.username, asked.flags, asked.code),
            ("logon", Transport.TLS, True, "alice", 3, codes.LOGON_FAILED),
        )

    def test_secrets_are_not_shown(self) -> None:
        """What is remembered does not print passwords or sessions, nor do accounts."""
        session = session_of(self.server)
        ask(self.server, TCP, "logoff", ulSessionId=session)
        shown = repr(self.server.asked) + repr(list(self.server.people)) + repr(self.server.settings)

        self.assertEqual([word for word in ("secret", str(session)) if word in shown], [])

    def test_values_are_there_to_look_at(self) -> None:
        """A test can see which password was sent."""
        logon(self.server, TCP, "alice", "wrong")

        self.assertEqual(self.server.calls_of("logon")[0].values["szPassword"], "wrong")
