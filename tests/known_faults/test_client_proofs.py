"""Row 12: a client's signed proof that is used twice, or meant for somebody else."""

import json
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client import Client
from konnectd.protocol.client_assertion import LEEWAY, LONGEST_ASSERTION, LONGEST_JTI, LONGEST_LIFE
from konnectd.protocol.errors import InvalidClientError, OAuthError
from tests.contracts.stores import MANY
from tests.support.assertions import ASSERTION_TYPE, KEYED, LONG_SECRET, PUBLISHING, SECRETIVE, by_secret, keyed, mac
from tests.support.assertions import claims_for as good
from tests.support.fakes import NOON, run
from tests.support.forgery import forge
from tests.support.keys import p256_key, rsa_key
from tests.support.provider import Provider
from tests.support.requests import MAIL, form
from tests.support.steps import WaitingStore, in_turns

OTHER = evolve(KEYED, client_id="other")


class Row12Tests(SynchronousTestCase):
    """Proofs at the token endpoint."""

    def setUp(self) -> None:
        """Begin with clients that sign."""
        self.begin(KEYED, SECRETIVE, PUBLISHING, OTHER, MAIL)

    def begin(self, *clients: Client) -> None:
        """Begin anew with some clients."""
        self.provider = Provider(*clients)

    def accepted(self, assertion: str, **more: str | None) -> bool:
        """Tell whether a proof proves who its client is: then it is the code that is wrong."""
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": "x",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        try:
            run(self.provider.token("", form(**{**values, **more})))
        except InvalidClientError:
            return False
        except OAuthError:
            return True
        raise AssertionError("a code that nobody made was redeemed")

    def test_row_12_good(self) -> None:
        """A good proof is accepted, so that the others are refused for their own reasons."""
        self.assertEqual([self.accepted(proof) for proof in (keyed(), by_secret())], [True, True])

    def test_row_12_twice(self) -> None:
        """It is good once."""
        for proof in (keyed(), by_secret()):
            self.assertEqual([self.accepted(proof) for _ in range(2)], [True, False])

    def test_row_12_fifty_at_once(self) -> None:
        """Of fifty who show it at the same moment one is believed."""
        behind = Provider(KEYED, store=WaitingStore(self.provider.store))
        values = {"grant_type": "authorization_code", "code": "x", "client_assertion_type": ASSERTION_TYPE}
        asked = form(**values, client_assertion=keyed())
        runs = in_turns((), *(behind.token("", asked) for _ in range(MANY)))

        self.assertEqual(sum(not isinstance(run.fault, InvalidClientError) for run in runs), 1)

    def test_row_12_as_long_as_it_lives(self) -> None:
        """It is remembered for as long as it would be believed."""
        proof = keyed(exp=NOON + LONGEST_LIFE)
        self.accepted(proof)
        self.provider.clock.advance(LONGEST_LIFE + LEEWAY - 1)

        self.assertFalse(self.accepted(proof))

    def test_row_12_each_client_for_itself(self) -> None:
        """No client uses up the proofs of another one."""
        self.accepted(keyed(OTHER, jti="1"))

        self.assertTrue(self.accepted(keyed(KEYED, jti="1")))

    def test_row_12_each_proof_for_itself(self) -> None:
        """Nor does one proof of a client use up the next one."""
        self.assertEqual([self.accepted(keyed(jti=jti)) for jti in ("1", "2")], [True, True])

    def test_row_12_without_a_name(self) -> None:
        """A proof that could not be told from the next one is none."""
        for jti in (None, "", 7, "x" * (LONGEST_JTI + 1)):
            self.assertFalse(self.accepted(keyed(jti=jti)), jti)

    def test_row_12_for_whom(self) -> None:
        """A proof for another endpoint, another provider or nobody is none."""
        for aud in ("https://evil.example", ["https://evil.example"], [], None, 7, "https://sso.example.com/"):
            self.assertFalse(self.accepted(keyed(aud=aud)), aud)

    def test_row_12_by_whom(self) -> None:
        """A proof is issued by its client, about itself."""
        for changes in ({"iss": "other"}, {"iss": None}):
            self.assertFalse(self.accepted(keyed(**changes)), str(changes))

    def test_row_12_about_whom(self) -> None:
        """What one client signed says nothing about another one that has the same keys."""
        self.assertFalse(self.accepted(keyed(KEYED, sub="other")))

    def test_row_12_beside_the_name(self) -> None:
        """A request that names one client and proves another one is refused."""
        self.assertFalse(self.accepted(keyed(), client_id="other"))

    def test_row_12_over(self) -> None:
        """A proof ends."""
        self.assertFalse(self.accepted(keyed(exp=NOON - LEEWAY)))

    def test_row_12_without_end(self) -> None:
        """A proof that does not end is none."""
        self.assertFalse(self.accepted(keyed(exp=None)))

    def test_row_12_far_end(self) -> None:
        """Nor is one that would have to be remembered for years."""
        self.assertFalse(self.accepted(keyed(exp=NOON + LONGEST_LIFE + LEEWAY + 1)))

    def test_row_12_not_yet(self) -> None:
        """Nor one of tomorrow."""
        for name in ("iat", "nbf"):
            self.assertFalse(self.accepted(keyed(**{name: NOON + LEEWAY + 1})), name)

    def test_row_12_times(self) -> None:
        """Nor one whose times are none."""
        for value in ("x", True, -1, 2**53):
            self.assertFalse(self.accepted(keyed(nbf=value)), value)

    def test_row_12_type(self) -> None:
        """What says that it is something else is no proof."""
        self.assertFalse(self.accepted(keyed(), client_assertion_type="urn:example:saml"))
        self.assertFalse(self.accepted(keyed(), client_assertion_type=None))

    def test_row_12_size(self) -> None:
        """Nobody reads a proof without end."""
        self.assertFalse(self.accepted(keyed(more="x" * LONGEST_ASSERTION)))

    def test_row_12_signature(self) -> None:
        """Nobody but the client signs for it."""
        self.assertFalse(self.accepted(keyed(KEYED, p256_key(2))))
        self.assertFalse(self.accepted(mac("s" * 64, {"alg": "HS256"}, good(SECRETIVE))))

    def test_row_12_key_in_the_proof(self) -> None:
        """No key is taken from the proof itself."""
        key = p256_key(2)
        header = {"alg": "ES256", "kid": key.kid, "jwk": key.public.to_jwk()}

        self.assertFalse(self.accepted(forge(key, header, json.dumps(good(KEYED)).encode())))

    def test_row_12_unsigned(self) -> None:
        """Nor is what nobody signed a proof."""
        for algorithm in ("none", "None"):
            self.assertFalse(self.accepted(mac("", {"alg": algorithm}, good(KEYED)).rpartition(".")[0] + "."))

    def test_row_12_public_key_as_secret(self) -> None:
        """What everybody knows of a client is no secret to sign with."""
        client: Any = evolve(KEYED, secret=LONG_SECRET)
        self.begin(client)

        self.assertFalse(self.accepted(mac(LONG_SECRET, {"alg": "HS256"}, good(client))))

    def test_row_12_registered_algorithm(self) -> None:
        """A client that registered one algorithm signs by that."""
        self.begin(evolve(KEYED, token_endpoint_auth_signing_alg="PS256"))

        self.assertFalse(self.accepted(keyed()))
        self.assertTrue(self.accepted(keyed(KEYED, rsa_key())))

    def test_row_12_short_secret(self) -> None:
        """A secret that could be found from one proof signs nothing."""
        client = evolve(SECRETIVE, secret="short")
        self.begin(client)

        self.assertFalse(self.accepted(by_secret(client)))

    def test_row_12_what_changes_the_rules(self) -> None:
        """A header that changes what is signed, in ways that we do not know, is refused."""
        key = p256_key()
        for more in ({"crit": ["exp"], "exp": 1}, {"b64": False}):
            header = {"alg": "ES256", "kid": key.kid, **more}

            self.assertFalse(self.accepted(forge(key, header, json.dumps(good(KEYED)).encode())), str(more))

    def test_row_12_names_that_are_there_twice(self) -> None:
        """A proof in which two readers could see two things is none."""
        key = p256_key()
        text = json.dumps(good(KEYED)).replace('"jti": "jti-1"', '"jti": "jti-1", "jti": "jti-2"')

        self.assertFalse(self.accepted(forge(key, {"alg": "ES256", "kid": key.kid}, text.encode())))
