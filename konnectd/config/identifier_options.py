"""The options about signing in: who shows the pages, and whether a password is asked for."""

from pathlib import Path

from konnectd.option import Option, switch

IDENTIFIER_OPTIONS: tuple[Option, ...] = (
    Option(
        name="identifier-client-path",
        help=(
            "The folder of a web application that is served in the place of the sign-in pages of this daemon, and "
            "signs people in through the identifier API. It is read once, at start. The folder above one that is "
            "called identifier-webapp, as Konnect has it, will do. The default is our own pages."
        ),
        parse=Path,
        keys=("identifier_client_path", "web_resources_path"),
        env=("KONNECTD_IDENTIFIER_CLIENT_PATH", "LICOD_IDENTIFIER_CLIENT_PATH"),
        metavar="FOLDER",
        section="Pages",
    ),
    Option(
        name="disable-identifier-client",
        help=(
            "Serve no sign-in pages at all, neither ours nor those of identifier-client-path, but only the identifier "
            "API, for pages that somebody else serves under the host of the issuer; see sign-in-uri."
        ),
        parse=switch,
        default=False,
        metavar="",
        section="Pages",
    ),
    Option(
        name="disable-local-logon",
        help=(
            "Let nobody sign in with a password here, but only at the external authorities of "
            "identifier-registration-conf."
        ),
        parse=switch,
        default=False,
        metavar="",
        section="Pages",
    ),
)
