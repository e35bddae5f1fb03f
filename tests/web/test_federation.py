"""Signing in at an external authority, from the application there and back, with konnectd at both ends."""

from konnectd.authority import TRIP_TTL
from konnectd.authority_entry import IdentityRules
from tests.support.fakes import People
from tests.support.federation import IDENTIFIER, OP, RETURN, Federation, entry, is_at_the_client, query_of
from tests.support.federation_case import ISS, FederationCase, links
from tests.support.markup import answerable
from tests.support.people import BOB
from tests.support.visitor import Visit, Visitor


class SignInTests(FederationCase):
    """There and back."""

    def test_sent_there(self) -> None:
        """Nobody sees a page of ours where there is a default."""
        self.assertTrue(self.world.request().url.startswith(f"{OP}/signin/v1/identifier/_/authorize?"))

    def test_back_at_the_client(self) -> None:
        """Whoever signs in there gets to the application, with what that sent along."""
        visit = self.world.through(self.world.request())

        self.assertEqual((is_at_the_client(visit), query_of(visit.url)["state"]), (True, "state-1"))

    def test_signed_in_from_now_on(self) -> None:
        """The next application asks nobody."""
        self.world.through(self.world.request())

        self.assertTrue(is_at_the_client(self.world.request(prompt="none")))

    def test_consent(self) -> None:
        """An application that is not trusted gets a page of ours afterwards, as it does after any sign-in."""
        visit = self.world.through(self.world.request("notes"))
        agreed = self.world.here.submit(visit, allow="1")

        self.assertEqual((visit.left, is_at_the_client(agreed)), (False, True))

    def test_fourteen_minutes(self) -> None:
        """Somebody may take their time there."""
        left = self.world.request()
        self.world.advance(TRIP_TTL - 1)

        self.assertTrue(is_at_the_client(self.world.through(left)))

    def test_row_27_nobody_comes_back_late(self) -> None:
        """After a quarter of an hour the browser has to start again."""
        left = self.world.request()
        self.world.rp.clock.advance(TRIP_TTL)
        visit = self.world.here.open(self.world.sign_in(left).url)

        self.assertEqual((visit.answer.status, visit.title), (400, "Please start again"))

    def test_prompt_none(self) -> None:
        """A frame is never sent to an authority."""
        visit = self.world.request(prompt="none")

        self.assertEqual(query_of(visit.url)["error"], "login_required")

    def test_row_27_login_again(self) -> None:
        """Whoever is to prove it again has to there."""
        self.world.through(self.world.request())
        self.world.advance(100)
        visit = self.world.request(prompt="login")
        page = self.world.there.open(visit.url)

        self.assertEqual((query_of(visit.url)["prompt"], page.left), ("login", False))

    def test_login_again_leads_to_the_client(self) -> None:
        """And then gets to the application, not round in circles."""
        self.world.through(self.world.request())
        self.world.advance(100)

        self.assertTrue(is_at_the_client(self.world.through(self.world.request(prompt="login"))))

    def test_max_age(self) -> None:
        """How long ago it may be is kept by the authority."""
        self.world.there.open(self.world.request().url)
        self.world.advance(100)
        visit = self.world.through(self.world.request(max_age="10"))

        self.assertTrue(is_at_the_client(visit))

    def test_select_account(self) -> None:
        """Who is to be chosen is chosen there, and not asked again here."""
        visit = self.world.request(prompt="select_account")

        self.assertEqual(query_of(visit.url)["prompt"], "select_account")
        self.assertTrue(is_at_the_client(self.world.through(visit)))

    def test_hints(self) -> None:
        """Who it might be, in which language and how, is handed on."""
        asked = query_of(self.world.request(login_hint="al", ui_locales="de fr", acr_values="gold").url)

        self.assertEqual((asked["login_hint"], asked["ui_locales"], asked["acr_values"]), ("al", "de fr", "gold"))

    def test_nobody_waits(self) -> None:
        """Somebody who came by themselves sees who they are."""
        visit = self.world.through(self.world.here.open(IDENTIFIER))

        self.assertIn("Alice Liddell", visit.text)

    def test_long_request(self) -> None:
        """A request with a long state survives the trip."""
        visit = self.world.through(self.world.request(state="s" * 2000))

        self.assertEqual(query_of(visit.url)["state"], "s" * 2000)

    def test_row_27_many_trips(self) -> None:
        """Somebody who leaves again and again does not carry more and more cookies."""
        for _ in range(20):
            self.world.request()
        carried = self.world.here.cookies_for(RETURN)

        self.assertLess(len(carried), 8000)

    def test_last_trip_of_many(self) -> None:
        """And comes back from the latest."""
        for _ in range(20):
            visit = self.world.request()

        self.assertTrue(is_at_the_client(self.world.through(visit)))

    def test_two_windows(self) -> None:
        """Two trips at the same time do not disturb each other."""
        first, second = self.world.request(state="one"), self.world.request(state="two")
        self.world.through(second)

        self.assertEqual(query_of(self.world.through(first).url)["state"], "one")


