"""The yardstick: a bare twisted.web resource that returns 1 kB of JSON."""

import json
import sys
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

BODY = json.dumps({"padding": "x" * 1000}).encode()


class Bare(Resource):
    """Answers everything with the same bytes."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """Answer."""
        request.setHeader(b"content-type", b"application/json")
        return BODY


def main(port: int) -> None:
    """Serve until killed."""
    reactor: Any = _reactor
    reactor.listenTCP(port, Site(Bare()), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
