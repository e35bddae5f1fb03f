"""The shape of the code, held against the code: who may import whom, and the rules that no linter knows.

A row of the table changes only with a record in ``docs/adr/``.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from tests.support import source
from tests.support.source import Module, Rule

PACKAGE = Path(konnectd.__file__).parent
ROOT = PACKAGE.parent


@frozen(kw_only=True)
class Row:
    """What one layer may import.

    Attributes:
        inside: other layers of konnectd.
        outside: packages of others; the standard library is free.
    """

    inside: frozenset[str]
    outside: frozenset[str]


def row(inside: str, outside: str) -> Row:
    """Make a row from words."""
    return Row(inside=frozenset(inside.split()), outside=frozenset(outside.split()))


#: What flows and everything that serves them speak in.
CORE = "protocol interfaces jsontext base64url sources authority authority_entry"
#: What is put together to make a daemon.
SERVE = (
    f"{CORE} http option loader config jose stores backends web world logs listener flows grants fetch late_fetch "
    "reach background"
)

TABLE: Mapping[str, Row] = {
    "protocol": row("jsontext base64url", "attrs"),
    "happenings": row("", "attrs"),
    "http": row("jsontext happenings", "attrs"),
    "jsontext": row("", "orjson"),
    "base64url": row("", ""),
    "paths": row("", "attrs"),
    "address": row("", "attrs"),
    "option": row("", "attrs"),
    "loader": row("", "attrs"),
    "reach": row("", "attrs"),
    "outward": row("interfaces reach", "twisted zope OpenSSL"),
    "bodies": row("", "attrs twisted"),
    "survey": row("", "attrs twisted"),
    "survey_post": row("bodies outward survey", "twisted treq zope"),
    "late_fetch": row(CORE, "attrs"),
    "fetch": row(f"{CORE} bodies late_fetch outward reach", "attrs twisted"),
    "vitals": row("", "attrs"),
    "interfaces": row("protocol", "attrs"),
    "sources": row("protocol interfaces", "attrs"),
    "authority_entry": row("protocol", "attrs"),
    "authority": row("authority_entry protocol interfaces", "attrs"),
    "authority_kinds": row("authority authority_entry interfaces loader", "twisted"),
    "authority_watch": row("authority", "twisted"),
    "late_authorities": row("authority authority_fetch authority_watch config interfaces option", ""),
    "federation_assembly": row(f"{SERVE} authority_kinds parts", "attrs"),
    "authority_fetch": row(f"{CORE} bodies late_fetch outward reach", "twisted zope"),
    "authorities": row(f"{CORE} option jose", "attrs cryptography lxml signxml twisted"),
    "flows": row(CORE, "attrs"),
    "grants": row(CORE, "attrs"),
    "authentication": row(CORE, "attrs"),
    "modes": row(CORE, "attrs"),
    "jose": row(CORE, "attrs cryptography jwcrypto"),
    "stores": row(f"{CORE} option vitals", "attrs twisted OpenSSL"),
    "backends": row(
        f"{CORE} option bodies vitals", "attrs twisted zope ldaptor argon2 yaml OpenSSL service_identity treq lxml"
    ),
    "config": row(f"{CORE} authority_kinds option loader paths address jose reach events", "attrs yaml cryptography"),
    "web": row(f"{CORE} http happenings paths flows", "attrs twisted klein werkzeug jinja2 babel markupsafe"),
    "world": row("interfaces base64url", "attrs"),
    "events": row("", "attrs"),
    "logs": row("events", "attrs twisted zope"),
    "log_json": row("events logs protocol", "attrs twisted zope"),
    "journal": row("log_json logs", "attrs twisted zope"),
    "background": row("", "attrs twisted"),
    "handed": row("option address", "attrs twisted"),
    "supervisor": row("", "attrs"),
    "notices": row("supervisor", "twisted"),
    "reloading": row("option", "attrs twisted"),
    "key_rotation": row(f"{CORE} config jose late_generations reloading", "attrs twisted"),
    "late_rotation": row("config parts key_rotation reloading watch_assembly", "twisted"),
    "listener": row("option address handed", "attrs twisted zope"),
    "parts": row(f"{SERVE} authority_kinds paths", "attrs"),
    "page_assembly": row(f"{SERVE} federation_assembly parts", "attrs"),
    "looks": row(SERVE, "attrs"),
    "assembly": row(f"{SERVE} looks parts page_assembly paths", "attrs"),
    "watching": row(f"{CORE} http happenings option config jose journal vitals web", "attrs twisted prometheus_client"),
    "watch_assembly": row(f"{SERVE} happenings vitals watching reloading", "attrs twisted"),
    "service": row(
        f"{SERVE} late_authorities parts assembly notices supervisor survey survey_post vitals watching "
        "watch_assembly reloading late_generations late_rotation looks",
        "attrs twisted",
    ),
    "late_generations": row(f"{SERVE} parts looks notices reloading generations", "attrs twisted"),
    "generations": row(f"{SERVE} parts looks assembly inspection reloading late_generations", "attrs twisted"),
    "inspection": row(f"{SERVE} late_authorities looks parts assembly service", "attrs twisted zope"),
    "tap": row("config option logs service runner supervisor", "attrs twisted zope"),
    "runner": row(
        "config option interfaces logs log_json journal service listener reloading supervisor", "attrs twisted"
    ),
    "explain": row("protocol", "attrs"),
    "commands": row("protocol option config jose inspection", "attrs twisted zope"),
    "doctor": row(
        f"{SERVE} address bodies late_authorities outward parts service commands inspection",
        "attrs twisted zope OpenSSL service_identity cryptography",
    ),
    "cli": row(
        "config option jose tap runner demo explain commands doctor supervisor", "attrs argon2 cryptography twisted"
    ),
    "demo": row(f"{SERVE} address bodies parts assembly service runner", "attrs twisted zope"),
}

#: Everything that decides may neither look at the world nor at its clock.
WORLD = ("io", "os", "pathlib", "select", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile")
IMPURE = frozenset(("asyncio", "datetime", "logging", "queue", "random", "secrets", "threading", "time", *WORLD))
#: Where everything may be caught, each with the reason.
BROAD: Mapping[str, str] = {
    "web/edge.py": "the border of the daemon: nothing above could answer the browser",
    "web/reply.py": "the border of the daemon: nothing above could answer the browser",
    "web/waiting.py": "hands on to a coroutine what is meant for it, and keeps nothing",
    "stores/_sqlite_lane.py": "the bottom of a thread: whoever waits is told, whatever it was",
    "service.py": "the body of a timer: nothing above could try again",
    "survey.py": "the body of a timer: nothing above could try again",
    "survey_post.py": "whatever goes wrong on the way to somebody who may not be there at all is told as one thing",
    "background.py": "the body of a timer: nothing above could try again",
    "key_rotation.py": "the body of a timer: nothing above could try again",
    "reloading.py": "what a signal began: nothing above could try again",
    "watching/health.py": "a fault in one probe must not keep everybody waiting who asks how we are",
    "logs.py": "a fact that can not be shown must not cost the line it stands in",
}
#: Klein's request is met in one place.
KLEIN_IN = frozenset({"web/edge.py"})
#: The reactor is an argument everywhere else.
REACTOR_IN = frozenset({"tap.py", "cli.py", "runner.py", "demo/command.py"})
#: Names that operators type, so they are kept although they say little.
OPERATORS_WORDS = re.compile(r"cli\.py:[0-9]+: _?utils$")
#: Fields that are named like a secret and are none, each with the reason.
NO_SECRETS = {
    "option.py: Option.keys": "names in the configuration file",
    "jose/keys.py: PublicKey.key": "public",
    "config/changes.py: Changes.keys": "what has become of keys, by their ids",
    "protocol/key_rotation.py: Activate.key": "what has happened to a key",
    "protocol/key_rotation.py: Retire.key": "what has happened to a key",
    "protocol/key_rotation.py: Strip.key": "what has happened to a key",
    "protocol/scope.py: Scope.tokens": "the specification's word for the parts of a scope",
    "web/views.py: ScopeLine.token": "the specification's word for a part of a scope",
    "web/views.py: ErrorPage.code": "an error code, which everybody may see",
    "demo/views.py: TroublePage.code": "an error code, which everybody may see",
    "paths.py: Paths.token": "the path of an endpoint",
    "protocol/discovery.py: Endpoints.token": "the address of an endpoint",
    "protocol/claims_request.py: ClaimsRequest.id_token": "names of claims for it",
}


def inside_imports(module: Module) -> Iterator[str]:
    """Yield the layers of konnectd that a module imports."""
    layers = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    for name in source.imported_names(module):
        parts = name.split(".")
        if parts[0] == "konnectd" and len(parts) > 1 and parts[1] in layers:
            yield parts[1]


def outside_imports(module: Module) -> Iterator[str]:
    """Yield the top names of what others have written, the standard library left out."""
    for name in source.imported_names(module):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and top not in {"konnectd", "tests", "tools", "bench", ""}:
            yield top


def against_table(module: Module) -> Iterator[str]:
    """Yield the imports that are not in a module's row."""
    allowed = TABLE.get(module.layer)
    if allowed is None:
        yield f"{module.name}: {module.layer} has no row in the table"
        return
    for name in sorted(set(inside_imports(module)) - allowed.inside - {module.layer}):
        yield f"{module.name} imports konnectd.{name}"
    for name in sorted(set(outside_imports(module)) - allowed.outside):
        yield f"{module.name} imports {name}"