class IdentityTests(FederationCase):
    """Who somebody is here."""

    def identity(self, **rules: object) -> Visit:
        """Come back as alice to an authority with some rules."""
        self.begin(entries=(entry(identity=IdentityRules(**rules)),))  # type: ignore[arg-type] # as the test says
        return self.world.through(self.world.request())

    def user(self) -> str:
        """Return who is signed in here."""
        return self.world.here.open(f"{IDENTIFIER}/_/welcome").text

    def test_alias(self) -> None:
        """Somebody may be called otherwise here."""
        self.identity(aliases=(("alice", "bob"),))

        self.assertIn("Bob Builder", self.user())

    def test_alias_of_somebody_else(self) -> None:
        """Who has none is called the same."""
        self.identity(aliases=(("carol", "bob"),))

        self.assertIn("Alice Liddell", self.user())

    def test_row_27_alias_required(self) -> None:
        """Only who is listed may come in, if the entry says so."""
        visit = self.identity(aliases=(("carol", "bob"),), alias_required=True)

        self.assertIn("not known here", visit.text)

    def test_unknown(self) -> None:
        """Somebody whom the backend does not know sees a page that says so."""
        self.begin(backend=People(BOB))
        visit = self.world.through(self.world.request())

        self.assertEqual((visit.left, "not known here" in visit.text), (False, True))

    def test_unknown_gets_another_chance(self) -> None:
        """And may try as somebody else."""
        self.begin(backend=People(BOB))
        visit = self.world.through(self.world.request())
        self.world.there = Visitor(self.world.op)
        again = self.world.here.open(links(visit)["start"])

        self.assertTrue(is_at_the_client(self.world.through(again, "bob", "builder")))

    def test_unknown_gives_up(self) -> None:
        """Or goes back to the application, which is told."""
        self.begin(backend=People(BOB))
        visit = self.world.through(self.world.request())
        back = self.world.here.open(links(visit)["authorize"])

        self.assertEqual(query_of(back.url)["error"], "access_denied")


class NotReadyTests(FederationCase):
    """An authority that does not answer."""

    def setUp(self) -> None:
        """Silence it."""
        super().setUp()
        self.world.across.silent = True

    def test_page(self) -> None:
        """People are told so at once, with all other ways in."""
        visit = self.world.request()

        self.assertEqual((visit.left, "does not answer" in visit.text), (False, True))

    def test_password(self) -> None:
        """They can sign in here, if they have a password."""
        visit = self.world.here.submit(self.world.request(), username="alice", password="wonderland")

        self.assertTrue(is_at_the_client(visit))

    def test_back(self) -> None:
        """Or go back to the application."""
        visit = self.world.here.open(links(self.world.request())["authorize"])

        self.assertEqual(query_of(visit.url)["error"], "access_denied")

    def test_later(self) -> None:
        """When it is back, it is used."""
        visit = self.world.request()
        self.world.across.silent = False
        self.world.advance(60)
        again = self.world.here.open(links(visit)["start"])

        self.assertTrue(is_at_the_client(self.world.through(again)))

    def test_silent_at_the_return(self) -> None:
        """One that falls silent while somebody is there is told of in the same way."""
        self.world.across.silent = False
        coming = self.world.sign_in(self.world.request()).url
        self.world.across.silent = True

        self.assertIn("does not answer", self.world.here.open(coming).text)


class ChoiceTests(FederationCase):
    """More than one way in."""

    def setUp(self) -> None:
        """Have two authorities, and passwords; none of them is the default."""
        self.begin(entries=(entry(default=False), entry(authority_id="two", name="The <other> one", default=False)))

    def test_buttons(self) -> None:
        """The page has a button for each, below the form."""
        visit = self.world.request()

        self.assertEqual(("password" in visit.fields, "Sign in with Corporate sign-in" in visit.text), (True, True))

    def test_name_is_text(self) -> None:
        """What an authority is called is no markup."""
        self.assertIn("Sign in with The <other> one", self.world.request().text)

    def test_button(self) -> None:
        """A button leads there."""
        visit = self.world.here.open(links(self.world.request())["start"])

        self.assertTrue(is_at_the_client(self.world.through(visit)))

    def test_no_leads_back_to_the_page(self) -> None:
        """Somebody who has chosen, and says no there, can choose again."""
        visit = self.world.here.open(links(self.world.request())["start"])
        state = query_of(visit.url)["state"]
        back = self.world.here.open(f"{RETURN}?error=access_denied&state={state}&{ISS}")

        self.assertIn("did not sign you in", back.text)

    def test_unknown_authority(self) -> None:
        """An address with an authority that is not there leads to the page."""
        url = links(self.world.request())["start"].replace("authority_id=two", "authority_id=gone")
        visit = self.world.here.open(url)

        self.assertIn("does not answer", visit.text)

    def test_row_27_unknown_client(self) -> None:
        """Nobody is sent away for a client that is none."""
        visit = self.world.here.open(f"{IDENTIFIER}/oauth2/start?authority_id=corp&client_id=x&redirect_uri=y")

        self.assertEqual((visit.left, visit.answer.status), (False, 400))


class LocalLogonTests(FederationCase):
    """Where nobody signs in with a password."""

    def setUp(self) -> None:
        """Take passwords away."""
        self.begin("--disable-local-logon", entries=(entry(default=False),))

    def test_no_form(self) -> None:
        """The page has no form."""
        self.assertEqual([e.name for e in answerable(self.world.request().answer.body) if e.name == "form"], [])

    def test_authority(self) -> None:
        """It has the authority."""
        visit = self.world.here.open(links(self.world.request())["start"])

        self.assertTrue(is_at_the_client(self.world.through(visit)))

    def test_row_27_a_form_of_old(self) -> None:
        """A form that was still open signs nobody in."""
        self.begin(entries=(entry(default=False),))
        visit = self.world.request()
        daemon = Federation("--disable-local-logon", entries=(entry(default=False),)).rp
        self.world.here.daemon = daemon
        again = self.world.here.submit(visit, username="alice", password="wonderland")

        self.assertFalse(is_at_the_client(again))
