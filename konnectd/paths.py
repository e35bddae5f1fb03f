"""Every path the daemon answers under, computed in one place; what answers there is `konnectd.web`.

They are Konnect's, because they stand in the configuration of front proxies and clients, and because the paths of
cookies depend on them.
"""

from attrs import frozen


@frozen(kw_only=True)
class Paths:
    """The paths of one installation.

    Attributes:
        health_check: for supervisors; always at the root.
        discovery: provider metadata; always at the root.
        jwks: the key set.
        token: the token endpoint.
        userinfo: the userinfo endpoint.
        authorize: the authorization endpoint.
        endsession: the end session endpoint.
        identifier: the sign-in page.
        inner: below it everything the sign-in cookies are sent to.
        chooseaccount: the page to choose an account on.
        consent: the page that asks for consent.
        welcome: the page for who signed in without a client.
        goodbye: the page after signing out.
        static: below it styles, scripts and pictures.
    """

    health_check: str
    discovery: str
    jwks: str
    token: str
    userinfo: str
    authorize: str
    endsession: str
    identifier: str
    inner: str
    chooseaccount: str
    consent: str
    welcome: str
    goodbye: str
    static: str

    @classmethod
    def below(cls, base: str) -> "Paths":
        """Compute them for a base path, which begins with a slash and does not end in one, or is empty."""
        provider = f"{base}/konnect/v1/"
        pages = f"{base}/signin/v1/"
        inner = f"{pages}identifier/_/"
        return cls(
            health_check="/health-check",
            discovery="/.well-known/openid-configuration",
            jwks=f"{provider}jwks.json",
            token=f"{provider}token",
            userinfo=f"{provider}userinfo",
            authorize=f"{inner}authorize",
            endsession=f"{inner}endsession",
            identifier=f"{pages}identifier",
            inner=inner,
            chooseaccount=f"{pages}chooseaccount",
            consent=f"{pages}consent",
            welcome=f"{pages}welcome",
            goodbye=f"{pages}goodbye",
            static=f"{pages}static/",
        )