def impure(module: Module) -> Iterator[str]:
    """Yield imports of the standard library with which a module could see the world."""
    for name in source.imported_names(module):
        if name.split(".")[0] in IMPURE:
            yield f"{module.name} imports {name}"


def listed_distributions(*names: str) -> frozenset[str]:
    """Return what the lists and tables of setup.py with these names ask for, as registries compare names.

    ``zope.interface`` is always among them: it is Twisted's own vocabulary and comes with it.
    """
    found = {"zope-interface"}
    for node in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
            value = ast.literal_eval(node.value)
            texts = value if isinstance(value, list) else [text for group in value.values() for text in group]
            found |= {as_compared(text.partition(">=")[0].partition("[")[0]) for text in texts}
    return frozenset(found)


def as_compared(name: str) -> str:
    """Return the name of a package as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def unlisted(modules: Iterable[Module], listed: frozenset[str]) -> set[str]:
    """Return what is imported although setup.py does not ask for it."""
    providers = packages_distributions()
    return {
        f"{module.name} imports {top}"
        for module in modules
        for top in outside_imports(module)
        if listed.isdisjoint(as_compared(name) for name in providers.get(top, ()))
    }


class ImportTests(SynchronousTestCase):
    """Imports run one way."""

    def setUp(self) -> None:
        """Read the package; its top ``__init__`` belongs to no layer and imports nothing."""
        self.modules = tuple(module for module in source.modules_below(PACKAGE) if module.name != "__init__.py")

    def found(self, rule: Rule, prefix: str = "") -> list[str]:
        """Return all that breaks a rule."""
        return [line for module in self.modules if module.name.startswith(prefix) for line in rule(module)]

    def test_every_module_keeps_to_its_row(self) -> None:
        """No layer reaches up or out."""
        self.assertEqual(self.found(against_table), [])

    def test_rules_see_no_world(self) -> None:
        """What the specifications say is decided without files, clock, chance or waiting."""
        self.assertEqual(self.found(impure, "protocol/") + self.found(source.coroutines, "protocol/"), [])

    def test_flows_see_no_world(self) -> None:
        """Flows, grants and methods of client authentication ask for time and chance through interfaces."""
        folders = ("flows/", "grants/", "authentication/")
        self.assertEqual([line for folder in folders for line in self.found(impure, folder)], [])

    def test_klein_is_met_in_one_place(self) -> None:
        """Klein can be replaced by rewriting one file."""
        users = {module.name for module in self.modules if {"klein", "werkzeug"} & set(outside_imports(module))}

        self.assertEqual(users - KLEIN_IN, set())

    def test_jwcrypto_is_met_in_one_layer(self) -> None:
        """Keys and tokens of foreign making are read in one place."""
        users = {module.layer for module in self.modules if "jwcrypto" in outside_imports(module)}

        self.assertEqual(users - {"jose"}, set())

    def test_the_reactor_is_an_argument(self) -> None:
        """Only what starts a process takes the global reactor."""
        users = {m.name for m in self.modules if "twisted.internet.reactor" in source.imported_names(m)}

        self.assertEqual(users - REACTOR_IN, set())

    def test_every_package_is_listed(self) -> None:
        """What is imported is in setup.py, so that it is installed because we need it and not by luck."""
        self.assertEqual(unlisted(self.modules, listed_distributions("REQUIRES")), set())

    def test_every_package_of_tests_is_listed(self) -> None:
        """What tests and tools import is in setup.py too."""
        modules = [module for folder in ("tests", "tools", "bench") for module in source.modules_below(ROOT / folder)]
        found = unlisted(modules, listed_distributions("REQUIRES", "EXTRAS"))

        # Names of ours are imported by tests of what happens when a library is missing.
        self.assertEqual({line for line in found if " imports konnectd_" not in line}, set())

    def test_imports_say_where_from(self) -> None:
        """There is no relative import."""
        self.assertEqual(self.found(source.relative_imports), [])

    def test_imports_say_what(self) -> None:
        """There is no star import."""
        self.assertEqual(self.found(source.star_imports), [])


class SafetyTests(SynchronousTestCase):
    """Mistakes that must not be possible."""

    def setUp(self) -> None:
        """Read the package."""
        self.modules = source.modules_below(PACKAGE)

    def test_no_rule_hangs_on_an_assert(self) -> None:
        """Under ``python -O`` nothing is forgotten."""
        self.assertEqual([line for module in self.modules for line in source.assert_statements(module)], [])

    def test_secrets_are_not_shown(self) -> None:
        """A value that is logged or stands in a traceback does not show what it guards."""
        shown = {line for module in self.modules for line in source.shown_secrets(module)}

        self.assertEqual(shown - NO_SECRETS.keys(), set())

    def test_a_return_address_is_a_proof(self) -> None:
        """One place makes it, the one that has looked; whoever holds one may redirect there."""
        places = [line for module in self.modules for line in source.constructions(module, "ReturnAddress")]

        self.assertEqual([place.partition(":")[0] for place in places], ["protocol/authorize.py"])

    def test_only_borders_catch_everything(self) -> None:
        """A fault of ours is seen, not swallowed."""
        broad = [line for module in self.modules for line in source.broad_excepts(module)]

        self.assertEqual([line for line in broad if line.partition(":")[0] not in BROAD], [])


class ReadabilityTests(SynchronousTestCase):
    """What makes the next reader's day."""

    def setUp(self) -> None:
        """Read the package, its plugin, its tests and its tools."""
        self.package = source.modules_below(PACKAGE)
        self.everything = tuple(
            Module(f"{folder}/{module.name}", module.text)
            for folder in ("konnectd", "twisted", "tests", "tools", "bench")
            for module in source.modules_below(ROOT / folder)
        )

    def test_a_file_has_one_idea(self) -> None:
        """No file is longer than the house allows."""
        self.assertEqual([line for module in self.everything for line in source.long_files(module)], [])

    def test_a_function_fits_on_a_screen(self) -> None:
        """No function of the product is longer than the house allows."""
        self.assertEqual([line for module in self.package for line in source.long_functions(module)], [])

    def test_everything_public_is_described(self) -> None:
        """Modules, classes and functions have a docstring, tests too."""
        self.assertEqual([line for module in self.everything for line in source.undocumented(module)], [])

    def test_names_say_something(self) -> None:
        """No file, class, function or argument has a name that fits everything."""
        poor = [line for module in self.package for line in source.poor_names(module)]

        self.assertEqual([line for line in poor if not OPERATORS_WORDS.match(line)], [])

    def test_package_inits_only_describe(self) -> None:
        """Importing a folder does nothing but give it a docstring; the top one also says the version."""
        busy = [
            module.name
            for module in self.package
            if module.name.endswith("__init__.py") and module.name != "__init__.py" and len(module.tree.body) > 1
        ]

        self.assertEqual(busy, [])
