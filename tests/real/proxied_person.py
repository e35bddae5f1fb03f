"""A person whose browser reaches the host of the examples by way of a proxy on loopback, over TLS."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult

from tests.real.person import PATIENCE, Page, Person
from tests.real.proxy_servers import HOST, Proxy

#: Where the browser is; the proxy is elsewhere, and is trusted.
BROWSER = "127.0.0.5"
#: What somebody sends who would like to be somebody else, in every spelling that others have fallen for.
CLAIMS: Mapping[str, str] = {
    "X-Forwarded-User": "alice",
    "X_Forwarded_User": "alice",
    "X-Forwarded_User": "alice",
    "x_forwarded-USER": "alice",
    "X-Forwarded-For": "198.51.100.9",
}


class _ByProxy(http.client.HTTPSConnection):
    """A connection to a host that is where a proxy is."""

    def __init__(self, proxy: Proxy, context: ssl.SSLContext) -> None:
        """Keep where."""
        super().__init__(HOST, timeout=PATIENCE, context=context)
        self._proxy = proxy
        self._trusting = context

    def connect(self) -> None:
        """Connect, as the address of a browser."""
        plain = socket.create_connection(("127.0.0.1", self._proxy.port), PATIENCE, (BROWSER, 0))
        self.sock = self._trusting.wrap_socket(plain, server_hostname=HOST)


class ProxiedPerson(Person):
    """A person who sends what they like along."""

    def __init__(self, proxy: Proxy, *nobody_at: str, claims: Mapping[str, str] = CLAIMS) -> None:
        """Trust whoever vouches for the proxy."""
        super().__init__(*nobody_at)
        self._proxy = proxy
        self._context = ssl.create_default_context(cafile=str(proxy.authority))
        self._claims = claims

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        """Return a connection by way of the proxy.

        Raises:
            AssertionError: to another place.
        """
        if (parts.scheme, parts.netloc) != ("https", HOST):
            raise AssertionError(f"sent to {parts.geturl()}")
        return _ByProxy(self._proxy, self._context)

    def _headers(self, method: str, url: str, origin: Page) -> Mapping[str, str]:
        """Return what a browser would send along, and more."""
        return {**super()._headers(method, url, origin), **self._claims}

    def call(self, path: str, body: bytes | None = None, **headers: str) -> Page:
        """Ask as an application does, without cookies and redirects."""
        connection = _ByProxy(self._proxy, self._context)
        method = "GET" if body is None else "POST"
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Page(
                url=f"https://{HOST}{path}",
                status=answer.status,
                headers=tuple(answer.getheaders()),
                body=answer.read(),
            )
        finally:
            connection.close()
