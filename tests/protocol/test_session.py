"""What scripts and clients see of a session."""

from hashlib import sha256

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.end_user import Logon
from konnectd.protocol.session import (
    Earlier,
    Farewell,
    Notice,
    Party,
    frame_of,
    logout_token,
    salt_for,
    session_state,
    wants_notice,
    web_origin,
)
from tests.support.people import ALICE, logon_of
from tests.support.requests import ISSUER, NOTES
from tests.support.strategies import LOGONS

PARTY = Party(client_id="notes", sub="s-1", session_id="session-1")


class EarlierTests(SynchronousTestCase):
    """What was in a browser before."""

    @settings(deadline=None)
    @given(LOGONS, LOGONS)
    def test_round_trip(self, earlier: Logon, logon: Logon) -> None:
        """Which session it was is known again, and whose when that was somebody else."""
        earlier = evolve(earlier, session_id="session-1")
        written = Earlier.of(earlier, logon)
        read = Earlier.from_text(written.to_text())

        self.assertEqual(read, written)

    def test_same_person(self) -> None:
        """Of the same person nothing but the session is kept, as it always was."""
        earlier = logon_of(ALICE, 0, session_id="session-1")

        self.assertEqual(Earlier.of(earlier, logon_of(ALICE, 1, session_id="session-2")).to_text(), "session-1")

    def test_another_version(self) -> None:
        """What another version wrote is nothing."""
        for text in ('{"v":2}', '{"v":1,"logon":{}}', '{"v":1,"logon":"x"}'):
            self.assertIsNone(Earlier.from_text(text), text)


class StateTests(SynchronousTestCase):
    """The value a script compares."""

    def test_konnects_vector(self) -> None:
        """It is made as Konnect makes it, so that its own monitors go on."""
        state = "eS6CWCaPDdKAlo5DVPKahR59n5otWwVIQt9dnAM1WG0"

        self.assertEqual(
            session_state("tw", "https://rp.example", state, "SALT"),
            "5c425a30e48e9d0535af448503d028b8e982297e68425e558d36fe3112517dd0.SALT",
        )

    def test_salt(self) -> None:
        """A salt shows whose it is: the chance first, then a digest that everybody can make."""
        salt = salt_for("notes", "https://notes.example.org", "c" * 22)

        self.assertEqual((salt[:22], len(salt)), ("c" * 22, 54))
        self.assertEqual(salt[22:], sha256(f"notes https://notes.example.org {'c' * 22}".encode()).hexdigest()[:32])

    def test_salts_of_others(self) -> None:
        """Another client, another origin or another chance is another salt."""
        salts = {
            salt_for(client_id, origin, chance)
            for client_id in ("a", "b")
            for origin in ("https://a", "https://b")
            for chance in ("1" * 22, "2" * 22)
        }

        self.assertEqual(len(salts), 8)

    def test_origins(self) -> None:
        """An origin is written as browsers write it, and applications have none."""
        cases = (
            ("https://rp.example/cb?x=1", "https://rp.example"),
            ("https://RP.example:443/cb", "https://rp.example"),
            ("http://127.0.0.1:8080/cb", "http://127.0.0.1:8080"),
            ("http://localhost:80/cb", "http://localhost"),
            ("https://[::1]:8443/cb", "https://[::1]:8443"),
            ("org.example.app:/cb", ""),
            ("nonsense", ""),
        )
        for uri, origin in cases:
            self.assertEqual(web_origin(uri), origin, uri)


class FrameTests(SynchronousTestCase):
    """Addresses that are opened in frames."""

    def frame(self, uri: str) -> str:
        """Return the address for a client that registered one."""
        return frame_of(evolve(NOTES, frontchannel_logout_uri=uri), ISSUER, "s 1")

    def test_query(self) -> None:
        """What was registered stays, and what was planted in our names does not."""
        self.assertEqual(self.frame("https://a.example/f"), f"https://a.example/f?iss={ISSUER_ENCODED}&sid=s%201")
        self.assertEqual(
            self.frame("https://a.example/f?sid=planted&x=%20&iss=y"),
            f"https://a.example/f?x=%20&iss={ISSUER_ENCODED}&sid=s%201",
        )

    def test_none(self) -> None:
        """What a page could not name in its policy is not opened."""
        for uri in ("", "https://[::1]/f", "org.example.app:/f", "nonsense"):
            self.assertEqual(self.frame(uri), "", uri)

    def test_wants_notice(self) -> None:
        """A client has to say that it wants to be told."""
        front = evolve(NOTES, frontchannel_logout_uri="https://a.example/f")
        back = evolve(NOTES, backchannel_logout_uri="https://a.example/b")

        self.assertEqual([wants_notice(client) for client in (NOTES, front, back)], [False, True, True])


class TokenTests(SynchronousTestCase):
    """The token that tells a client."""

    def test_claims(self) -> None:
        """It says which session of whom is over, to whom, since when and until when, and has no nonce."""
        self.assertEqual(
            logout_token(PARTY, ISSUER, "jti-1", 1000),
            {
                "iss": ISSUER,
                "sub": "s-1",
                "aud": "notes",
                "iat": 1000,
                "exp": 1120,
                "jti": "jti-1",
                "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
                "sid": "session-1",
            },
        )


class StoredTests(SynchronousTestCase):
    """What is kept is read back as it was."""

    @settings(deadline=None)
    @given(st.text(), st.text(), st.text())
    def test_party(self, client_id: str, sub: str, session_id: str) -> None:
        """A party that was written is read as the same party."""
        party = Party(client_id=client_id, sub=sub, session_id=session_id)

        self.assertEqual(Party.from_text(party.to_text()), party)

    @settings(deadline=None)
    @given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text(), st.booleans()), max_size=4))
    def test_farewell(self, location: str, name: str, told: list[tuple[str, str, bool]]) -> None:
        """A farewell that was written is read as the same farewell."""
        notices = tuple(Notice(name=name, frame=frame, posted=posted) for name, frame, posted in told)
        farewell = Farewell(location=location, client_name=name, notices=notices)

        self.assertEqual(Farewell.from_text(farewell.to_text()), farewell)

    def test_other_versions(self) -> None:
        """What another version wrote is nothing."""
        for text in ('{"v":2}', "[]", '{"v":1}', '{"v":1,"to":"","name":"","notices":1}'):
            self.assertIsNone(Party.from_text(text))
            self.assertIsNone(Farewell.from_text(text))
        self.assertEqual(Farewell.from_text('{"v":1,"to":"","name":"","notices":[1,{}]}'), Farewell())

    def test_frames(self) -> None:
        """A page has each origin once, and none of those it opens nothing of."""
        notices = tuple(Notice(name="n", frame=frame) for frame in ("https://a.example/1", "", "https://a.example/2"))

        self.assertEqual(Farewell(notices=notices).frames, ("https://a.example",))


ISSUER_ENCODED = "https%3A%2F%2Fsso.example.com"
