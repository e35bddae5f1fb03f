"""What browsers are told to refuse on our pages: the headers every page carries.

Spec: Content Security Policy Level 3; Permissions Policy.
"""

import re

from konnectd.http import NO_STORE, Headers

#: An origin or a scheme, and nothing that could begin another directive.
_TARGET = re.compile(r"https?://[a-z0-9._-]+(?::[0-9]{1,5})?|[a-z][a-z0-9+.-]*:")

PERMISSIONS = b"camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=()"


def page_headers(nonce: str, form_targets: tuple[str, ...], frames: tuple[str, ...] = ()) -> Headers:
    """Return the headers of a page.

    There is deliberately no ``Cross-Origin-Opener-Policy``: applications that sign people in through a popup window
    need it to find its way back to them.

    Browsers hold ``form-action`` also against every redirect that follows a posted form, those of the application
    included, so a page must name where its form may end.

    Args:
        nonce: marks the only scripts that may run.
        form_targets: origins, or schemes such as ``https:``.
        frames: origins that may be in frames of the page.

    Raises:
        ValueError: a target is neither an origin nor a scheme, or a frame is not of an origin.
    """
    for target in form_targets:
        if _TARGET.fullmatch(target) is None:
            raise ValueError("a form target must be an origin or a scheme")
    for frame in frames:
        if _TARGET.fullmatch(frame) is None or frame.endswith(":"):
            raise ValueError("a frame must be of an origin")
    policy = "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"script-src 'nonce-{nonce}'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            *((" ".join(("frame-src", *frames)),) if frames else ()),
            " ".join(("form-action 'self'", *form_targets)),
        )
    )
    return (
        *NO_STORE,
        (b"Content-Security-Policy", policy.encode("ascii")),
        (b"X-Frame-Options", b"DENY"),
        # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
        (b"Referrer-Policy", b"same-origin"),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
        (b"Permissions-Policy", PERMISSIONS),
    )
