"""Front ends of somebody else's: what they are not believed, row by row."""

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, json_of
from tests.support.front_end import GUARD, FrontEnd, with_front_end
from tests.support.requests import ISSUER, MAIL, NOTES
from tests.support.visitor import Visitor


class FrontEndTests(SynchronousTestCase):
    """Alice, who signed in through a front end a while ago."""

    def setUp(self) -> None:
        """Sign her in."""
        self.daemon = with_front_end()
        self.visitor = Visitor(self.daemon)
        FrontEnd(self.visitor).logon("alice", "wonderland", "1")
        self.daemon.clock.advance(100)

    def come(self, application: Application, **changes: str) -> FrontEnd:
        """Send her to a front end, which asks who is there."""
        front = FrontEnd(self.visitor, application.arrive(self.visitor, **changes))
        front.hello()
        return front

    def test_row_9_answer_to_another_request(self) -> None:
        """What was answered about one request of a client counts for no other one of it."""
        notes = Application(self.daemon, NOTES)
        front = self.come(notes, state="first")
        front.consent()
        first = next(key for key in self.visitor.jar if "KKTC" in key[0])
        answer = self.visitor.jar[first]
        front.query["state"] = "second"
        front.consent()
        other = next(key for key in self.visitor.jar if "KKTC" in key[0] and key != first)
        self.visitor.jar[other] = evolve(self.visitor.jar[other], value=answer.value)

        self.assertEqual(notes.told(front.onward(interaction="")).get("error"), "consent_required")

    def test_row_9_no_to_a_client_of_the_house(self) -> None:
        """A no is a no, although nobody would have had to ask."""
        mail = Application(self.daemon, MAIL)
        front = self.come(mail, prompt="consent")
        front.consent(allow=False)

        self.assertEqual(mail.told(front.onward(interaction="")).get("error"), "access_denied")

    def test_row_10_mode_0(self) -> None:
        """Going on as who one is does not do where the password is asked for."""
        front = FrontEnd(self.visitor)
        front.query = {"prompt": "login"}

        self.assertEqual(front.logon("alice", "", "0"), 204)

    def test_row_10_front_end_says_so(self) -> None:
        """A front end that says that it is done does not make a sign-in new."""
        mail = Application(self.daemon, MAIL)
        front = self.come(mail, prompt="login")
        front.greeting = {"continue_uri": f"{ISSUER}{self.daemon.settings.paths.authorize}"}

        self.assertEqual(mail.told(front.onward()).get("error"), "login_required")

    def test_row_11_guard(self) -> None:
        """No page of another site signs somebody in as its own user."""
        body = json.dumps({"params": ["bob", "builder", "1"]})
        for headers in ((GUARD, "Origin: https://evil.example"), (f"Origin: {ISSUER}",)):
            self.assertEqual(FrontEnd(Visitor(self.daemon)).post("logon", body, *headers).status, 400, headers)
        self.assertEqual(json_of(FrontEnd(self.visitor).call("hello"))["username"], "alice")
