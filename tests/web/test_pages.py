"""Pages: what is on them, for eyes, screen readers, keyboards and password stores."""

import re
from urllib.parse import urlsplit

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.every_view import EVERY_VIEW
from konnectd.web.pages import initial, plain
from konnectd.web.texts import EXPLANATIONS, MOVES, SIGN_IN_FAULTS
from konnectd.web.views import ErrorKind, FormPostPage, SignInFault, SignInPage
from tests.support.markup import elements, one, shape, text_of, xml_shape
from tests.support.rendering import STATIC, page
from tests.support.views import CHOOSER, CONSENT, GOODBYE, LOGO, SAMPLES, SIGN_IN, SIGNED_OUT, WELCOME

#: Every attribute whose value is an address.
ADDRESSES = {"href", "src", "action"}


class EveryPageTests(SynchronousTestCase):
    """What holds for each page in each variant."""

    def test_well_formed(self) -> None:
        """HTML and XML readers see the same elements with the same attributes."""
        for name, view in SAMPLES.items():
            body = page(view)

            self.assertEqual(xml_shape(body), shape(body), name)

    def test_all_views_have_samples(self) -> None:
        """No page is left out of these tests."""
        self.assertEqual(
            {type(view) for view in SAMPLES.values()},
            set(EVERY_VIEW),
        )

    def test_one_heading_and_title(self) -> None:
        """There is one first heading, and the window's title says something."""
        for name, view in SAMPLES.items():
            body = page(view)

            self.assertTrue("".join(one(body, "title").text).strip(), name)
            one(body, "h1")

    def test_language(self) -> None:
        """Screen readers are told language and direction."""
        for name, view in SAMPLES.items():
            root = elements(page(view))[0]

            self.assertEqual((root.attributes["lang"], root.attributes["dir"]), ("en", "ltr"), name)

    def test_nothing_inline(self) -> None:
        """There is no style or event handler in an attribute, and no style or script text in the page."""
        for name, view in SAMPLES.items():
            for element in elements(page(view)):
                inline = [key for key in element.attributes if key == "style" or key.startswith("on")]

                self.assertEqual(inline, [], name)
                self.assertFalse(element.name == "style", name)
                self.assertFalse(element.name == "script" and element.text, name)

    def test_nothing_from_elsewhere(self) -> None:
        """All a page loads is served by the daemon, under a path that exists; logos of applications too."""
        paths = {route.path for route in STATIC.routes} | {LOGO}
        for name, view in SAMPLES.items():
            for element in elements(page(view)):
                loaded = [element.attributes[key] for key in ("src", "href") if key in element.attributes]
                if element.name in {"link", "script", "img"}:
                    self.assertTrue(loaded and set(loaded) <= paths, f"{name}: {loaded}")

    def test_references_inside(self) -> None:
        """Ids are unique, and labels and descriptions point at one that is there."""
        for name, view in SAMPLES.items():
            found = elements(page(view))
            ids = [element.attributes["id"] for element in found if "id" in element.attributes]

            self.assertEqual(len(ids), len(set(ids)), name)
            for element in found:
                for key in ("for", "aria-describedby", "aria-labelledby"):
                    self.assertTrue(set(element.attributes.get(key, "").split()) <= set(ids), f"{name}: {element}")

    def test_fields_have_labels(self) -> None:
        """Every field one can see is bound to a label."""
        for name, view in SAMPLES.items():
            found = elements(page(view))
            labels = {element.attributes["for"] for element in found if element.name == "label"}
            for element in found:
                if element.name == "input" and element.attributes["type"] != "hidden":
                    self.assertIn(element.attributes["id"], labels, name)

    def test_forms_carry_token(self) -> None:
        """Each form posts, and carries the token against forms of other sites; an application gets none of ours."""
        for name, view in SAMPLES.items():
            body = page(view)
            if isinstance(view, FormPostPage):
                self.assertNotIn(b"csrf", body)
                continue
            for element in elements(body):
                if element.name == "form":
                    self.assertEqual(element.attributes["method"], "post", name)
                    self.assertTrue(one(body, "input", type="hidden", name="csrf").attributes["value"], name)

    def test_one_autofocus(self) -> None:
        """At most one element asks for the focus."""
        for name, view in SAMPLES.items():
            asking = [element for element in elements(page(view)) if "autofocus" in element.attributes]

            self.assertLessEqual(len(asking), 1, name)

    def test_weight(self) -> None:
        """A sign-in page with all it loads weighs at most 40 kB."""
        loaded = sum(len(file.content) for file in STATIC.files.values())

        self.assertLessEqual(len(page(SIGN_IN)) + loaded, 40_000)


