"""The authentication context: what ``acr`` may honestly say about how somebody signed in.

Somebody who typed a password into our page, over TLS, has done what SAML's class *PasswordProtectedTransport* means,
and no more; it is a URI, so that no two providers mean different things by it. Numbers such as ``1`` or ``2`` would
claim a level of assurance that depends on how accounts are given out, which is not known here.

Spec: OIDC Core 2 (``acr``, ``amr``) and 5.5.1.1; RFC 8176; SAML 2.0 Authentication Context 3.4.5.
"""

from collections.abc import Collection

PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - the name of a class
#: Every value there can be.
SUPPORTED = (PASSWORD,)


def context_of(amr: Collection[str]) -> str:
    """Return the ``acr`` of a logon; empty when nothing can be said."""
    return PASSWORD if "pwd" in amr else ""
