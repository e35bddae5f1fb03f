"""The recipe of the container, read as an engine would: what it builds from, what gets in, and who it runs as.

What its entrypoint does is tried in `tests.real.test_container`.
"""

import re
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import konnectd

ROOT = Path(konnectd.__file__).parent.parent
EXAMPLES = ROOT / "docs" / "operate" / "container"
SECRETS = {"konnectd_signing_private_key", "konnectd_encryption_secret"}
_KNOWN = frozenset(
    "FROM RUN COPY ENV LABEL WORKDIR USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split()  # noqa: SIM905 - words
)


@frozen
class Instruction:
    """One instruction of the recipe."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """Read the recipe; lines that end in a backslash go on, comments are left out."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    found = (line.split(None, 1) for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip())
    return [Instruction(word, rest.strip()) for word, rest in found]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, the last of which is what runs."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.word == "FROM":
            found.append([])
        found[-1].append(each)
    return found


def environment() -> Mapping[str, str]:
    """Return the variables that the image sets."""
    words = " ".join(each.rest for each in stages()[-1] if each.word == "ENV").split()
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def last(word: str) -> str:
    """Return what the last stage says by an instruction that it has once."""
    (found,) = (each.rest for each in stages()[-1] if each.word == word)
    return found


class RecipeTests(SynchronousTestCase):
    """What the image is made of."""

    def test_words(self) -> None:
        """Every instruction is one that every engine knows."""
        self.assertEqual({each.word for each in instructions()} - _KNOWN, set())

    def test_bases(self) -> None:
        """Each stage begins with an image that is named with its version, never with whatever is newest."""
        bases = [stage[0].rest.split()[0] for stage in stages()]

        self.assertEqual(len(bases), 2)
        for base in bases:
            self.assertRegex(base, r"^[a-z]+:3\.11(\.\d+)?-slim-bookworm$")

    def test_same_base(self) -> None:
        """What was built with one Python runs with the same, since the folder of libraries names it."""
        self.assertEqual(len({stage[0].rest.split()[0] for stage in stages()}), 1)

    def test_nobody_special(self) -> None:
        """It runs as a number that is not root's, so that orchestrators can see that it is not."""
        user, _, group = last("USER").partition(":")

        self.assertTrue(user.isdecimal() and group.isdecimal() and int(user) > 0 < int(group), last("USER"))

    def test_user_exists(self) -> None:
        """The number has the name by which root becomes it."""
        made = " ".join(each.rest for each in stages()[-1] if each.word == "RUN")

        self.assertIn(f"--uid {last('USER').partition(':')[0]} ", made)
        self.assertIn("groupadd --gid", made)

    def test_everything_copied_is_there(self) -> None:
        """Whatever is copied in exists and is let through to the engine."""
        let_through = {
            line.removeprefix("!")
            for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if line.startswith("!")
        }
        copied = {
            source
            for each in instructions()
            if each.word == "COPY" and not each.rest.startswith("--from")
            for source in each.rest.split()[:-1]
        }

        self.assertEqual({source for source in copied if not (ROOT / source).exists()}, set())
        self.assertEqual(copied, let_through)

    def test_whole_package(self) -> None:
        """What setup.py packages is all copied before it is built."""
        copied = {each.rest.split()[0] for each in stages()[0] if each.word == "COPY"}

        self.assertLessEqual({"konnectd", "templates", "twisted", "setup.py"}, copied)

    def test_nothing_secret(self) -> None:
        """No layer has a secret in it: none is copied, set, or given while it is built."""
        ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        said = "\n".join(f"{each.word} {each.rest}" for each in instructions())

        self.assertLessEqual({"*", "**/*.key", "**/*.pem"}, set(ignored))
        self.assertIs(re.search(r"\bARG\b|PASSWORD|SECRET|PRIVATE_KEY|TOKEN|BINDPW", said), None)
        self.assertFalse(any(fnmatch(str(path), "*.pem") for path in (ROOT / "konnectd").rglob("*")))

    def test_libraries_are_those_that_were_tested(self) -> None:
        """They are installed by their hashes."""
        (installing,) = (each.rest for each in stages()[0] if "requirements.lock" in each.rest and each.word == "RUN")

        self.assertIn("--require-hashes", installing)

    def test_entrypoint(self) -> None:
        """It begins with the script, as a list, so that no shell stands between the engine's signals and it."""
        (copied,) = (each.rest for each in stages()[-1] if each.word == "COPY" and "entrypoint" in each.rest)

        self.assertEqual(last("ENTRYPOINT"), f'["{copied.split()[-1]}"]')
        self.assertTrue((ROOT / "container" / "entrypoint.sh").stat().st_mode & 0o111)

    def test_ports(self) -> None:
        """Where it listens, and where metrics are, can be reached from outside of the container, as with Konnect's."""
        named = [environment()[name] for name in ("KONNECTD_LISTEN", "KONNECTD_METRICS_LISTEN")]

        self.assertEqual(named, [f"0.0.0.0:{port}" for port in last("EXPOSE").split()])
        self.assertEqual(last("EXPOSE"), "8777 6777")

    def test_health(self) -> None:
        """It is asked for its health where it listens, and the answer comes before the engine's patience ends."""
        words = last("HEALTHCHECK")
        patience = int(re.findall(r"--timeout=(\d+)s", words)[0])

        self.assertIn('konnectd healthcheck --hostname="${KONNECTD_LISTEN%% *}"', words)
        self.assertLess(int(words.rpartition("--timeout=")[2]), patience)

    def test_shell(self) -> None:
        """The shell of the image, which is no bash, understands the script."""
        found = subprocess.run(
            ["/bin/sh", "-n", str(ROOT / "container" / "entrypoint.sh")], check=False, capture_output=True
        )

        self.assertEqual((found.returncode, found.stderr), (0, b""))


