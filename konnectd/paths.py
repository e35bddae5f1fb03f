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
        oauth_metadata: the same metadata where OAuth clients look; always at the root.
        jwks: the key set.
        token: the token endpoint.
        userinfo: the userinfo endpoint.
        register: the registration endpoint.
        revoke: where clients give tokens back.
        introspect: where servers ask about tokens.
        authorize: the authorization endpoint.
        par: where clients push authorization requests.
        device_authorization: where devices begin.
        endsession: the end session endpoint.
        session: below it the cookie that scripts of ours may read.
        check_session: the page that scripts of clients have in a frame.
        identifier: the sign-in page.
        pages: below it all pages for people.
        inner: below it everything the sign-in cookies are sent to.
        chooseaccount: the page to choose an account on.
        consent: the page that asks for consent.
        welcome: the page for who signed in without a client.
        goodbye: the page after signing out.
        device: the page to type the code of a device on.
        language: where the language of the pages is chosen.
        client_logo: the logo of the client that the query names.
        static: below it styles, scripts and pictures.
    """

    health_check: str
    discovery: str
    oauth_metadata: str
    jwks: str
    token: str
    userinfo: str
    register: str
    revoke: str
    introspect: str
    authorize: str
    par: str
    device_authorization: str
    endsession: str
    session: str
    check_session: str
    identifier: str
    pages: str
    inner: str
    chooseaccount: str
    consent: str
    welcome: str
    goodbye: str
    device: str
    language: str
    client_logo: str
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
            oauth_metadata="/.well-known/oauth-authorization-server",
            jwks=f"{provider}jwks.json",
            token=f"{provider}token",
            userinfo=f"{provider}userinfo",
            register=f"{provider}register",
            revoke=f"{provider}revoke",
            introspect=f"{provider}introspect",
            authorize=f"{inner}authorize",
            par=f"{provider}par",
            device_authorization=f"{provider}device_authorization",
            endsession=f"{inner}endsession",
            session=f"{provider}session/",
            check_session=f"{provider}session/check-session.html",
            identifier=f"{pages}identifier",
            pages=pages,
            inner=inner,
            chooseaccount=f"{pages}chooseaccount",
            consent=f"{pages}consent",
            welcome=f"{pages}welcome",
            goodbye=f"{pages}goodbye",
            device=f"{pages}device",
            language=f"{pages}language",
            client_logo=f"{pages}client-logo",
            static=f"{pages}static/",
        )
