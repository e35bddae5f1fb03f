"""Texts in several languages, as members of an entry: ``sign_in_text`` and, for one language, ``sign_in_text#de``.

Spec: OIDC Registration 2.1 (members with language tags).
"""

from konnectd.config.text import language_tag, plain_text
from konnectd.config.yamlfile import Table
from konnectd.protocol.local_text import LocalText


def local_text(table: Table, key: str, longest: int) -> LocalText:
    """Read a text with its translations; whatever is wrong becomes a fault of the table.

    Args:
        table: the entry.
        key: of the text in no particular language.
        longest: how many characters each may have.
    """
    found = {"": _text(table, key, longest)}
    for member in table:
        if member.startswith(f"{key}#"):
            try:
                tag = language_tag(member.removeprefix(f"{key}#"))
            except ValueError as error:
                table.fault(member, str(error))
            else:
                found[tag] = _text(table, member, longest)
    return LocalText(found.pop(""), found)


def _text(table: Table, key: str, longest: int) -> str:
    """Read one of the texts."""
    try:
        return plain_text(table.text(key), longest, lines=True)
    except ValueError as error:
        table.fault(key, str(error))
        return ""
