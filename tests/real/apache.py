"""Debian's Apache with mod_auth_openidc: a relying party nobody here wrote, on loopback, in a folder of its own.

Nothing of the system's configuration is read. Its protected page shows what an application behind it would get.
"""

import html
import os
import re
import secrets
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
from tests.real.person import Page

_PROGRAM = shutil.which("apache2", path="/usr/sbin:/usr/bin")
MODULES = Path("/usr/lib/apache2/modules")
_MODULE = MODULES / "mod_auth_openidc.so"
_PATIENCE = 20.0
_PAUSE = 0.05

#: Why tests with Apache can not run here; None when they can.
SKIP: str | None = None
if _PROGRAM is None or not _MODULE.exists():
    SKIP = "apache2 and libapache2-mod-auth-openidc are not installed"

HOST = "127.0.0.1"
CLIENT_ID, CLIENT_SECRET = "apache", secrets.token_urlsafe(24)

_NAMES = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "filter", "include", "auth_openidc")

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
LogLevel notice auth_openidc:info
TypesConfig /dev/null
AddType text/html .html
DocumentRoot {folder}/site

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth {method}
OIDCResponseType code
OIDCPKCEMethod S256
OIDCScope "openid profile email groups offline_access"
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase {passphrase}
OIDCRemoteUserClaim preferred_username
OIDCClaimDelimiter ;
OIDCPassClaimsAs both
OIDCPassRefreshToken On
OIDCInfoHook iat access_token access_token_expires id_token userinfo refresh_token session
OIDCHTTPTimeoutLong 10
OIDCHTTPTimeoutShort 5

<Directory {folder}/site>
  Require all granted
  DirectoryIndex index.html
  Options +Includes
  AddOutputFilter INCLUDES .html
</Directory>
<Location /protected>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /readers>
  AuthType openid-connect
  Require claim groups:readers
</Location>
<Location /strangers>
  AuthType openid-connect
  Require claim groups:strangers
</Location>
"""

#: What the server tells an application is in its environment; the page shows all of it.
PAGE = """\
<!DOCTYPE html>
<html><head><title>Application</title></head><body><h1>Application</h1><pre><!--#printenv --></pre></body></html>
"""
_PUBLIC = """\
<!DOCTYPE html>
<html><head><title>Public</title></head><body><h1>Public page</h1></body></html>
"""
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)


@frozen(kw_only=True)
class Application:
    """Where Apache will be, before it is there: a client has to be registered first."""

    port: int = field(factory=free_port)

    @property
    def redirect_uri(self) -> str:
        """Where people come back to; there is no page, the module takes it."""
        return self.url("/protected/redirect_uri")

    def url(self, path: str) -> str:
        """Return the whole address of a path."""
        return f"http://{HOST}:{self.port}{path}"

    def client(self, method: str = "client_secret_basic") -> Mapping[str, object]:
        """Return its registration."""
        return {
            "id": CLIENT_ID,
            "name": "Apache",
            "secret": CLIENT_SECRET,
            "trusted": True,
            "token_endpoint_auth_method": method,
            "redirect_uris": [self.redirect_uri],
            "post_logout_redirect_uris": [self.url("/public/")],
        }


@frozen(kw_only=True)
class Apache:
    """A server that runs."""

    application: Application
    folder: Path

    @property
    def log(self) -> str:
        """What it has complained about."""
        return (self.folder / "error.log").read_text("utf-8", "replace")


@contextmanager
def apache(application: Application, issuer: str, method: str = "client_secret_basic") -> Iterator[Apache]:
    """Run it as a client of a provider, and stop it again.

    Args:
        application: where it listens.
        issuer: the provider.
        method: how it authenticates at the token endpoint.
    """
    folder = Path(tempfile.mkdtemp(prefix="apache-"))
    # Its children run as somebody else and read the pages.
    folder.chmod(0o755)
    try:
        for name, text in {"protected": PAGE, "readers": PAGE, "strangers": PAGE, "public": _PUBLIC}.items():
            page = folder / "site" / name / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(text)
        with running(folder, application, _configuration(folder, application, issuer, method)) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(folder: Path, application: Application, configuration: str) -> Iterator[Apache]:
    """Run Apache with a configuration, and stop it again; it writes into the folder and does not remove it."""
    config = folder / "httpd.conf"
    config.touch(0o600)
    config.write_text(configuration)
    with (folder / "output").open("wb") as output:
        process = _start(config, output)
    try:
        _wait(process, folder)
        yield Apache(application=application, folder=folder)
    finally:
        _stop(process)


def environment(page: Page) -> dict[str, str]:
    """Return what an application got to know, by the names of variables."""
    return read_environment(page.body.decode())


def read_environment(source: str) -> dict[str, str]:
    """Return the same from the text of a page."""
    found = _PRE.search(source)
    if found is None:
        raise AssertionError(f"not the application's page: {source}")
    lines = html.unescape(found[1]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def modules(names: Iterable[str]) -> str:
    """Return the lines of a configuration that load modules."""
    return "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names)


def identity() -> str:
    """Return the lines that say who it runs its children as; as root it has to be somebody else."""
    return "User www-data\nGroup www-data" if os.geteuid() == 0 else ""


def _configuration(folder: Path, application: Application, issuer: str, method: str) -> str:
    """Return the text of its configuration."""
    return _CONFIG.format(
        folder=folder,
        host=HOST,
        port=application.port,
        modules=modules(_NAMES),
        identity=identity(),
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        method=method,
        redirect_uri=application.redirect_uri,
        passphrase=secrets.token_urlsafe(24),
    )


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
            _stop(process)
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
