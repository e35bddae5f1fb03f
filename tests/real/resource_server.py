"""Debian's Apache with mod_oauth2: a resource server nobody here wrote, which lets access tokens of ours in.

The page below /signed is for tokens whose signature is right by the provider's published keys; the one below /asked is
for those that the provider says are alive.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.real import apache
from tests.real.apache import HOST, MODULES, PAGE, Apache, Application, identity, modules, running

_MODULE = MODULES / "mod_oauth2.so"

#: Why tests with it can not run here; None when they can.
SKIP: str | None = apache.SKIP
if not _MODULE.exists():
    SKIP = "libapache2-mod-oauth2 is not installed"

_NAMES = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "filter", "include", "oauth2")

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
LogLevel notice oauth2:info
TypesConfig /dev/null
AddType text/html .html
DocumentRoot {folder}/site

<Directory {folder}/site>
  Require all granted
  DirectoryIndex index.html
  Options +Includes
  AddOutputFilter INCLUDES .html
</Directory>
<Location /signed>
  AuthType oauth2
  OAuth2AcceptTokenIn header
  OAuth2TokenVerify jwks_uri {jwks_uri} {signed}
  Require oauth2_claim kc.isAccessToken:true
</Location>
<Location /asked>
  AuthType oauth2
  OAuth2AcceptTokenIn header
  OAuth2TokenVerify introspect {introspection} {asked}
  Require oauth2_claim token_type:Bearer
</Location>
<Location /public>
  AuthType oauth2
  OAuth2AcceptTokenIn header
  OAuth2TokenVerify introspect {introspection} {asked}
  Require oauth2_claim client_id:public
</Location>
"""

CLIENT_ID, CLIENT_SECRET = "resource-server", secrets.token_urlsafe(24)
CLIENT: Mapping[str, object] = {
    "id": CLIENT_ID,
    "secret": CLIENT_SECRET,
    "introspection": True,
    "grant_types": ["client_credentials"],
}


@contextmanager
def resource_server(metadata: Mapping[str, object]) -> Iterator[Apache]:
    """Run it for the tokens of a provider, and stop it again.

    Args:
        metadata: of the provider.
    """
    application = Application()
    folder = Path(tempfile.mkdtemp(prefix="apache-"))
    # Its children run as somebody else and read the pages.
    folder.chmod(0o755)
    try:
        for name in ("signed", "asked", "public"):
            page = folder / "site" / name / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(PAGE)
        with running(folder, application, _configuration(folder, application, metadata)) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _configuration(folder: Path, application: Application, metadata: Mapping[str, object]) -> str:
    """Return the text of its configuration."""
    proof = {"introspect.auth": "client_secret_basic", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return _CONFIG.format(
        folder=folder,
        host=HOST,
        port=application.port,
        modules=modules(_NAMES),
        identity=identity(),
        jwks_uri=metadata["jwks_uri"],
        signed=urlencode({"verify.exp": "required", "verify.iat": "required"}),
        introspection=metadata["introspection_endpoint"],
        asked=urlencode(proof),
    )
