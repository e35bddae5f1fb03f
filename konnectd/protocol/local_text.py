"""A text that somebody wrote in several languages, and which of them is shown.

Spec: RFC 4647 3.4 (lookup).
"""

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class LocalText:
    """A text, plain and perhaps of several lines.

    Attributes:
        default: what counts in a language it is not there in; may be empty.
        by_tag: the text by language tag in lower case.
    """

    default: str = ""
    by_tag: Mapping[str, str] = field(factory=dict, hash=False)

    def in_language(self, tag: str) -> str:
        """Return the text for a language tag such as ``pt-BR``; empty if there is none."""
        wanted = tag.lower()
        while wanted:
            if wanted in self.by_tag:
                return self.by_tag[wanted]
            wanted = wanted.rpartition("-")[0]
        return self.default


NO_TEXT = LocalText()
