"""The files for the conformance suite fit konnectd and each other, although nobody reads them until they are needed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.backends._file_users import parse_users
from konnectd.backends._passwords import matches
from konnectd.config.registration import load_clients
from konnectd.protocol.client import Client
from konnectd.protocol.vocabulary import AuthMethod
from konnectd.web.views import SignedOutPage, View
from tests.support import views
from tests.support.assembly import settings_of
from tests.support.markup import Element, elements
from tests.support.rendering import page

FOLDER = Path(konnectd.__file__).parent.parent / "docs" / "operate" / "certification"
NAMES = ("static.json", "dynamic.json")
ISSUER = "https://id.example.com"
SUITE = "https://localhost.emobix.co.uk:8443/test/a"
PATHS = settings_of().paths
#: What is to be seen at an address of ours, as the automation writes it.
PAGES: Mapping[str, tuple[View, ...]] = {
    f"{PATHS.identifier}?*": (views.SIGN_IN,),
    f"{PATHS.inner}consent*": (views.CONSENT,),
    f"{PATHS.inner}goodbye*": (views.GOODBYE,),
    f"{PATHS.inner}signedout*": (views.SAMPLES["farewell"],),
    f"{PATHS.inner}*": (SignedOutPage(),),
    f"{PATHS.authorize}*": tuple(view for name, view in views.SAMPLES.items() if name.startswith("error-")),
    f"{PATHS.endsession}*": tuple(view for name, view in views.SAMPLES.items() if name.startswith("error-")),
}
#: Claims of the standard scopes that a provider can know of somebody; preferred_username is the user name.
FURTHER = {
    *("middle_name", "nickname", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale"),
    *("updated_at", "phone_number", "phone_number_verified", "address"),
}


def configuration(name: str) -> dict[str, Any]:
    """Return a configuration of the suite."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def automations(name: str) -> Iterator[Mapping[str, Any]]:
    """Yield what a browser does: for every module, and for those that need something else."""
    found = configuration(name)
    yield from found["browser"]
    for changes in found["override"].values():
        yield from changes.get("browser", ())


def steps(name: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield each command that is done on a page of ours, with the path of the page."""
    for automation in automations(name):
        for task in automation["tasks"]:
            if not task["match"].startswith("*"):
                for command in task["commands"]:
                    yield task["match"].removeprefix(ISSUER), command


def fits(element: Element, kind: str, value: str) -> bool:
    """Tell whether an element is one that a command means."""
    if kind == "css":
        name, _, among = value.partition(".")
        return element.name == name and {among} - {""} <= set(element.attributes.get("class", "").split())
    return element.attributes.get(kind) == value


class ConfigurationTests(SynchronousTestCase):
    """What the suite is given."""

    def test_elements(self) -> None:
        """Every element that is clicked, filled in or waited for is on the page where it is expected."""
        for name in NAMES:
            for path, (_, kind, value, *rest) in steps(name):
                if kind in {"contains", "match"}:
                    continue
                found = [e for view in PAGES[path] for e in elements(page(view)) if fits(e, kind, value)]
                with self.subTest(name=name, path=path, value=value):
                    self.assertTrue(found)
                    if kind == "css" and value == "h1":
                        self.assertTrue([e for e in found if rest[1] in " ".join("".join(e.text).split())], rest)

    def test_addresses(self) -> None:
        """An automation begins where the suite sends browsers: at one of two endpoints, or at a page of its own."""
        ours = {f"{ISSUER}{PATHS.authorize}*", f"{ISSUER}{PATHS.endsession}*"}
        for name in NAMES:
            begun = {automation["match"] for automation in automations(name)}
            alias = configuration(name)["alias"]

            self.assertEqual({match for match in begun if not match.startswith(f"*/test/a/{alias}/")}, ours)
            self.assertEqual(configuration(name)["server"]["discoveryUrl"], f"{ISSUER}{PATHS.discovery}")

    def test_person(self) -> None:
        """Who signs in is in the users' file, with that password."""
        (person,) = parse_users((FOLDER / "users.yaml").read_text(encoding="utf-8"), "users.yaml")
        typed = {(c[2], c[3]) for name in NAMES for _, c in steps(name) if c[0] == "text"}

        self.assertEqual({name for name, _ in typed}, {"username", "password"})
        self.assertEqual(dict(typed)["username"], person.end_user.username)
        self.assertTrue(matches(person.password_hash, dict(typed)["password"]))


class UsersTests(SynchronousTestCase):
    """The person."""

    def test_claims(self) -> None:
        """Everything is known that a module about scopes would miss."""
        (person,) = parse_users((FOLDER / "users.yaml").read_text(encoding="utf-8"), "users.yaml")
        end_user = person.end_user

        self.assertEqual(set(end_user.further), FURTHER)
        self.assertTrue(all((end_user.name, end_user.given_name, end_user.family_name, end_user.email)))
        self.assertIs(end_user.email_verified, True)


class RegistrationTests(SynchronousTestCase):
    """The clients."""

    def clients(self) -> dict[str, Client]:
        """Read them as at start."""
        warnings: list[str] = []
        found = load_clients(FOLDER / "identifier-registration.yaml", loopback_issuer=False, warn=warnings.append)

        self.assertEqual(warnings, [])
        return {client.client_id: client for client in found}

    def test_same_clients(self) -> None:
        """The clients that the suite is given are those of the file, with their secrets."""
        suite, clients = configuration("static.json"), self.clients()
        given = [suite[name] for name in ("client", "client2", "client_secret_post")]
        given += [changes["client"] for changes in suite["override"].values() if "client" in changes]

        self.assertEqual(
            {entry["client_id"]: entry["client_secret"] for entry in given},
            {client_id: client.secret for client_id, client in clients.items()},
        )
        self.assertEqual(clients["certification-post"].auth_method, AuthMethod.POST)

    def test_addresses(self) -> None:
        """Each comes back to the alias, and a client that is told of sign-outs is told in one way only."""
        alias = f"{SUITE}/{configuration('static.json')['alias']}"
        for client_id, client in self.clients().items():
            told = [uri for uri in (client.frontchannel_logout_uri, client.backchannel_logout_uri) if uri]
            with self.subTest(client_id=client_id):
                self.assertEqual(client.redirect_uris, (f"{alias}/callback",))
                self.assertLessEqual(len(told), 1)
                self.assertEqual([uri.rpartition("/")[0] for uri in told], [alias] * len(told))

    def test_overrides(self) -> None:
        """The modules about both channels have the client that listens there."""
        override, clients = configuration("static.json")["override"], self.clients()
        front, back = (
            clients[override[f"oidcc-{channel}channel-rp-initiated-logout"]["client"]["client_id"]]
            for channel in ("front", "back")
        )

        self.assertTrue(front.frontchannel_logout_uri)
        self.assertTrue(back.backchannel_logout_uri)
