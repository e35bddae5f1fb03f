"""The pages of the demo with everything a provider could put into them."""

import json

from twisted.trial.unittest import SynchronousTestCase

from konnectd.demo.messages import Reply
from konnectd.demo.pages import DemoPages
from konnectd.demo.relying_party import SignedIn
from konnectd.demo.steps import LONGEST_VALUE, steps
from konnectd.demo.views import Guest, LandingPage, Step, StepsPage, TroublePage
from konnectd.web.templates_path import find_templates
from tests.demo.fake_provider import APPLICATION, Visit
from tests.support.fakes import NOON, CountingEntropy, run
from tests.support.markup import shape, text_of, xml_shape
from tests.support.rendering import STATIC

PAGES = DemoPages(find_templates(), static=STATIC, entropy=CountingEntropy())
HOSTILE = "<script>alert(1)</script>\"'&amp;<!--]]>\x00\x1b\N{RIGHT-TO-LEFT OVERRIDE}{{ page }}"


def signed_in(visit: Visit) -> SignedIn:
    """Sign somebody in."""
    return run(visit.party.finish(visit.answer(), Visit.browser))


def steps_of(found: SignedIn) -> dict[str, Step]:
    """Return the steps by their id."""
    return {step.id: step for step in steps(found, APPLICATION, "/demo/")}


def page_of(found: SignedIn) -> bytes:
    """Return the page of all steps."""
    shown = tuple(steps(found, APPLICATION, "/demo/"))
    view = StepsPage(name="Alice", csrf="token", steps=shown)
    return PAGES.render(view).body


class StepTests(SynchronousTestCase):
    """What the steps show."""

    def setUp(self) -> None:
        """Make an application."""
        self.visit = Visit()

    def test_moments_are_written_for_people(self) -> None:
        """Seconds since 1970 say nothing to a newcomer."""
        lines = {
            line.name: line.value
            for sheet in steps_of(signed_in(self.visit))["id-token"].sheets
            for line in sheet.lines
        }

        self.assertEqual(lines["iat"], f"{NOON} = 2023-11-14 22:13:20 UTC")

    def test_moments_beyond_all_calendars(self) -> None:
        """A time no calendar has is shown as the number it is."""
        self.visit.provider.claims = {"exp": 10**30, "auth_time": "noon"}
        lines = {
            line.name: line.value
            for sheet in steps_of(signed_in(self.visit))["id-token"].sheets
            for line in sheet.lines
        }

        self.assertEqual((lines["exp"], lines["auth_time"]), (str(10**30), "noon"))

    def test_a_refused_userinfo_is_shown_as_refused(self) -> None:
        """The answer, its error and the header that explains it are there."""
        self.visit.provider.userinfo = Reply(
            status=401,
            headers=(("www-authenticate", 'Bearer error="invalid_token"'),),
            text='{"error":"invalid_token"}',
        )
        step = steps_of(signed_in(self.visit))["userinfo"]
        names = {line.name for sheet in step.sheets for line in sheet.lines}

        self.assertTrue(step.refused)
        self.assertEqual(names, {"error", "www-authenticate"})

    def test_the_refresh_is_explained_before_it_happens(self) -> None:
        """Request and command are there, an answer is not."""
        step = steps_of(signed_in(self.visit))["refresh"]

        self.assertEqual((step.reply, step.sheets), ("", ()))
        self.assertIn("refresh_token=refresh-1", step.command)

    def test_the_refresh_after_it_happened(self) -> None:
        """What was posted is what was sent, and the command uses the newest token."""
        found = signed_in(self.visit)
        self.visit.provider.token_response = {"refresh_token": "refresh-2"}
        step = steps_of(run(self.visit.party.refresh(found)))["refresh"]

        self.assertIn("refresh-1", [line.value for line in step.asked.lines] if step.asked is not None else [])
        self.assertIn("refresh_token=refresh-2", step.command)

    def test_without_refresh_token(self) -> None:
        """There is no button that could only fail."""
        self.visit.provider.token_response = {"refresh_token": None}
        step = steps_of(signed_in(self.visit))["refresh"]

        self.assertIsNone(step.button)
        self.assertIn("offline_access", step.words[-1])

    def test_without_end_session_endpoint(self) -> None:
        """The button is there, a request that is impossible is not."""
        self.visit.provider.metadata = {"end_session_endpoint": None}
        step = steps_of(signed_in(self.visit))["sign-out"]

        self.assertEqual((step.command, step.request), ("", ""))
        self.assertIsNotNone(step.button)

    def test_long_values_are_cut_in_tables_only(self) -> None:
        """Tables stay readable, and the whole is in the answer."""
        long = "x" * (LONGEST_VALUE + 1)
        self.visit.provider.token_response = {"scope": long}
        step = steps_of(signed_in(self.visit))["code"]
        values = [line.value for sheet in step.sheets for line in sheet.lines]

        self.assertNotIn(long, values)
        self.assertIn(long, step.sources[0].pieces[0])


class PageTests(SynchronousTestCase):
    """How pages take what they are given."""

    def test_hostile_claims_are_only_text(self) -> None:
        """Whatever a provider puts into names and values of claims, the page has the same elements."""
        visit = Visit()
        visit.provider.userinfo = Reply(status=200, text=json.dumps({"sub": "person-1", "plain": "plain"}))
        visit.provider.claims = {"plain": "plain"}
        plain = page_of(signed_in(visit))
        visit = Visit()
        visit.provider.userinfo = Reply(status=200, text=json.dumps({"sub": "person-1", HOSTILE: HOSTILE}))
        visit.provider.claims = {HOSTILE: HOSTILE}
        hostile = page_of(signed_in(visit))

        self.assertEqual(shape(hostile), shape(plain))
        self.assertEqual(xml_shape(hostile), shape(hostile))

    def test_hostile_views(self) -> None:
        """The other pages take hostile text as text as well."""
        views = (
            LandingPage(
                start_action="/demo/start",
                csrf=HOSTILE,
                issuer=HOSTILE,
                metadata_uri=f"javascript:{HOSTILE}",
                client_id=HOSTILE,
                guests=(Guest(name=HOSTILE, username=HOSTILE, password=HOSTILE),),
                backend=HOSTILE,
                signed_out=True,
            ),
            TroublePage(title=HOSTILE, what=HOSTILE, code=HOSTILE, meaning=HOSTILE, description=HOSTILE, home="/demo/"),
        )
        for view in views:
            body = PAGES.render(view).body

            self.assertEqual(xml_shape(body), shape(body))
            self.assertNotIn(b'href="javascript:', body)

    def test_own_people(self) -> None:
        """Without people of the demo's own, the first page says where they come from."""
        view = LandingPage(
            start_action="/demo/start",
            csrf="token",
            issuer="https://id.example.com",
            metadata_uri="https://id.example.com/m",
            client_id="demo",
            guests=(),
            backend="ldap",
        )
        text = text_of(PAGES.render(view).body)

        self.assertIn("Everybody whom the ldap backend knows", text)

    def test_what_a_refusal_means(self) -> None:
        """A code that is known is explained; one that is not is shown as it is."""
        known = TroublePage(title="t", what="w", code="access_denied", meaning="somebody said no", home="/demo/")
        other = TroublePage(title="t", what="w", code="strange_error", home="/demo/")

        self.assertIn("somebody said no", text_of(PAGES.render(known).body))
        self.assertIn("strange_error", text_of(PAGES.render(other).body))
