"""Clients with pairwise subjects over HTTP: one name for a person everywhere, and nothing that links it to others."""

import json
from base64 import urlsafe_b64decode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.parts import World
from konnectd.protocol.claims import ACCOUNT, IDENTITY
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.pairwise import Pairwise
from tests.contracts.signers import sign
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.people import ALICE
from tests.support.registering import ON, SelfRegistered
from tests.support.requests import BYE, CALLBACK, MAIL
from tests.support.visitor import Visitor

SALT = bytes(range(32))
#: A client of the file, trusted so that nobody is asked.
PRIVATE = evolve(
    MAIL,
    client_id="private",
    pairwise=Pairwise("notes.example.org", SALT),
    post_logout_redirect_uris=(BYE,),
)
ALICES = Pairwise("notes.example.org", SALT).sub("alice", "identifier-test")
PUBLIC = public_subject("alice", "identifier-test")
OFFLINE = "openid profile offline_access"


class PairwiseTests(SynchronousTestCase):
    """Every place a subject appears in or is compared at."""

    def setUp(self) -> None:
        """Begin with a client that knows people by names of its own."""
        self.daemon = Daemon(clients=(MAIL, PRIVATE), pairwise_salt=SALT)
        self.app = Application(self.daemon, PRIVATE)
        self.visitor = Visitor(self.daemon)

    def test_same_everywhere(self) -> None:
        """ID token, userinfo, and what refreshing gives say the same name."""
        tokens = self.app.tokens(self.visitor, scope=OFFLINE)
        again = json_of(self.app.refresh(tokens["refresh_token"]))
        subjects = {claims_of(tokens["id_token"])["sub"], claims_of(again["id_token"])["sub"]}
        subjects |= {json_of(self.app.userinfo(one["access_token"]))["sub"] for one in (tokens, again)}
        subjects |= {claims_of(one["access_token"])["sub"] for one in (tokens, again)}

        self.assertEqual(subjects, {ALICES})

    def test_nothing_links(self) -> None:
        """No token tells the client who the person is for others, nor what the backend knows them by."""
        tokens = self.app.tokens(self.visitor, scope="openid offline_access")
        again = json_of(self.app.refresh(tokens["refresh_token"]))
        for name in ("access_token", "id_token", "refresh_token"):
            for one in (tokens, again):
                payload = one[name].split(".")[1]
                text = urlsafe_b64decode(payload + "==").decode()
                with self.subTest(token=name):
                    self.assertNotIn(PUBLIC, text)
                    self.assertNotIn(f'"{ALICE.user_id}"', text)
                    self.assertNotIn(f'"{ALICE.name}"', text)

    def test_sessions_do_not_link(self) -> None:
        """No two clients know a session by one name, and what a third one can read does not help to compute it."""
        mine = self.app.tokens(self.visitor, scope="openid offline_access")
        other = Application(self.daemon)
        code = other.told(other.arrive(self.visitor, scope="openid offline_access"))["code"]
        others = json_of(other.redeem(code))
        sids = [claims_of(tokens["id_token"])["sid"] for tokens in (mine, others)]
        session_id = claims_of(others["refresh_token"])["kc.identity"]["kc.i.session"]

        self.assertEqual(sids, [PRIVATE.sid_of(session_id), MAIL.sid_of(session_id)])
        self.assertNotIn(sids[0], {sids[1], session_id, evolve(PRIVATE, pairwise=None).sid_of(session_id)})
        for token in mine.values():
            self.assertNotIn(session_id, urlsafe_b64decode(f"{token}..".split(".")[1] + "==").decode())

    def test_raw_subject(self) -> None:
        """The backend's own subject, which all would share, is not granted."""
        tokens = self.app.tokens(self.visitor, scope="openid konnect/raw_sub")

        self.assertEqual(claims_of(tokens["id_token"])["sub"], ALICES)
        self.assertEqual(json_of(self.app.userinfo(tokens["access_token"]))["sub"], ALICES)
        self.assertNotIn("konnect/raw_sub", tokens["scope"])

    def test_others_are_public(self) -> None:
        """Other clients go on to know people as they did."""
        tokens = Application(self.daemon).tokens(self.visitor)

        self.assertEqual(claims_of(tokens["id_token"])["sub"], PUBLIC)
        self.assertIn("kc.i.id", claims_of(tokens["access_token"])["kc.identity"])

    def test_hint(self) -> None:
        """The client's own ID token is a good hint; that of another one is about nobody it knows."""
        own = self.app.tokens(self.visitor)["id_token"]
        foreign = Application(self.daemon).tokens()["id_token"]

        self.assertIn("code", self.app.told(self.app.arrive(self.visitor, prompt="none", id_token_hint=own)))
        told = self.app.told(self.app.arrive(self.visitor, prompt="none", id_token_hint=foreign))
        self.assertEqual(told["error"], "login_required")

    def test_requested_subject(self) -> None:
        """A request for one person by the ``claims`` parameter means the name this client knows."""
        self.app.sign_in(self.visitor)
        for sub, part in ((ALICES, "code"), (PUBLIC, "error"), ("alice", "error")):
            claims = json.dumps({"id_token": {"sub": {"value": sub}}})
            told = self.app.told(self.app.arrive(self.visitor, prompt="none", claims=claims))
            with self.subTest(sub=sub):
                self.assertIn(part, told)

    def test_leaving(self) -> None:
        """The client's own ID token is enough to sign out without a question."""
        hint = self.app.tokens(self.visitor)["id_token"]
        visit = self.visitor.open(
            f"{self.daemon.settings.paths.endsession}?id_token_hint={hint}&post_logout_redirect_uri={BYE}"
        )

        self.assertTrue(visit.left)

    def test_became_pairwise(self) -> None:
        """A refresh token from before the client had names of its own is not good any more."""
        before = Daemon(clients=(evolve(PRIVATE, pairwise=None),))
        tokens = Application(before, evolve(PRIVATE, pairwise=None)).tokens(scope=OFFLINE)

        self.assertEqual(error_of(self.app.refresh(tokens["refresh_token"])), (400, "invalid_grant"))

    def test_person_is_gone(self) -> None:
        """When somebody else has the id by now, tokens are about nobody."""
        tokens = self.app.tokens(self.visitor)
        self.daemon.people.users["alice"] = evolve(ALICE, subject="another alice")

        self.assertEqual(self.app.userinfo(tokens["access_token"]).status, 401)

    def test_metadata(self) -> None:
        """Metadata has pairwise subjects where there is a salt, and nowhere else."""
        for salt, types in ((SALT, ["public", "pairwise"]), (b"", ["public"])):
            metadata = json_of(Daemon(pairwise_salt=salt).get("/.well-known/openid-configuration"))
            with self.subTest(types=types):
                self.assertEqual(metadata["subject_types_supported"], types)


