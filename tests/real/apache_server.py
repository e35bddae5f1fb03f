"""Debian's Apache on loopback, in a folder of its own, with whatever module a test is about.

Nothing of the system's configuration is read. A page shows what an application behind the server would get to know.
"""

import html
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from attrs import field, frozen

from tests.real.daemon import free_port

HOST = "127.0.0.1"

_PROGRAM = shutil.which("apache2", path="/usr/sbin:/usr/bin")
_MODULES = Path("/usr/lib/apache2/modules")
_PATIENCE = 20.0
_PAUSE = 0.05

#: What every server here needs: to run at all, and for the page that shows what an application is told.
_NAMES = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "filter", "include")

_CONFIG = """\
ServerRoot {folder}
ServerName {host}
DefaultRuntimeDir {folder}
PidFile {folder}/httpd.pid
Mutex file:{folder} default
Listen {host}:{port}
{modules}
{identity}
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
ErrorLog {folder}/error.log
LogLevel notice {module}:info
TypesConfig /dev/null
AddType text/html .html
DocumentRoot {folder}/site

<Directory {folder}/site>
  Require all granted
  DirectoryIndex index.html
  Options +Includes
  AddOutputFilter INCLUDES .html
</Directory>
{directives}
"""

#: What the server tells an application is in its environment; the page shows all of it.
PAGE = """\
<!DOCTYPE html>
<html><head><title>Application</title></head><body><h1>Application</h1><pre><!--#printenv --></pre></body></html>
"""
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)


def missing(module: str, package: str) -> str | None:
    """Tell why tests with a module can not run here; None when they can.

    Args:
        module: what Apache calls it.
        package: where Debian has it.
    """
    if _PROGRAM is not None and _file(module).exists():
        return None
    return f"apache2 and {package} are not installed"


@frozen
class Place:
    """Where a server will be, before it is there: a client has to be registered first."""

    port: int = field(factory=free_port)

    def url(self, path: str) -> str:
        """Return the whole address of a path."""
        return f"http://{HOST}:{self.port}{path}"


@frozen(kw_only=True)
class Apache:
    """A server that runs."""

    place: Place
    folder: Path

    @property
    def log(self) -> str:
        """What it has complained about."""
        return (self.folder / "error.log").read_text("utf-8", "replace")


@contextmanager
def serving(place: Place, module: str, pages: Mapping[str, str], directives: str) -> Iterator[Apache]:
    """Run a server, and stop it again.

    Args:
        place: where it listens.
        module: what it is about, as Apache calls it; its log is kept in detail.
        pages: their text, by the first part of their paths.
        directives: the rest of its configuration.

    Raises:
        AssertionError: it did not start; with what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="apache-"))
    # Its children run as somebody else and read the pages.
    folder.chmod(0o755)
    try:
        for name, text in pages.items():
            page = folder / "site" / name / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(text)
        config = folder / "httpd.conf"
        # There are secrets in it.
        config.touch(0o600)
        config.write_text(_configuration(folder, place, module, directives))
        with (folder / "output").open("wb") as output:
            process = _start(config, output)
        try:
            _wait(process, folder)
            yield Apache(place=place, folder=folder)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder)


def read_environment(source: str) -> dict[str, str]:
    """Return what an application got to know, by the names of variables, from the text of its page."""
    found = _PRE.search(source)
    if found is None:
        raise AssertionError(f"not the application's page: {source}")
    lines = html.unescape(found[1]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _configuration(folder: Path, place: Place, module: str, directives: str) -> str:
    """Return the text of a configuration."""
    return _CONFIG.format(
        folder=folder,
        host=HOST,
        port=place.port,
        modules=_loading((*_NAMES, module)),
        identity=_identity(),
        module=module,
        directives=directives,
    )


def _loading(names: Iterable[str]) -> str:
    """Return the lines that load modules."""
    return "\n".join(f"LoadModule {name}_module {_file(name)}" for name in names)


def _file(module: str) -> Path:
    """Return where Debian puts a module."""
    return _MODULES / f"mod_{module}.so"


def _identity() -> str:
    """Return the lines that say who it runs its children as; as root it has to be somebody else."""
    return "User www-data\nGroup www-data" if os.geteuid() == 0 else ""


def _start(config: Path, output: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start it in the foreground."""
    command = [str(_PROGRAM), "-f", str(config), "-DFOREGROUND"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _wait(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until it listens: it says so in its log, once its children are there."""
    limit = time.monotonic() + _PATIENCE
    log = folder / "error.log"
    while not (log.exists() and "resuming normal operations" in log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > limit:
            said = "\n".join(path.read_text("utf-8", "replace") for path in (folder / "output", log) if path.exists())
            raise AssertionError(f"Apache did not start:\n{said}")
        time.sleep(_PAUSE)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop it with its children."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
