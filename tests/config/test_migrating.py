"""Every option of Konnect: the page about moving over names it, and what that says comes true."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from konnectd import cli, loader
from konnectd.authority_kinds import PACKAGE as AUTHORITIES
from konnectd.config import launcher
from konnectd.config.contents import read_contents
from konnectd.config.registration import load_clients
from konnectd.config.scopes import load_scopes
from konnectd.config.settings import Settings, load, survey
from konnectd.option import ConfigError
from konnectd.protocol.client import Client
from tests.config.test_keys import private_pem
from tests.support.commands import caught
from tests.support.files import folder, write
from tests.support.keys import rsa_key
from tests.support.konnect import DATA, NAMED
from tests.support.migrating import DIFFERS, NO_EFFECT, REFUSED, ROOT, SAME, TABLES, data, here, names, rows, written

ISS = "https://id.example.com"
WORKS = {SAME, DIFFERS}


class PageTests(SynchronousTestCase):
    """The tables of the page."""

    def test_complete(self) -> None:
        """Each has every name once, and no other."""
        for table in TABLES:
            found = sorted(name for row in rows(table) for name in row.names)
            with self.subTest(table=table):
                self.assertEqual(found, names(table))

    def test_words(self) -> None:
        """Each row says in one of four words what becomes of it, and explains what is not the same."""
        for table in TABLES:
            for row in rows(table):
                with self.subTest(row=row.names):
                    self.assertIn(row.here, {SAME, DIFFERS, REFUSED, NO_EFFECT})
                    self.assertTrue(row.text or row.here == SAME)


class GivenCase(SynchronousTestCase):
    """Gives konnectd what Konnect could be told, and looks what comes of it."""

    def judge(
        self, word: str, name: str, wanted: Mapping[str, str], given: tuple[Settings, Iterable[ConfigError]]
    ) -> None:
        """Fail unless what the page says of a name has come true.

        Args:
            word: what the page says.
            name: as it was given.
            wanted: settings, as they would be written.
            given: what was read.
        """
        settings, faults = given
        about = [line for line in settings.warnings if name in line.split()]
        got = {key: written(settings.effective.get(key)) for key in wanted}
        told = [str(fault) for fault in faults]
        with self.subTest(name=name):
            if word == REFUSED:
                self.assertEqual([name in line and line.endswith("is not supported") for line in told], [True])
            elif word == NO_EFFECT:
                self.assertEqual((told, len(about)), ([], 1))
            else:
                self.assertEqual((told, about, got), ([], [], wanted))

    def settings(self, words: Iterable[str], environ: Mapping[str, str]) -> tuple[Settings, Iterable[ConfigError]]:
        """Read settings with the backends that there are."""
        return survey(tuple(words), environ)


class FlagTests(GivenCase):
    """Flags of ``konnectd serve``."""

    def try_flag(self, name: str, entry: Mapping[str, Any], word: str) -> None:
        """Give a flag, as often as there are values."""
        say = entry.get("say", "")
        values = say if isinstance(say, list) else [say]
        flags = [f"--{name}={value}" if value else f"--{name}" for value in values]
        wanted = entry.get("sets", {name.replace("-", "_"): values[0] or "yes"})
        issuer = [] if name == "iss" else [f"--iss={ISS}"]
        self.judge(word, f"--{name}", wanted, self.settings([*issuer, *flags, entry.get("backend", "ldap")], {}))

    def test_of_konnect(self) -> None:
        """Each of Konnect's."""
        for name, word in here("flags").items():
            self.try_flag(name, data()["flags"][name], word)

    def test_of_lico(self) -> None:
        """Each that lico has besides."""
        for name, entry in data()["lico"]["flags"].items():
            self.try_flag(name, entry, here("lico")[name])

    def test_in_the_file(self) -> None:
        """Each is a line of the file too, by its own name, whatever other one Konnect's launcher had for it."""
        for name, entry in data()["flags"].items():
            say = entry.get("say", "yes")
            lines = {"iss": ISS, "identity_manager": "ldap"}
            lines |= {name.replace("-", "_"): " ".join(say) if isinstance(say, list) else say}
            config = write(self, "k.conf", "".join(f"{key} = {value}\n" for key, value in lines.items()))
            wanted = entry.get("sets", {name.replace("-", "_"): say})
            self.judge(here("flags")[name], name, wanted, self.settings([f"--config={config}"], {}))

    def test_with_a_blank(self) -> None:
        """A value may be the next word, as with Konnect; a switch takes none there."""
        for name, entry in data()["flags"].items():
            if isinstance(entry.get("say"), str) and entry["say"] != "false":
                with self.subTest(name=name):
                    found = load((f"--iss={ISS}", "ldap", f"--{name}", entry["say"]), {})
                    self.assertEqual(found.backend, "ldap")


