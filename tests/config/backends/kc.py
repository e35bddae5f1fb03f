"""A backend whose environment variables do not begin with its name."""

from konnectd.option import Option

OPTIONS = (Option(name="kc-server-uri", help="The server.", env=("KOPANO_SERVER_DEFAULT_URI",)),)
