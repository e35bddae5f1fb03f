"""An application that is asked who somebody is, in memory, which can misbehave in every way; and what asks it."""

import json
from typing import Any

from attrs import field, frozen
from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from konnectd.backends._cookie_question import Question
from konnectd.backends._cookie_settings import read_settings
from konnectd.backends.cookie import CookieBackend

URL = "http://127.0.0.1:8080/whoami"


class Application(Resource):
    """Answers as it is told to.

    Attributes:
        status: of its answers.
        body: of its answers.
        headers: of its answers.
        hangs: it never answers.
        heard: what it was asked: method, path, headers and body.
    """

    isLeaf = True

    def __init__(self) -> None:
        """Know Alice."""
        super().__init__()
        self.status = 200
        self.headers = {"Content-Type": "application/json"}
        self.hangs = False
        self.heard: list[Any] = []
        self.say(sub="alice", name="Alice", email="alice@app.example", id=7)

    def say(self, **members: object) -> None:
        """Say something from now on."""
        self.body = json.dumps(members).encode()

    def render(self, request: Any) -> Any:  # noqa: ANN401 - Twisted calls it
        """Answer."""
        self.heard.append((request.method, request.uri, request.requestHeaders.copy(), request.content.read()))
        if self.hangs:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return self.body


@frozen
class Asked:
    """A backend, the application it asks, and its time."""

    application: Application = field(factory=Application)
    clock: Clock = field(factory=Clock)

    def backend(self, *names: str) -> CookieBackend:
        """Make the backend."""
        settings = read_settings((URL, *names), {}, insecure=False)
        return CookieBackend(settings, Question(settings, self._agent(), self.clock))

    def _agent(self) -> Any:  # noqa: ANN401 - any agent
        """Return what carries questions to the application at once."""
        traversal = RequestTraversalAgent(self.application)

        class Flushing:
            """Hands over whatever is on its way."""

            def request(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the real one
                """Ask, and hand over the answer as well."""
                answer = traversal.request(*arguments, **named)
                for _ in range(8):
                    traversal.flush()
                return answer

        return Flushing()
