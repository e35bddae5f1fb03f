"""Plain text that operators write for people: what may stand in it."""

import re

#: Control characters, lone surrogates, and what turns text around or hides in it. Spec: XML 1.0 2.2.
_REFUSED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)

#: Spec: RFC 5646 2.1, as far as languages of pages go.
_TAG = re.compile("[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def language_tag(text: str) -> str:
    """Read a language tag; underscores count as hyphens.

    Raises:
        ValueError: it is none.

    Returns:
        It in lower case.
    """
    tag = text.strip().replace("_", "-")
    if _TAG.fullmatch(tag) is None:
        raise ValueError("is not a language, such as de or pt-BR")
    return tag.lower()


def plain_text(text: str, longest: int, *, lines: bool = False) -> str:
    """Return a text as it is shown.

    Args:
        text: as it was written.
        longest: how many characters it may have.
        lines: whether it may have several lines.

    Raises:
        ValueError: it is too long, has several lines, or has characters that are no text.
    """
    shown = text.replace("\r\n", "\n").replace("\t", " ").strip()
    if len(shown) > longest:
        raise ValueError(f"must not have more than {longest} characters")
    if "\n" in shown and not lines:
        raise ValueError("must be one line")
    if _REFUSED.search(shown) is not None:
        raise ValueError("has characters that can not be seen, which pages do not show")
    return shown
