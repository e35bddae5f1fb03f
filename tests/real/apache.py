"""Apache with mod_auth_openidc: a relying party nobody here wrote.

Its protected page shows what an application behind it would get.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from tests.real.apache_server import PAGE, Apache, Place, missing, read_environment, serving
from tests.real.person import Page

#: Why tests with it can not run here; None when they can.
SKIP = missing("auth_openidc", "libapache2-mod-auth-openidc")

CLIENT_ID, CLIENT_SECRET = "apache", secrets.token_urlsafe(24)

#: What it asks for, groups of people among it.
SCOPE = "openid profile email groups offline_access"

_DIRECTIVES = """\
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth {method}
OIDCResponseType code
OIDCPKCEMethod S256
OIDCScope "{scope}"
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase {passphrase}
OIDCRemoteUserClaim preferred_username
OIDCClaimDelimiter ;
OIDCPassClaimsAs both
OIDCPassRefreshToken On
OIDCInfoHook iat access_token access_token_expires id_token userinfo refresh_token session
OIDCHTTPTimeoutLong 10
OIDCHTTPTimeoutShort 5

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

_PUBLIC = """\
<!DOCTYPE html>
<html><head><title>Public</title></head><body><h1>Public page</h1></body></html>
"""
_PAGES = {"protected": PAGE, "readers": PAGE, "strangers": PAGE, "public": _PUBLIC}


@frozen
class Application(Place):
    """Where the application will be, and what it is registered as."""

    @property
    def redirect_uri(self) -> str:
        """Where people come back to; there is no page, the module takes it."""
        return self.url("/protected/redirect_uri")

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


@contextmanager
def apache(
    application: Application, issuer: str, method: str = "client_secret_basic", scope: str = SCOPE
) -> Iterator[Apache]:
    """Run it as a client of a provider, and stop it again.

    Args:
        application: where it listens.
        issuer: the provider.
        method: how it authenticates at the token endpoint.
        scope: what it asks for.
    """
    directives = _DIRECTIVES.format(
        scope=scope,
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        method=method,
        redirect_uri=application.redirect_uri,
        passphrase=secrets.token_urlsafe(24),
    )
    with serving(application, "auth_openidc", _PAGES, directives) as server:
        yield server


def environment(page: Page) -> dict[str, str]:
    """Return what an application got to know, by the names of variables."""
    return read_environment(page.body.decode())
