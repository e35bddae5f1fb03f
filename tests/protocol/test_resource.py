"""Resource indicators: whom a token is for, and who may ask for that."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import audience, narrow_resources, parse_resources
from tests.support.requests import MAIL, form
from tests.support.strategies import TEXT

FILES, CALENDAR = "https://files.example.com/", "urn:example:calendar"
CLIENT = evolve(MAIL, resources=(FILES, CALENDAR))


class ResourceTests(SynchronousTestCase):
    """Resources of requests. Spec: RFC 8707 2."""

    def narrowed(self, granted: tuple[str, ...], asked: str | None, registered: tuple[str, ...]) -> tuple[str, ...]:
        """Return the resources of a token request; those of an error are its code."""
        try:
            return narrow_resources(granted, form(resource=asked), evolve(MAIL, resources=registered))
        except OAuthError as error:
            return (str(error.code),)

    def test_registered(self) -> None:
        """A client may name what it is registered for, once each."""
        asked = form(resource=f"{FILES} {CALENDAR} {FILES}")

        self.assertEqual(parse_resources(asked, CLIENT), (FILES, CALENDAR))
        self.assertEqual(parse_resources(form(), CLIENT), ())

    def test_not_a_target(self) -> None:
        """What is no absolute URI, has a fragment, or is not the client's, is no target."""
        for resource in ("files", "/files", f"{FILES}#x", "https://", "javascript:alert(1)", "https://b.example/"):
            with self.assertRaises(OAuthError, msg=resource) as caught:
                parse_resources(form(resource=resource), CLIENT)
            self.assertEqual(caught.exception.code, "invalid_target")

    def test_narrowing(self) -> None:
        """A token request may ask for part of what was granted, or name its own where nothing was said before."""
        both = (FILES, CALENDAR)
        for granted, asked, registered, wanted in (
            ((), None, both, ()),
            ((), FILES, both, (FILES,)),
            (both, None, both, both),
            (both, CALENDAR, both, (CALENDAR,)),
            ((FILES,), CALENDAR, both, ("invalid_target",)),
            ((), FILES, (), ("invalid_target",)),
            (both, None, (FILES,), ("invalid_target",)),
            (both, FILES, (FILES,), (FILES,)),
        ):
            self.assertEqual(self.narrowed(granted, asked, registered), wanted, (granted, asked, registered))

    def test_audience(self) -> None:
        """One is a text, several are a list, and without any the token is for its client."""
        self.assertEqual(audience((), "mail"), "mail")
        self.assertEqual(audience((FILES,), "mail"), FILES)
        self.assertEqual(audience((FILES, CALENDAR), "mail"), [FILES, CALENDAR])

    def test_repeated(self) -> None:
        """It is the one parameter that may be sent several times."""
        pairs = (("resource", FILES), ("resource", ""), ("resource", CALENDAR))

        self.assertEqual(parse_resources(Parameters.from_pairs(pairs), CLIENT), (FILES, CALENDAR))
        with self.assertRaises(UntrustedRequestError):
            Parameters.from_pairs((("scope", "a"), ("scope", "b")))

    @settings(deadline=None)
    @given(TEXT, st.sampled_from([(), (FILES,)]))
    def test_anything(self, asked: str, granted: tuple[str, ...]) -> None:
        """Whatever is asked for, nothing comes out that the client is not registered for."""
        found = self.narrowed(granted, asked, (FILES, CALENDAR))

        self.assertTrue({*found} <= {FILES, CALENDAR, "invalid_target"})
