"""A backend with an option, a required one and a secret."""

from konnectd.option import Option, one_of

OPTIONS = (
    Option(name="ldap-uri", help="The server.", metavar="URI"),
    Option(name="ldap-bindpw", help="The password.", secret=True),
    Option(name="ldap-scope", help="How deep.", parse=one_of("sub", "one", "base"), default="sub"),
)
