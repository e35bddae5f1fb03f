"""Debian's proxies on loopback, with the examples of the manual as they are: only ports and files are put in.

Nothing of the system's configuration is read. Each has TLS, by a certificate for the host of the examples.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import field, frozen

from tests.real.apache_server import Place, serving
from tests.real.apache_server import missing as missing_apache
from tests.real.daemon import ROOT, free_port
from tests.real.slapd import write_certificates

EXAMPLES = ROOT / "docs" / "operate" / "proxies"
HOST = "id.example.com"
_PATIENCE = 20.0
_PAUSE = 0.05
_PATH = "/usr/sbin:/usr/bin"

#: What the examples of each have for the port that browsers come to, and what listens on loopback only.
_LISTENS = {
    "apache": ("*:443", "127.0.0.1:{port}"),
    "nginx": ("listen 443 ", "listen 127.0.0.1:{port} "),
    "haproxy": ("bind :443 ", "bind 127.0.0.1:{port} "),
    "caddy": (f"{HOST}:443 {{", f"{HOST}:{{port}} {{{{\n    bind 127.0.0.1"),
}
#: What belongs around an example, which is a part of a larger file.
_NGINX = """\
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/example.conf;
}}
"""
_CADDY = """\
{
    admin off
    ocsp_stapling off
    auto_https disable_redirects
}
"""


@frozen(kw_only=True)
class Proxy:
    """A proxy that runs.

    Attributes:
        port: where it listens on 127.0.0.1.
        authority: the file with who vouches for its certificate.
    """

    port: int
    authority: Path
    folder: Path = field(repr=False)


def missing(kind: str) -> str | None:
    """Tell why tests with a proxy can not run here; None when they can."""
    if kind == "apache":
        return missing_apache("ssl", "apache2")
    return None if shutil.which(kind, path=_PATH) else f"{kind} is not installed"


@contextmanager
def proxy(example: str, upstream: int) -> Iterator[Proxy]:
    """Run a proxy with an example of the manual, and stop it again.

    Args:
        example: its file without the ending, which begins with the name of the proxy.
        upstream: the port of what is behind it.

    Raises:
        AssertionError: it did not start; with what it said.
    """
    kind = example.partition("-")[0]
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-"))
    # Some run as somebody else than who started them.
    folder.chmod(0o755)
    try:
        write_certificates(folder, HOST)
        both = folder / "both.pem"
        both.write_bytes((folder / "server.pem").read_bytes() + (folder / "server.key").read_bytes())
        running = Proxy(port=free_port(), authority=folder / "ca.pem", folder=folder)
        with _STARTS[kind](running, _filled(kind, example, running, upstream)):
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _filled(kind: str, example: str, running: Proxy, upstream: int) -> str:
    """Return an example with the ports and files of a test in it.

    Raises:
        AssertionError: something was not there to be replaced.
    """
    text = (EXAMPLES / f"{example}.conf").read_text("utf-8")
    listen, here = _LISTENS[kind]
    changes: Mapping[str, str] = {
        listen: here.format(port=running.port),
        "127.0.0.1:8777": f"127.0.0.1:{upstream}",
    }
    files = {
        f"/etc/ssl/{HOST}.pem": str(running.folder / "server.pem"),
        f"/etc/ssl/{HOST}.key": str(running.folder / "server.key"),
        f"/etc/haproxy/{HOST}.pem": str(running.folder / "both.pem"),
    }
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines) + "\n"
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{example} has no {old}")
        text = text.replace(old, new)
    for old, new in files.items():
        text = text.replace(old, new)
    return text


@contextmanager
def _apache(running: Proxy, text: str) -> Iterator[None]:
    """Run Apache."""
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in ("ssl", "headers", "proxy_http")
    )
    # Its first host takes what it takes from the first server it knows, which is the one around the example.
    limits = "LimitRequestLine 16384\nLimitRequestFieldSize 16384"
    place = Place(running.port)
    with serving(place, "proxy", {"unused": ""}, f"{modules}\n{limits}\n{text}"):
        yield


@contextmanager
def _nginx(running: Proxy, text: str) -> Iterator[None]:
    """Run nginx."""
    (running.folder / "example.conf").write_text(text)
    config = running.folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(_NGINX.format(folder=running.folder, user=user))
    with _process(running, "nginx", "-p", str(running.folder), "-c", str(config), "-g", "daemon off;"):
        yield


@contextmanager
def _haproxy(running: Proxy, text: str) -> Iterator[None]:
    """Run HAProxy."""
    config = running.folder / "haproxy.cfg"
    config.write_text(text)
    with _process(running, "haproxy", "-db", "-f", str(config)):
        yield


@contextmanager
def _caddy(running: Proxy, text: str) -> Iterator[None]:
    """Run Caddy, which must ask nobody for certificates."""
    config = running.folder / "Caddyfile"
    config.write_text(_CADDY + text)
    with _process(running, "caddy", "run", "--adapter", "caddyfile", "--config", str(config)):
        yield


_STARTS: Mapping[str, Callable[[Proxy, str], "contextmanager[None]"]] = {  # type: ignore[valid-type, assignment]
    "apache": _apache,
    "nginx": _nginx,
    "haproxy": _haproxy,
    "caddy": _caddy,
}


@contextmanager
def _process(running: Proxy, *words: str) -> Iterator[None]:
    """Run a program in the foreground until it is not needed any more."""
    program = shutil.which(words[0], path=_PATH) or words[0]
    home = {"HOME": str(running.folder), "XDG_DATA_HOME": str(running.folder), "XDG_CONFIG_HOME": str(running.folder)}
    output = running.folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            (program, *words[1:]),
            env={"PATH": _PATH, **home},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=running.folder,
        )
    try:
        _wait(process, running, output)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", running: Proxy, output: Path) -> None:
    """Wait until it listens."""
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", running.port), 1):
            return
        time.sleep(_PAUSE)
    raise AssertionError(f"it did not start:\n{output.read_text('utf-8', 'replace')}")
