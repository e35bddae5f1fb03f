"""A clean Debian in a folder, and commands that run in it, for `tools.package_test`."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "package"
SUITE = "bookworm"
#: Debian packages, each with a command that shows that it is there.
NEEDED: Mapping[str, str] = {
    "build-essential": "gcc",
    "debhelper": "dh",
    "debootstrap": "debootstrap",
    "lintian": "lintian",
    "python3-venv": "pydoc3",
}
#: How much of what a command has said is shown when it fails, in lines.
_SHOWN = 40
#: How long a command may take, in seconds; a build on a busy machine takes minutes.
_PATIENCE = 1800
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What commands in a clean system are given.
ENVIRONMENT = {"PATH": _PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}


class RunError(Exception):
    """A command failed; the text has the end of what it said."""


def run(
    *words: str, cwd: Path = ROOT, text: str = "", environ: Mapping[str, str] | None = None, status: int = 0
) -> str:
    """Run a command to its end, and return what it said.

    Args:
        words: the command.
        cwd: where it runs.
        text: what it reads.
        environ: its environment; ours if left out.
        status: the exit status it has to have.

    Raises:
        RunError: it has another one, or does not end.
    """
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            input=text,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{' '.join(words)} does not end") from error
    if done.returncode != status:
        end = "\n".join(done.stdout.splitlines()[-_SHOWN:])
        raise RunError(f"{' '.join(words)} ended with {done.returncode}, not {status}:\n{end}")
    return done.stdout


def need(commands: Mapping[str, str] = NEEDED) -> None:
    """Install what building and making a clean system take, unless NO_SYSTEM_PACKAGES says that nothing is installed.

    Args:
        commands: packages, each with a command that shows that it is there.

    Raises:
        RunError: something is missing and can not be installed.
    """
    if os.geteuid() != 0:
        raise RunError("only root can make a clean system and install packages into it")
    missing = [package for package, command in commands.items() if shutil.which(command) is None]
    if not missing:
        return
    if os.environ.get("NO_SYSTEM_PACKAGES"):
        raise RunError(f"NO_SYSTEM_PACKAGES is set, and these are missing: {' '.join(missing)}")
    print(f"installing {' '.join(missing)}", flush=True)
    environ = {**os.environ, **ENVIRONMENT}
    run("apt-get", "-qq", "update", environ=environ)
    run("apt-get", "-qq", "install", "--no-install-recommends", *missing, environ=environ)


@frozen
class Root:
    """A Debian in a folder.

    Attributes:
        path: the folder.
    """

    path: Path

    @classmethod
    def clean(cls) -> "Root":
        """Make one that nothing was installed into; what it is a copy of is made once and kept.

        Raises:
            RunError: it can not be made.
        """
        base, root = FOLDER / "base", FOLDER / "root"
        if not base.is_dir():
            draft = FOLDER / "base.part"
            shutil.rmtree(draft, ignore_errors=True)
            run("debootstrap", "--variant=minbase", SUITE, str(draft))
            draft.rename(base)
        if root.exists():
            run("rm", "-rf", "--one-file-system", str(root))
        run("cp", "-a", "--reflink=auto", str(base), str(root))
        made = cls(root)
        # No service is started: none could be.
        made.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        return made

    def run(self, *words: str, text: str = "", status: int = 0) -> str:
        """Run a command in it.

        Raises:
            RunError: it has another exit status.
        """
        return run("chroot", str(self.path), *words, text=text, environ=ENVIRONMENT, status=status)

    def apt(self, *words: str) -> str:
        """Let apt do something.

        Raises:
            RunError: it can not.
        """
        quiet: Sequence[str] = ("-qq", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", "--yes")
        return self.run("apt-get", *quiet, *words)

    def at(self, path: str) -> Path:
        """Return where a path is, seen from outside."""
        return self.path / path.lstrip("/")

    def write(self, path: str, text: str, mode: int | None = None) -> None:
        """Write a file; one that is there keeps its owner and mode unless a mode is given."""
        place = self.at(path)
        place.write_text(text, encoding="utf-8")
        if mode is not None:
            place.chmod(mode)

    def user(self, name: str) -> tuple[int, int]:
        """Return the numbers of a user and its group."""
        for line in self.at("/etc/passwd").read_text(encoding="utf-8").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        raise RunError(f"there is no user {name}")

    def mode(self, path: str) -> str:
        """Return owner, group and mode of a file, such as ``root:konnectd 640``."""
        return self.run("stat", "--format=%U:%G %a", path).strip()

    def named(self, name: str) -> list[str]:
        """Return every path whose last part is like a name, wherever it is, but for folders that all packages share."""
        found = run("find", str(self.path), "-xdev", "-name", f"*{name}*", "-printf", "/%P\n").splitlines()
        return sorted(path for path in found if not path.startswith(("/proc/", "/sys/")))