class VariableTests(GivenCase):
    """Environment variables."""

    def try_variable(self, name: str, entry: Mapping[str, Any], word: str) -> None:
        """Set a variable."""
        flags = [entry.get("backend", "ldap")] + ([] if "iss" in entry.get("sets", {}) else [f"--iss={ISS}"])
        self.judge(word, name, entry.get("sets", {}), self.settings(flags, {name: entry["say"]}))

    def test_of_konnect(self) -> None:
        """Each of Konnect's."""
        for name, word in here("variables").items():
            self.try_variable(name, data()["variables"][name], word)

    def test_of_lico(self) -> None:
        """Each that lico has besides."""
        for name, entry in data()["lico"]["variables"].items():
            self.try_variable(name, entry, here("lico")[name])

    def test_in_the_file(self) -> None:
        """The file was an environment file as well, so each may be a line of it, and does the same there."""
        for name, word in here("variables").items():
            entry = data()["variables"][name]
            lines = {"oidc_issuer_identifier": ISS, "identity_manager": entry.get("backend", "ldap")}
            lines |= {name: entry["say"]}
            if name == "OIDC_ISSUER_IDENTIFIER":
                del lines["oidc_issuer_identifier"]
            config = write(self, "k.conf", "".join(f"{key} = {value}\n" for key, value in lines.items()))
            self.judge(word, name, entry.get("sets", {}), self.settings([f"--config={config}"], {}))


class KeyTests(GivenCase):
    """Lines of ``/etc/kopano/konnectd.cfg``."""

    def test_each(self) -> None:
        """Each does what the page says."""
        for name, word in here("keys").items():
            entry = data()["keys"][name]
            lines = {"oidc_issuer_identifier": ISS, "identity_manager": entry.get("backend", "ldap")}
            lines |= {name: entry["say"]}
            config = write(self, "k.conf", "".join(f"{key} = {value}\n" for key, value in lines.items()))
            wanted = entry.get("sets", {name: entry["say"]})
            self.judge(word, name, wanted, self.settings([f"--config={config}"], {}))

    def test_in_our_own_file(self) -> None:
        """The example of a configuration has each of them, if only among further names."""
        text = (ROOT / "etc" / "konnectd.conf").read_text("utf-8")

        self.assertEqual([name for name in names("keys") if re.search(rf"\b{name}\b", text) is None], [])


class CommandTests(SynchronousTestCase):
    """Commands."""

    def test_serving(self) -> None:
        """The words for each manager choose the backend, with its words."""
        for name, entry in data()["commands"].items():
            words = entry["words"]
            if words[:1] == ["serve"] and "status" not in entry:
                found = load((f"--iss={ISS}", *words[1:]), {})
                with self.subTest(name=name):
                    self.assertEqual([found.backend, *found.backend_args], words[1:])
                    self.assertIn(here("commands")[name], WORKS)

    def test_others(self) -> None:
        """All others do what they are called for, with the exit status that they had."""
        key = folder(self) / "konnect-20210101-beef.pem"
        key.write_bytes(private_pem(rsa_key()))
        for name, entry in data()["commands"].items():
            if "status" in entry:
                words = [str(key) if word == "KEY" else word for word in entry["words"]]
                done = caught(lambda words=words: cli.main(words))
                with self.subTest(name=name):
                    self.assertEqual((done.status, entry["says"] in done.output + done.errors), (entry["status"], True))
                    self.assertIn(here("commands")[name], WORKS)

    def test_of_lico(self) -> None:
        """A backend that is not there is refused with a line that names it."""
        for name, entry in data()["lico"]["commands"].items():
            _, faults = survey((f"--iss={ISS}", *entry["words"][1:]), {})
            with self.subTest(name=name):
                self.assertEqual(here("lico")[name], REFUSED)
                self.assertIn(f"there is no backend {entry['words'][1]}", str(faults[0]))


class ClientTests(SynchronousTestCase):
    """Keys of a client."""

    def load(self, entry: Mapping[str, object]) -> tuple[Client, list[str]]:
        """Read the file with one client; what it does not say of itself is filled in."""
        client = {"id": "app", "redirect_uris": ["https://app.example.com/cb"], **entry}
        warnings: list[str] = []
        path = write(self, "registration.yaml", yaml.safe_dump({"clients": [client]}))
        (found,) = load_clients(path, loopback_issuer=False, warn=warnings.append)
        return found, warnings

    def try_key(self, name: str, entry: Mapping[str, Any], word: str) -> None:
        """Give a client a key."""
        client, warnings = self.load({**entry.get("with", {}), name: entry["say"]})
        wanted = entry.get("sets", {name: tuple(entry["say"]) if isinstance(entry["say"], list) else entry["say"]})
        with self.subTest(name=name):
            if word == NO_EFFECT:
                self.assertEqual([f"{name}: is not known and has no effect" in line for line in warnings], [True])
            else:
                self.assertEqual(({key: getattr(client, key) for key in wanted}, warnings), (wanted, []))

    def test_of_konnect(self) -> None:
        """Each of Konnect's."""
        for name, word in here("clients").items():
            self.try_key(name, data()["clients"][name], word)

    def test_of_lico(self) -> None:
        """Each that lico has besides."""
        for name, entry in data()["lico"]["clients"].items():
            self.try_key(name, entry, here("lico")[name])

    def test_the_last_key_of_the_original(self) -> None:
        """What Konnect passed over in silence is told."""
        _, warnings = self.load({"redirect_urls": ["https://app.example.com/"]})

        self.assertEqual(["redirect_urls: is not known" in line for line in warnings], [True])


