"""Reloading in an installed package, for `tools.package_test`: another client, and a file that is wrong."""

import http.client
from collections.abc import Callable
from urllib.parse import quote

from tests.real.hammer import Hammer
from tests.real.person import Person
from tools.package_root import Root, RunError

_CALLBACK = "http://127.0.0.1:9/callback"
#: One more client, and something that is none.
_ANOTHER = f"""\
  - id: another
    secret: secret-of-another
    application_type: native
    redirect_uris: ["{_CALLBACK}"]
"""
_NONSENSE = "  - id: [\n"
_ASKED = "/.well-known/openid-configuration"


def knows(port: int, client_id: str) -> bool:
    """Tell whether a client is served."""
    words = f"client_id={client_id}&redirect_uri={quote(_CALLBACK, safe='')}&response_type=code&scope=openid"
    url = f"http://localhost:{port}/signin/v1/identifier/_/authorize?{words}"
    return Person(_CALLBACK).open(url, typed=True).status == http.client.OK


def reload_clients(root: Root, port: int, registration: str, take_note: Callable[[], object]) -> None:
    """Let another client count while people ask, then refuse a file that is wrong, then let that client go.

    Args:
        root: the system.
        port: where the daemon listens.
        registration: the file of clients.
        take_note: has the daemon read it, and ends when it has.

    Raises:
        RunError: a client is known that should not be, or is not known, or somebody was not answered.
    """
    clients = root.at(registration).read_text(encoding="utf-8")
    with Hammer(port, _ASKED) as hammer:
        hammer.wait_for(200)
        for more, known in ((_ANOTHER, True), (_NONSENSE, True), ("", False)):
            root.write(registration, clients + more)
            take_note()
            if knows(port, "another") is not known:
                raise RunError(f"after a reload with {more!r}, whether the other client is known is not {known}")
        hammer.wait_for(200)
    if hammer.failures:
        raise RunError(f"requests that failed: {hammer.failures}")
    print(f"3 reloads, one refused; {hammer.answered} requests answered, none lost")