class LogoTests(SynchronousTestCase):
    """Logos of applications."""

    def test_escaped(self) -> None:
        """Whatever an address holds, it stays one address in one attribute of one picture."""
        hostile = "/signin/v1/client-logo?client_id=\"><script>'&amp;`\u202e"
        for view in (SIGN_IN, CHOOSER, CONSENT):
            found = [e for e in elements(page(evolve(view, logo=hostile))) if e.attributes.get("decoding")]

            self.assertEqual([element.name for element in found], ["img"], view)
            self.assertEqual(found[0].attributes, {"src": hostile, "alt": "", "decoding": "async"})

    def test_names_stay(self) -> None:
        """A page says the same words with a logo as without."""
        for view in (SIGN_IN, CHOOSER, CONSENT):
            with_logo, without = page(evolve(view, logo=LOGO)), page(view)

            self.assertEqual(text_of(with_logo).split(), text_of(without).split())


class NameTests(SynchronousTestCase):
    """How names are shown."""

    def test_names_are_isolated(self) -> None:
        """Wherever an application's name stands in a sentence, it can not turn the sentence around."""
        for view in (SIGN_IN, CHOOSER, CONSENT, GOODBYE, SIGNED_OUT):
            body = page(view)
            named = [element for element in elements(body) if "Notes" in element.text and "/body" in element.path]

            self.assertEqual({element.name for element in named}, {"bdi"}, view)

    def test_plain(self) -> None:
        """Line breaks, hidden characters and endless names are tamed; joiners that scripts need stay."""
        cases = {
            " two\nlines\t": "two lines",
            "a\u202eb\u2066c\u200bd": "abcd",
            "\u0645\u06cc\u200c\u062e": "\u0645\u06cc\u200c\u062e",
            "x" * 120: "x" * 120,
            "x" * 121: "x" * 119 + "…",
        }
        for text, shown in cases.items():
            self.assertEqual(plain(text), shown)

    def test_initial(self) -> None:
        """The letter in somebody's picture is the first real one."""
        cases = {
            "alice": "A",
            "  élan": "É",
            "#1": "1",
            "": "•",
            "\u202e!": "•",
            "ß": "S",
            "e\u0301a": "É",
            "山田": "山",
        }
        for text, letter in cases.items():
            self.assertEqual(initial(text), letter, text)


class SignInTests(SynchronousTestCase):
    """The sign-in form."""

    def test_fields(self) -> None:
        """Password stores and keyboards of telephones know what the fields are."""
        body = page(SIGN_IN)
        username, password = one(body, "input", name="username"), one(body, "input", name="password")

        self.assertEqual(username.attributes["autocomplete"], "username")
        self.assertEqual(username.attributes["autocapitalize"], "none")
        self.assertEqual(password.attributes["autocomplete"], "current-password")
        self.assertNotIn("value", password.attributes)

    def test_application(self) -> None:
        """One reads where one is going, by name and by host."""
        self.assertIn("to continue to Notes notes.example.org", text_of(page(SIGN_IN)))

    def test_without_application(self) -> None:
        """Somebody who came alone is not told about an application."""
        self.assertNotIn("continue", text_of(page(SAMPLES["signin-alone"])))

    def test_faults(self) -> None:
        """Each fault is announced in its words."""
        for fault in SignInFault:
            alert = one(page(SAMPLES[f"signin-{fault}"]), "p", role="alert")

            self.assertEqual("".join(alert.text), SIGN_IN_FAULTS[fault])

    def test_blame(self) -> None:
        """Exactly the fields that are wrong are marked, and point at the explanation."""
        blamed = {
            SignInFault.WRONG_CREDENTIALS: ["username", "password"],
            SignInFault.MISSING_USERNAME: ["username"],
            SignInFault.MISSING_PASSWORD: ["password"],
        }
        for fault in SignInFault:
            found = elements(page(SAMPLES[f"signin-{fault}"]))
            marked = [element for element in found if element.attributes.get("aria-invalid") == "true"]

            self.assertEqual([element.attributes["name"] for element in marked], blamed.get(fault, []), fault)
            for element in marked:
                self.assertIn("fault", element.attributes["aria-describedby"].split())

    def test_no_fault(self) -> None:
        """A fresh form accuses nobody."""
        found = elements(page(SIGN_IN))

        self.assertEqual([e for e in found if "alert" in e.attributes.values() or "aria-invalid" in e.attributes], [])

    def test_focus(self) -> None:
        """One begins to type where something is missing."""
        cases = (("", None, "username"), ("alice", None, "password"), ("a", SignInFault.MISSING_USERNAME, "username"))
        for username, fault, expected in cases:
            body = page(SignInPage(action="/", csrf="c", username=username, fault=fault))

            self.assertEqual(one(body, "input", autofocus="autofocus").attributes["name"], expected)


