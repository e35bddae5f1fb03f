"""Rows 9 to 12, 16 and 25, where somebody else says who somebody is: an application, or the client of a guest."""

from konnectd.sources import Carried
from tests.backends.test_cookie import CookieCase
from tests.support.guests import PLAIN, invitation
from tests.support.request_objects import signed
from tests.web.test_guests import GuestCase
from tests.web.test_known_people import KnownCase


class QuestionTests(CookieCase):
    """What an application is asked, and what is believed."""

    def test_row_25_cookies_of_ours(self) -> None:
        """Our own cookies are nobody's business."""
        self.look(Carried(cookies={"__Secure-KKT": "x"}))

        self.assertEqual(self.application.heard, [])

    def test_row_16_redirect(self) -> None:
        """A redirect is not followed, with the cookies of somebody least of all."""
        self.application.status = 303
        self.application.headers["Location"] = "/elsewhere"
        self.refused()

        self.assertEqual([uri for _, uri, _, _ in self.application.heard], [b"/whoami"])


class PersonTests(KnownCase):
    """Who is there, and since when."""

    def test_row_11_next_person(self) -> None:
        """Our logon does not count for whom the application does not name any more."""
        self.mail.arrive(self.browser)
        self.browser.others = "app=b"

        self.assertEqual(self.signed_in(self.mail.arrive(self.browser)), "bob")

    def test_row_11_pages(self) -> None:
        """Nor on a page."""
        self.mail.arrive(self.browser)
        self.browser.others = ""

        self.back(self.browser.open("/signin/v1/identifier/_/account"))

    def test_row_10_word(self) -> None:
        """What an application says of everybody, always, is no proof for one request."""
        address = self.back(self.mail.arrive(self.browser, prompt="login"))
        self.browser.jar.clear()
        self.daemon.clock.advance(5)

        self.assertEqual(self.mail.told(self.browser.open(address)).get("error"), "login_required")


class Row12Tests(GuestCase):
    """What a client signed for a guest."""

    def test_row_12_replay(self) -> None:
        """It is good once."""
        token = signed(invitation())
        self.bring(token)
        self.visitor.jar.clear()

        self.assertEqual(self.told(self.bring(token)).get("error"), "invalid_request_object")

    def test_row_9_untrusted(self) -> None:
        """And only from a client that may."""
        self.assertEqual(self.told(self.bring(signed(invitation(PLAIN)), PLAIN), PLAIN).get("error"), "invalid_scope")
