"""Access that is taken back before an application has redeemed its code, as a person does it, over HTTP."""

from attrs import evolve

from konnectd.protocol.device import GRANT_TYPE
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.markup import answerable
from tests.support.page_case import INNER, PageCase
from tests.support.requests import CLIENTS, NOTES
from tests.support.visitor import Visit, Visitor

ACCOUNT = f"{INNER}account"
DEVICE = "/signin/v1/device"
TV = evolve(NOTES, client_id="tv", name="Living room TV", grant_types=(GRANT_TYPE,))


class WithdrawalTests(PageCase):
    """Codes that are still on their way. Alice has two browsers, and the applications two daemons on one store."""

    def setUp(self) -> None:
        """Assemble a second daemon, and sign Alice in with her second browser."""
        super().setUp()
        self.daemon = Daemon(clients=(*CLIENTS, TV))
        self.replica = Daemon(clients=(*CLIENTS, TV), store=self.daemon.world.store)
        self.visitor, self.other = Visitor(self.daemon), Visitor(self.daemon)
        self.mail, self.notes = Application(self.daemon), Application(self.daemon, NOTES)
        self.assertIn("code", self.mail.told(self.mail.sign_in(self.other)))

    def allowed(self, scope: str = "openid profile") -> str:
        """Return a code for Notes, which Alice has allowed with her first browser."""
        page = self.notes.arrive(self.visitor, scope=scope)
        if page.title == "Sign in":
            page = self.visitor.submit(page, username="alice", password="wonderland")
        return self.notes.told(self.visitor.submit(page, allow="1") if not page.left else page)["code"]

    def button(self, page: Visit, name: str) -> dict[str, str]:
        """Return the only button of a name."""
        found = (element.attributes for element in answerable(page.answer.body) if element.name == "button")
        (button,) = (attributes for attributes in found if attributes.get("name") == name)
        return {name: button["value"]}

    def press(self, name: str) -> None:
        """Press the only button of a name on the page of applications and sessions, with the second browser."""
        page = self.other.open(ACCOUNT)
        self.other.submit(page, **self.button(page, name))

    def redeemed(self, code: str) -> tuple[int, str]:
        """Redeem a code at the second daemon."""
        return outcome(Application(self.replica, NOTES).redeem(code))

    def test_application_removed(self) -> None:
        """An application that was removed gets nothing for the code it still has."""
        for scope in ("openid profile", "openid offline_access"):
            code = self.allowed(scope)
            self.press("revoke")

            self.assertEqual(self.redeemed(code), (400, "invalid_grant"), scope)

    def test_allowed_again(self) -> None:
        """Whoever allows it again right afterwards is signed in as ever."""
        old = self.allowed()
        self.press("revoke")
        new = self.allowed()

        self.assertEqual(self.redeemed(new), (200, ""))
        self.assertEqual(self.redeemed(old), (400, "invalid_grant"))

    def test_signed_out(self) -> None:
        """Whoever signs out means the code as well; after signing in again there is a new one."""
        old = self.allowed()
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")
        new = self.allowed()

        self.assertEqual((self.redeemed(old), self.redeemed(new)), ((400, "invalid_grant"), (200, "")))

    def test_session_ended_from_the_list(self) -> None:
        """So does whoever ends that session from another browser, whose own codes stay good."""
        code = self.allowed()
        own = self.mail.told(self.mail.arrive(self.other))["code"]
        self.press("end")

        self.assertEqual(self.redeemed(code), (400, "invalid_grant"))
        self.assertEqual(outcome(self.mail.redeem(own)), (200, ""))

    def test_device(self) -> None:
        """A device that was allowed and has not asked again yet gets nothing after its session was ended."""
        tv = Application(self.daemon, TV)
        asked = self.daemon.post(
            self.daemon.settings.paths.device_authorization, "scope=openid", tv.basic(), "Origin: https://tv.example"
        )
        codes = json_of(asked)
        self.allowed()
        page = self.visitor.submit(self.visitor.open(DEVICE), user_code=codes["user_code"])
        self.visitor.submit(page, allow="1")
        self.press("end")
        answer = Application(self.replica, TV).ask_token(
            tv.basic(), grant_type=GRANT_TYPE, device_code=codes["device_code"]
        )

        self.assertEqual(error_of(answer), (400, "invalid_grant"))
        self.assertEqual(json_of(answer)["error_description"], "the person has signed out")


def outcome(answer: Heard) -> tuple[int, str]:
    """Return status and error of an answer; no error when it is good."""
    return answer.status, str(json_of(answer).get("error", ""))