class OtherPagesTests(SynchronousTestCase):
    """Buttons, links and words of the other pages."""

    def test_buttons(self) -> None:
        """Each page posts the names that its endpoint waits for."""
        cases = {CHOOSER: ["account", "signout", "other"], CONSENT: ["deny", "allow"], GOODBYE: ["stay", "signout"]}
        for view, names in {**cases, WELCOME: ["signout"]}.items():
            buttons = [element for element in elements(page(view)) if element.name == "button"]

            self.assertEqual([button.attributes["name"] for button in buttons], names)
            self.assertTrue(all(button.attributes["value"] for button in buttons))

    def test_consent(self) -> None:
        """One reads who asks, whom, for what and where one goes, without hovering over anything."""
        text = text_of(page(CONSENT))
        for words in (
            "Notes asks for access",
            "Alice Liddell",
            "See who you are",
            "Read & write your calendar",
            "example/special",
            "notes.example.org",
        ):
            self.assertIn(words, text)

    def test_way_back(self) -> None:
        """Whoever is signed out finds the way back to the application, on the web or on the device."""
        self.assertEqual(one(page(SIGNED_OUT), "a").attributes["href"], "https://notes.example.org/bye?state=1&x=2")
        self.assertEqual(one(page(SAMPLES["signed_out-nameless"]), "a").attributes["href"], "org.example.app:/bye")

    def test_errors(self) -> None:
        """Each kind of error says what happened, whose move it is, and its reference."""
        for kind in ErrorKind:
            explanation = EXPLANATIONS[kind]
            text = text_of(page(SAMPLES[f"error-{kind}"]))
            for words in (explanation.title, explanation.what, MOVES[explanation.move], explanation.advice):
                self.assertIn(words, text)
            self.assertIn("Reference Q7KD-3MXA", text)

    def test_details(self) -> None:
        """A developer finds code and description; where there is none, no empty line is shown."""
        self.assertIn(
            "Error invalid_request Detail redirect_uri is not registered for this client",
            text_of(page(SAMPLES["error-redirect_uri"])),
        )
        self.assertEqual(len([e for e in elements(page(SAMPLES["error-short"])) if e.name == "dt"]), 1)

    def test_texts_are_fit_for_catalogues(self) -> None:
        """No text that the code chooses has a percent sign or markup in it: it is put into pages as it is."""
        chosen = [*SIGN_IN_FAULTS.values(), *MOVES.values()]
        chosen += [text for e in EXPLANATIONS.values() for text in (e.title, e.what, e.advice)]

        self.assertEqual([text for text in chosen if re.search("[%<>&]", text)], [])


class AddressTests(SynchronousTestCase):
    """Static addresses in pages."""

    def test_absolute_paths(self) -> None:
        """They work from whichever path a page is served: each is an absolute path on the same host."""
        for element in elements(page(SIGN_IN)):
            if element.name == "a":
                continue  # links lead to applications
            for key in ADDRESSES & set(element.attributes):
                address = urlsplit(element.attributes[key])

                self.assertEqual((address.scheme, address.netloc, address.path[:1]), ("", "", "/"))