class ExampleTests(SynchronousTestCase):
    """The examples for compose and for a swarm."""

    def service(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return an example, and what it says about konnectd."""
        whole = yaml.safe_load((EXAMPLES / name).read_text("utf-8"))
        return whole, whole["services"]["konnectd"]

    def test_hardened(self) -> None:
        """Both run it with a root that can not be written to, and without capabilities."""
        for name in ("compose.yaml", "swarm.yaml"):
            _, service = self.service(name)
            self.assertEqual((service["read_only"], service["cap_drop"]), (True, ["ALL"]), name)

    def test_secrets(self) -> None:
        """What konnectd gets is declared, and comes under the names that the entrypoint looks for, or says where."""
        for name in ("compose.yaml", "swarm.yaml"):
            whole, service = self.service(name)
            entries = [each if isinstance(each, dict) else {"source": each} for each in service["secrets"]]
            files = {each.get("target", each["source"]) for each in entries}
            named = service["environment"].get("KONNECTD_SIGNING_PRIVATE_KEY_FILE", "konnectd_signing_private_key")
            self.assertEqual(files, {named, "konnectd_encryption_secret"}, name)
            self.assertEqual({each["source"] for each in entries}, set(whole["secrets"]), name)

    def test_no_secret_in_the_environment(self) -> None:
        """Neither shows a secret to whoever looks at the container."""
        for name in ("compose.yaml", "swarm.yaml"):
            _, service = self.service(name)
            self.assertLessEqual(
                set(service["environment"]), {"KONNECTD_TRUSTED_PROXY", "KONNECTD_SIGNING_PRIVATE_KEY_FILE"}
            )

    def test_built_from_here(self) -> None:
        """The one that builds it finds the recipe."""
        _, service = self.service("compose.yaml")

        self.assertEqual((EXAMPLES / service["build"]).resolve(), ROOT)

    def test_time_to_end(self) -> None:
        """Both wait for longer than konnectd does for requests that are being answered."""
        for name in ("compose.yaml", "swarm.yaml"):
            _, service = self.service(name)
            self.assertGreater(int(service["stop_grace_period"].removesuffix("s")), 10, name)
