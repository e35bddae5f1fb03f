"""Users of a web application that people are signed in to already: asked, with their cookies, who they are.

The application answers at one address, over HTTP. It is told what a browser carries for it and says who that is; nobody
types a password here, and no cookie is kept.

The parts are private modules: ``_cookie_settings`` reads the words of the command line, ``_cookie_question`` asks, and
``_cookie_answers`` reads what comes back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.logger import Logger

from konnectd.backends._cookie_answers import UselessAnswerError, read_answer
from konnectd.backends._cookie_question import Heard, Question
from konnectd.backends._cookie_settings import OPTIONS, WORDS, CookieSettings, read_settings
from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, NUMERIC_ID, PROFILE, RAW_SUBJECT
from konnectd.sources import Acquaintances, Carried, Seen, is_ours

__all__ = ["ARGUMENTS", "OPTIONS", "CookieBackend", "build"]

#: What follows the name of the backend on the command line.
ARGUMENTS = 'URL ["COOKIE ..."]'

_SOMEBODY = frozenset({200, 202})
_NOBODY = frozenset({401, 403})

log = Logger()


class CookieBackend:
    """People whom an application knows by their cookies."""

    name = "cookie"
    scopes: tuple[str, ...] = (PROFILE, EMAIL, NUMERIC_ID, RAW_SUBJECT)
    claims: tuple[str, ...] = ("name", "family_name", "given_name", "email", "email_verified")
    signs_in_elsewhere = True

    def __init__(self, settings: CookieSettings, ask: Question) -> None:
        """Keep what asks."""
        self._host = settings.host
        self._ask = ask
        self._acquaintances: Acquaintances | None = None
        self.cookie_names: tuple[str, ...] | None = settings.names

    def keep_with(self, acquaintances: Acquaintances) -> None:
        """Take what keeps people between their visits."""
        self._acquaintances = acquaintances

    async def check(self) -> None:
        """Ask without any cookie: an application that then names somebody would let everybody in.

        Raises:
            ConfigErrors: it does.
            BackendUnavailableError: it did not answer, or not as it has to.
        """
        heard = await self._ask(Carried())
        if heard.status in _SOMEBODY:
            raise ConfigErrors([ConfigError(WORDS, f"{self._host} names somebody although no cookie was sent")])
        if heard.status not in _NOBODY:
            raise self._useless(heard)

    async def look(self, carried: Carried) -> Seen | None:
        """Return who carries some cookies; nobody is asked about somebody who carries none.

        Raises:
            BackendUnavailableError: the application did not answer, or answers nonsense, or the store did not answer.
        """
        shown = {name: value for name, value in carried.cookies.items() if not is_ours(name)}
        if not shown:
            return None
        told = Carried(cookies=shown, accept_language=carried.accept_language, user_agent=carried.user_agent)
        heard = await self._ask(told)
        if heard.status in _NOBODY:
            return None
        if heard.status not in _SOMEBODY:
            raise self._useless(heard)
        try:
            seen = read_answer(heard.content)
        except UselessAnswerError as error:
            raise BackendUnavailableError(f"the answer of {self._host} is of no use: {error}") from error
        if self._acquaintances is not None:
            await self._acquaintances.note(seen.user)
        return seen

    async def find(self, user_id: str) -> EndUser | None:
        """Return somebody as they were when their browser was here last; None when that is too long ago.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        return await self._acquaintances.recall(user_id) if self._acquaintances is not None else None

    async def close(self) -> None:
        """Let go of connections."""
        await self._ask.close()

    def _useless(self, heard: Heard) -> BackendUnavailableError:
        """Return what is wrong with an answer that names neither somebody nor nobody."""
        return BackendUnavailableError(f"{self._host} answers with status {heard.status}")


def build(
    options: Mapping[str, Any],
    reactor: Any,  # noqa: ANN401 - Twisted's reactor
    *,
    insecure: bool = False,
    words: Sequence[str] = (),
) -> CookieBackend:
    """Make the backend from the words after its name.

    Args:
        options: parsed, by `Option.dest`.
        reactor: for the network and for time.
        insecure: accept any certificate.
        words: where the application answers, then names of cookies.

    Raises:
        ConfigErrors: everything that is wrong with them.
    """
    settings = read_settings(words, options, insecure=insecure)
    if settings.is_readable_on_the_way:
        log.warn("people's cookies can be read on the way to {host}, which is asked without TLS", host=settings.host)
    return CookieBackend(settings, Question.over_network(settings, reactor))