class SelfRegisteredTests(SynchronousTestCase):
    """Clients that registered themselves."""

    def test_sectors(self) -> None:
        """Two clients of one host know a person by one name, one of another host by another."""
        daemon = Daemon(ON, pairwise_salt=SALT)
        subjects = []
        for uri in (CALLBACK, "https://notes.example.org/other", "https://mail.example.org/cb"):
            app = SelfRegistered.begin(daemon, subject_type="pairwise", redirect_uris=[uri])
            subjects.append(claims_of(app.tokens()["id_token"])["sub"])

        self.assertEqual(subjects[0], ALICES)
        self.assertEqual(subjects[1], ALICES)
        self.assertNotIn(subjects[2], {ALICES, PUBLIC})


class CompositionTests(SynchronousTestCase):
    """The daemon as it is started."""

    def test_identities_are_sealed(self) -> None:
        """What signs there seals identities that a client must not read, and what verifies opens them."""
        daemon = Daemon()
        built = World.build(daemon.settings, daemon.world.contents, daemon.people, daemon.world.store)
        identity = {"kc.i.id": "alice", ACCOUNT: PUBLIC}
        token = sign(built.signer, {IDENTITY: identity, "exp": built.clock.now() + 60})

        self.assertNotIn("kc.i.id", claims_of(token)[IDENTITY])
        self.assertEqual((built.verifier.verify(token) or {})[IDENTITY], identity)
