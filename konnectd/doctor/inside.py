"""The daemon from the inside out: does it answer where it listens, and is it the one that is configured?"""

import json

from konnectd.address import Address
from konnectd.config.settings import Settings
from konnectd.doctor.finding import Finding, fault, good, hint
from konnectd.doctor.probe import Answer, Asks, NoAnswerError

_ABOUT = "daemon"
_OK = 200
#: Where somebody listens who listens everywhere.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing listens here


async def look(settings: Settings, probe: Asks) -> list[Finding]:
    """Ask the daemon at every address it listens at."""
    return [await _ask(Address.parse(text), settings, probe) for text in settings.listen]


async def _ask(address: Address, settings: Settings, probe: Asks) -> Finding:
    """Ask at one address."""
    if not address.path and address.port <= 0:
        return hint(_ABOUT, f"{address.text} was not asked: only its owner knows where that is")
    host = _EVERYWHERE.get(address.host, address.host)
    base = "http://localhost" if address.path else f"http://{f'[{host}]' if ':' in host else host}:{address.port}"
    try:
        answer = await probe.get(base + settings.paths.health_check, unix=address.path)
        metadata = await probe.get(base + settings.paths.discovery, unix=address.path)
    except NoAnswerError as error:
        return fault(
            _ABOUT,
            f"{address.text} {error}",
            cause="The daemon is not running, listens somewhere else, or this user may not open its socket.",
            mend="Look at its log (journalctl -u konnectd), and start it. Call this with the options that it has.",
        )
    if answer.status != _OK:
        return fault(
            _ABOUT,
            f"{address.text} answers {settings.paths.health_check} with status {answer.status}",
            cause="It is not well, or it is another program.",
            mend="Look who listens there (ss -ltnp), and at the log of the daemon.",
        )
    return _identity(address, settings, metadata)


def _identity(address: Address, settings: Settings, metadata: Answer) -> Finding:
    """Look whether it is the daemon that is configured."""
    try:
        issuer = json.loads(metadata.body)["issuer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        issuer = None
    if issuer != settings.iss:
        return fault(
            _ABOUT,
            f"{address.text} is of another issuer: {str(issuer)[:200]!r}",
            cause="Another daemon listens there, or it was not restarted since the issuer changed.",
            mend="Restart it, or give each daemon an address of its own (listen).",
        )
    return good(_ABOUT, f"it answers at {address.text}")