class AuthorityTests(SynchronousTestCase):
    """Keys of an authority."""

    def entry(self, kind: str, *more: Mapping[str, Any], **changes: object) -> dict[str, object]:
        """Return an entry with every key that there is for a kind."""
        entries = {name: entry for found in (data()["authorities"], *more) for name, entry in found.items()}
        said = {name: entry["say"] for name, entry in entries.items() if kind in entry["kinds"] and "say" in entry}
        return {**said, "authority_type": kind, **changes}

    def warnings(self, *entries: Mapping[str, object]) -> list[str]:
        """Read a file with authorities as a start does, and return what is warned of.

        Raises:
            ConfigErrors: something in it is wrong.
        """
        path = write(self, "registration.yaml", yaml.safe_dump({"authorities": [dict(entry) for entry in entries]}))
        found: list[str] = []
        settings = load((f"--iss={ISS}", f"--identifier-registration-conf={path}", "ldap"), {})
        read_contents(settings, warn=found.append)
        return found

    def test_each(self) -> None:
        """Entries with all keys of each kind are read without a fault, and no key is passed over."""
        lico = self.entry("oidc", data()["lico"]["authorities"], id="lico", default=False, response_type="code")
        saml = self.entry("saml2", id="saml", default=False)
        found = self.warnings(self.entry("oidc"), lico, *((saml,) if "saml2" in loader.names(AUTHORITIES) else ()))

        self.assertEqual([line for line in found if "registration.yaml" in line], [])

    def test_all_are_said_to_work(self) -> None:
        """The page promises it of each."""
        words = {**here("authorities"), **{name: here("lico")[name] for name in data()["lico"]["authorities"]}}

        self.assertEqual({name: word for name, word in words.items() if word not in WORKS}, {})


class ScopeTests(SynchronousTestCase):
    """Keys of the file of scopes."""

    def test_each(self) -> None:
        """All of them have their effect."""
        warnings: list[str] = []
        text = {
            "mapping": {"some-scope": "custom-scope"},
            "scopes": {"custom-scope": {"description": "Look at your things", "priority": 100}, "bare": None},
        }
        catalog = load_scopes(write(self, "scopes.yaml", yaml.safe_dump(text)), warn=warnings.append)
        shown = catalog.definitions[catalog.mapping["some-scope"]]

        self.assertEqual(warnings, [])
        self.assertEqual((shown.description.default, shown.priority), ("Look at your things", 100))
        self.assertIn("bare", catalog.definitions)
        self.assertLessEqual(set(here("scopes").values()), WORKS)


class FileTests(SynchronousTestCase):
    """Places of files."""

    def test_beside(self) -> None:
        """What lies beside the configuration file is found by the option that the data name."""
        for files, said in ((data()["files"], here("files")), (data()["lico"]["files"], here("lico"))):
            (config,) = (Path(name) for name in files if name.endswith(".cfg"))
            found = {given.text: given.name for given in launcher.left_out(config, to_make=True)}
            wanted = {name: entry["sets"] for name, entry in files.items() if "sets" in entry}
            shown = {path: key.replace("encryption_secret_key", "encryption_secret") for path, key in found.items()}
            self.assertEqual({path: key for path, key in shown.items() if path in files}, wanted)
            self.assertEqual({said[name] for name in wanted}, {SAME})


class ExampleTests(SynchronousTestCase):
    """The files of an installation that `tests.real.test_moving_over` moves over."""

    def test_configuration(self) -> None:
        """It has every key, if only behind a mark."""
        text = (DATA / "konnectd.cfg").read_text("utf-8") + NAMED
        keys = {match[1] for match in re.finditer(r"^#?([a-z_]+) ?=", text, re.MULTILINE)}

        self.assertEqual(set(names("keys")) - keys, set())

    def test_clients(self) -> None:
        """They have every key together, and are read without a word."""
        path, warnings = DATA / "identifier-registration.yaml", list[str]()
        entries = yaml.safe_load(path.read_text("utf-8"))["clients"]
        clients = load_clients(path, loopback_issuer=False, warn=warnings.append)

        self.assertEqual(sorted({key for entry in entries for key in entry}), names("clients"))
        self.assertEqual(([client.client_id for client in clients], warnings), ([entry["id"] for entry in entries], []))


class ContainerTests(SynchronousTestCase):
    """What the image is told; `tests.real.test_container` tries it."""

    def test_named(self) -> None:
        """The entrypoint knows every variable and every secret."""
        script = (ROOT / "container" / "entrypoint.sh").read_text("utf-8")
        known = {
            name for name, entry in data()["container"].items() if name in script and entry.get("secret", "") in script
        }

        self.assertEqual(sorted(known), names("container"))
