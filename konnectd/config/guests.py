"""The option about guests, whom clients bring along."""

from konnectd.option import Option, switch

OPTION = Option(
    name="allow-client-guests",
    help=(
        "Let clients bring guests: people whom nobody knows here, and for whom a client vouches in a request that it "
        "has signed. It must be trusted with the scope konnect/guestok."
    ),
    parse=switch,
    default=False,
    metavar="",
    section="Clients and scopes",
)
