"""What a registered client has people told on the way to it."""

from attrs import evolve

from konnectd.config.local_text import local_text
from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client

#: Longest text of a client on the sign-in page, in characters.
LONGEST = 500


def with_texts(client: Client, table: Table) -> Client:
    """Read the texts for the sign-in page.

    Only an operator writes them: what a client that registered itself says could tell people to do anything, beside
    the field for their password.

    Args:
        client: as it has been read so far.
        table: its entry.
    """
    return evolve(client, sign_in_text=local_text(table, "sign_in_text", LONGEST))
