"""Apache with mod_oauth2: a resource server nobody here wrote, which lets access tokens of ours in.

The page below /signed is for tokens whose signature is right by the provider's published keys; the one below /asked is
for those that the provider says are alive.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from tests.real.apache_server import PAGE, Apache, Place, missing, serving

#: Why tests with it can not run here; None when they can.
SKIP = missing("oauth2", "libapache2-mod-oauth2")

_DIRECTIVES = """\
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
    proof = {"introspect.auth": "client_secret_basic", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    directives = _DIRECTIVES.format(
        jwks_uri=metadata["jwks_uri"],
        signed=urlencode({"verify.exp": "required", "verify.iat": "required"}),
        introspection=metadata["introspection_endpoint"],
        asked=urlencode(proof),
    )
    with serving(Place(), "oauth2", dict.fromkeys(("signed", "asked", "public"), PAGE), directives) as server:
        yield server
