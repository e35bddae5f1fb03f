"""Who asks: one proof a request, of the kind that is registered."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client import Client
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import AuthMethod
from tests.protocol.test_client_authentication import basic
from tests.support.assertions import ASSERTION_TYPE, KEYED, PUBLISHING, SECRETIVE, by_secret, keyed
from tests.support.fakes import run
from tests.support.provider import Provider
from tests.support.requests import NOTES, PAGE, form

HEADER = basic("notes", "notes-secret")


def proven(assertion: str, **more: str | None) -> Parameters:
    """Return a form with an assertion."""
    return form(**{"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more})


class ClientAuthenticationTests(SynchronousTestCase):
    """Which client a request is from."""

    def setUp(self) -> None:
        """Begin with a provider that knows a client of each kind."""
        self.provider = Provider(NOTES, PAGE, KEYED, SECRETIVE, PUBLISHING)

    def ask(self, authorization: str = "", parameters: Parameters | None = None) -> Client:
        """Find out who asks."""
        return run(self.provider.authentication(authorization, parameters or form()))

    def refusal(self, authorization: str = "", parameters: Parameters | None = None) -> str:
        """Return why nobody was found."""
        return self.assertRaises(InvalidClientError, self.ask, authorization, parameters).description

    def test_every_method(self) -> None:
        """Each client is found by what it proves."""
        found = (
            self.ask(HEADER),
            self.ask(HEADER, form(client_id="notes")),
            self.ask("", form(client_id="notes", client_secret="notes-secret")),
            self.ask("", proven(keyed())),
            self.ask("", proven(by_secret(), client_id="secretive")),
            self.ask("", form(client_id="page")),
            self.ask(basic("page", "")),
            self.ask(basic("page", ""), form(client_id="page")),
        )

        self.assertEqual(found, (NOTES, NOTES, NOTES, KEYED, SECRETIVE, PAGE, PAGE, PAGE))

    def test_trail(self) -> None:
        """What may be told of a request: its client if there is one of that id, however wrong its proof is."""
        authentication = self.provider.authentication
        wrong = run(authentication.trail(basic("notes", "wrong"), form(grant_type="password")))
        others = [
            run(authentication.trail(basic("stranger", "x"), form())),
            run(authentication.trail("", form())),
            run(authentication.trail("nonsense", form())),
        ]
        self.provider.registry.silent = True
        others.append(run(authentication.trail(HEADER, form())))

        self.assertEqual(wrong, Trail(client="notes", grant_type="password"))
        self.assertEqual(others, [Trail()] * 4)

    def test_one_method_a_request(self) -> None:
        """Two proofs are one too many, even when both are good. Spec: RFC 6749 2.3."""
        secret = {"client_id": "notes", "client_secret": "notes-secret"}
        both = form(
            client_assertion_type=ASSERTION_TYPE, client_assertion=keyed(), client_secret="x", client_id="keyed"
        )
        for authorization, parameters in (
            (HEADER, form(**secret)),
            (HEADER, form(client_secret="notes-secret")),
            (HEADER, proven(keyed(NOTES))),
            (basic("page", ""), form(client_id="page", client_secret="x")),
            ("", both),
        ):
            self.assertEqual(self.refusal(authorization, parameters), "credentials were sent in more than one way")

    def test_no_proof(self) -> None:
        """Somebody has to say who they are, and who has something to show has to show it."""
        self.assertEqual(self.refusal(), "no client credentials were sent")
        for client in (NOTES, KEYED, SECRETIVE, PUBLISHING):
            self.assertEqual(
                self.refusal("", form(client_id=client.client_id)), "client may not authenticate by none", client
            )

    def test_another_method_than_registered(self) -> None:
        """A client is held to the method it registered, though another would prove as much."""
        self.provider.registry.clients["notes"] = evolve(NOTES, auth_method=AuthMethod.POST)

        self.assertEqual(self.refusal(HEADER), "client may not authenticate by client_secret_basic")
        self.assertEqual(
            self.refusal("", form(client_id="secretive", client_secret=SECRETIVE.secret)),
            "client may not authenticate by client_secret_post",
        )
        self.assertEqual(self.refusal("", proven(keyed(SECRETIVE))), "client may not authenticate by private_key_jwt")

    def test_wrong_or_unknown(self) -> None:
        """A wrong proof and an unknown client are told apart by nobody."""
        stolen = keyed(evolve(KEYED, client_id="nobody"))
        told = {
            self.refusal("", form(client_id="notes", client_secret="wrong")),
            self.refusal("", form(client_id="nobody", client_secret="wrong")),
            self.refusal("", form(client_id="nobody")),
            self.refusal("", form(client_secret="notes-secret")),
            self.refusal(basic("nobody", "wrong")),
            self.refusal("", proven(stolen)),
            self.refusal("", proven(keyed()[:-4] + "AAAA")),
        }

        self.assertEqual(told, {"client is unknown or its credentials are wrong"})

    def test_row_12_replay(self) -> None:
        """An assertion is good once. Security history, row 12."""
        self.ask("", proven(keyed()))

        self.assertEqual(self.refusal("", proven(keyed())), "client_assertion was used before")

    def test_method_that_is_off(self) -> None:
        """A method there is no file for is refused in words."""
        without = ClientAuthentication(
            clients=self.provider.registry,
            methods={
                kind: method
                for kind, method in self.provider.authentication.methods.items()
                if kind is not AuthMethod.NONE
            },
        )

        with self.assertRaises(InvalidClientError) as caught:
            run(without("", form(client_id="page")))
        self.assertEqual(caught.exception.description, "none is not supported")

    def test_silent(self) -> None:
        """Nobody is refused because something behind us is silent."""
        self.assertRaises(BackendUnavailableError, self.ask, "", proven(keyed(PUBLISHING)))
        self.provider.registry.silent = True
        self.assertRaises(BackendUnavailableError, self.ask, HEADER)
