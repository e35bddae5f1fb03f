"""Coming back from an external authority in a way that nobody should."""

from attrs import evolve

from tests.support.federation import IDENTIFIER, RETURN, Federation, entry, query_of
from tests.support.federation_case import ISS, FederationCase
from tests.support.visitor import Visit, Visitor


class HostileReturnTests(FederationCase):
    """Coming back in a way that nobody should."""

    def setUp(self) -> None:
        """Sign in there, without coming back yet."""
        super().setUp()
        self.coming = self.world.sign_in(self.world.request()).url

    def refused(self, visit: Visit) -> None:
        """Fail unless somebody has to start again."""
        self.assertEqual((visit.answer.status, visit.title), (400, "Please start again"))

    def test_row_27_other_browser(self) -> None:
        """An address that somebody else sends signs nobody in: that would be login CSRF."""
        self.refused(Visitor(self.world.rp).open(self.coming))

    def test_other_state(self) -> None:
        """A state that we have not made is none."""
        self.refused(self.world.here.open(f"{RETURN}?code=a&state=other"))

    def test_no_state(self) -> None:
        """No state is none either."""
        self.refused(self.world.here.open(f"{RETURN}?code=a"))

    def test_row_27_twice(self) -> None:
        """A browser comes back once."""
        self.world.here.open(self.coming)

        self.refused(self.world.here.open(self.coming))

    def test_twice_with_the_cookie(self) -> None:
        """Also if it has kept its cookie, against our will."""
        jar = dict(self.world.here.jar)
        self.world.here.open(self.coming)
        self.world.here.jar.update(jar)
        visit = self.world.here.open(self.coming)

        self.assertEqual((visit.left, "could not be used" in visit.text), (False, True))

    def test_row_27_cookie_of_another_trip(self) -> None:
        """A cookie under the name of another state is not taken."""
        ((name, path),) = [key for key in self.world.here.jar if "KKTS" in key[0]]
        cookie = self.world.here.jar.pop((name, path))
        state = query_of(self.world.request().url)["state"]
        ((other, _),) = [key for key in self.world.here.jar if "KKTS" in key[0]]
        self.world.here.jar[other, path] = evolve(cookie, name=other)

        self.refused(self.world.here.open(f"{RETURN}?code=a&state={state}"))

    def test_error_text_is_not_shown(self) -> None:
        """What an error says is not repeated anywhere."""
        state = query_of(self.coming)["state"]
        text = "call+0900+1234+%3Cscript%3E"
        visit = self.world.here.open(f"{RETURN}?error=server_error&error_description={text}&state={state}&{ISS}")

        self.assertNotIn("0900", visit.answer.body.decode() + visit.url)

    def test_no_becomes_the_answer(self) -> None:
        """Somebody who says no there, unasked here, goes back to the application, which is told in our words."""
        state = query_of(self.coming)["state"]
        visit = self.world.here.open(f"{RETURN}?error=access_denied&error_description=evil&state={state}&{ISS}")
        told = query_of(visit.url)

        self.assertEqual(
            (told["error"], told["error_description"]),
            ("access_denied", "the external authority has signed nobody in"),
        )

    def test_mix_up(self) -> None:
        """An answer of another issuer is not taken, and its code shown to nobody."""
        visit = self.world.here.open(self.coming.replace("iss=https%3A%2F%2Fsso.corp", "iss=https%3A%2F%2Fevil"))

        self.assertIn("could not be used", visit.text)

    def test_stolen_code(self) -> None:
        """A code of another sign-in does not fit the request that this browser has made."""
        victim = query_of(self.coming)["code"]
        mine = self.world.here
        state = query_of(self.world.request().url)["state"]
        visit = mine.open(f"{RETURN}?code={victim}&iss=https%3A%2F%2Fsso.corp.example&state={state}")

        self.assertIn("could not be used", visit.text)

    def test_row_27_other_authority(self) -> None:
        """Somebody who left for an authority that is gone has to start again."""
        world = Federation(entries=(entry(authority_id="other"),))
        world.rp.clock.advance(self.world.rp.clock.now() - world.rp.clock.now())
        visitor = Visitor(world.rp)
        visitor.jar = self.world.here.jar

        self.refused(visitor.open(self.coming))

    def test_post_where_nobody_posts(self) -> None:
        """A form from elsewhere without a state is refused."""
        visit = self.world.here.post(RETURN, {"code": "a"})

        self.refused(visit)


class LoopTests(FederationCase):
    """Nothing goes round in circles."""

    def test_row_27_other_account(self) -> None:
        """Somebody who is signed in there, but is not whom the application means, sees the page, and why."""
        self.world.sign_in(self.world.request())
        self.world.advance(1000)
        visit = self.world.through(self.world.request(claims='{"id_token":{"sub":{"value":"somebody-else"}}}'))

        self.assertEqual((visit.left, "asks for another account" in visit.text), (False, True))

    def test_local_page(self) -> None:
        """The page can be asked for, with a word that Konnect's successor has as well."""
        visit = self.world.here.open(f"{IDENTIFIER}/_/signin?identifier=must")

        self.assertIn("password", visit.fields)

    def test_no_cookies(self) -> None:
        """A browser that keeps no cookies is told so, and not sent to and fro."""
        coming = self.world.sign_in(self.world.request()).url
        self.world.here.jar = {}

        self.assertEqual(self.world.here.open(coming).answer.status, 400)
