"""Reasons and errors, held against each other: whatever is refused has a name, words and advice."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.authority import Rebuff
from konnectd.interfaces import RefusalReason
from konnectd.protocol.reason import FOR_THE_PERSON, Move
from konnectd.protocol.reasons import BY_NAME, FAULT, REASONS, UNAVAILABLE, UNKNOWN, reason_of
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.views import ErrorKind

PACKAGE = Path(konnectd.__file__).parent
#: What makes an error, and which of its arguments is the description.
MAKERS = {
    "OAuthError": 1,
    "UntrustedRequestError": 1,
    "BearerTokenError": 1,
    "InvalidClientError": 0,
    "refusal": 0,
    "_invalid": 0,
}
#: The code of those that are told no code.
CODES = {"refusal": "invalid_request_object", "_invalid": "invalid_client_metadata"}
#: A part of the metadata of a client, and what is wrong with it; it is found by its code, which is one of two.
OF_METADATA = r".+:\ .+"
#: Reasons of what is told otherwise than by an error.
TOLD_OTHERWISE = {"not_found", "fault", "too_many_tries", *RefusalReason, *ErrorKind, *Rebuff}


def pattern(node: ast.expr) -> str | None:
    """Return what a description looks like, as an expression; None when it is not written where the error is made."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in node.values)
    return None


def descriptions() -> Iterator[tuple[str, str, str]]:
    """Yield code, description and place of every error that is made anywhere."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] == "demo":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in MAKERS:
                continue
            arguments = node.args[MAKERS[node.func.id] :]
            text = pattern(arguments[0]) if arguments else None
            first = node.args[0] if node.args else None
            code = ErrorCode[first.attr].value if isinstance(first, ast.Attribute) and first.attr.isupper() else ""
            code = CODES.get(node.func.id, code)
            if text is not None and text != OF_METADATA:
                yield code, text, f"{path.name}:{node.lineno}"


def has_reason(code: str, text: str) -> bool:
    """Tell whether a description has a reason of its own, or one for its code."""
    if reason_of(code, "") is not UNKNOWN or reason_of(code, re.sub(r"\\(.)", r"\1", text)) is not UNKNOWN:
        return True
    return any(re.fullmatch(text, said) is not None for reason in REASONS for said in reason.says)


class ReasonTests(SynchronousTestCase):
    """The table."""

    def test_every_error_has_a_reason(self) -> None:
        """Whatever description an error has, somebody can look up what it means."""
        found = list(descriptions())

        self.assertGreater(len(found), 100)
        self.assertEqual([(place, text) for code, text, place in found if not has_reason(code, text)], [])

    def test_every_reason_happens(self) -> None:
        """No reason is kept for an error that is made nowhere."""
        patterns = [text for _, text, _ in descriptions()]
        unused = [
            said
            for reason in REASONS
            for said in reason.says
            if said not in TOLD_OTHERWISE and not any(re.fullmatch(text, said) for text in patterns)
            if not (
                said.endswith("*") and any(re.match(re.escape(said[:-1]), text.replace("\\", "")) for text in patterns)
            )
        ]

        self.assertEqual(unused, [])

    def test_each_description_means_one_thing(self) -> None:
        """Nothing is said by two reasons, and no two have one name."""
        said = [text for reason in REASONS for text in reason.says]

        self.assertEqual(len(said), len(set(said)))
        self.assertEqual(len(BY_NAME), len(REASONS))

    def test_every_reason_has_its_texts(self) -> None:
        """Each has words for the administrator, advice, and words for the person, all of them whole sentences."""
        for reason in REASONS:
            with self.subTest(name=reason.name):
                self.assertRegex(reason.name, r"\A[a-z]+(-[a-z]+)*\Z")
                for text in (reason.why, reason.advice, reason.person):
                    self.assertRegex(text, r"\A[A-Za-z][^{}]*\.\Z")
                    self.assertNotIn("  ", text)
        self.assertEqual(set(FOR_THE_PERSON), set(Move))

    def test_found_by_description(self) -> None:
        """A description leads to its reason, whatever follows a common beginning; an unknown one to a common one."""
        for code, description, name in (
            ("invalid_grant", "the code is unknown", "code-unknown"),
            ("invalid_client", "client may not authenticate by none", "client-method"),
            ("invalid_request_object", "the request object has expired", "request-object"),
            ("invalid_client_metadata", "jwks: is too long", "registration-metadata"),
            ("invalid_redirect_uri", "redirect_uris: is required", "registration-redirect-uri"),
            ("invalid_request", "something new", "other"),
        ):
            with self.subTest(description=description):
                self.assertEqual(reason_of(code, description).name, name)
        self.assertEqual((UNAVAILABLE.name, FAULT.name), ("backend-unavailable", "fault"))

    def test_what_is_told_otherwise(self) -> None:
        """What the backend says of a sign-in has a reason, and so has every form that is refused."""
        kinds = {ErrorKind.START_AGAIN, ErrorKind.COOKIES_BLOCKED, ErrorKind.STALE_FORM, ErrorKind.CROSS_SITE}
        for word in (*RefusalReason, *kinds, ErrorKind.METHOD, "too_many_tries"):
            with self.subTest(word=word):
                self.assertIsNot(reason_of("", str(word)), UNKNOWN)
