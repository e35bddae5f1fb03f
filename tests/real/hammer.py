"""People who ask again and again, each on a connection of its own, while something happens to the daemon."""

import http.client
import threading
import time

from tests.real.crew import Crew


class Hammer(Crew):
    """Asks one address from several threads until it is told to stop.

    Attributes:
        answered: how many answers were 200.
        failures: what else came, as text.
    """

    def __init__(self, port: int, path: str, threads: int = 4) -> None:
        """Get ready.

        Args:
            port: on 127.0.0.1.
            path: what is asked for.
            threads: how many ask at a time.
        """
        self.answered = 0
        self.failures: list[str] = []
        self._port = port
        self._path = path
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(threads)]

    def wait_for(self, more: int, patience: float = 30.0) -> None:
        """Wait until so many more answers have come, or things go wrong."""
        wanted, give_up = self.answered + more, time.monotonic() + patience
        while self.answered < wanted and not self.failures and time.monotonic() < give_up:
            time.sleep(0.01)  # other threads count

    def _ask_on(self) -> None:
        """Ask until it is enough."""
        while not self._stop.is_set():
            failure = self._ask()
            with self._lock:
                if failure:
                    self.failures.append(failure)
                else:
                    self.answered += 1

    def _ask(self) -> str:
        """Ask once, and return what went wrong."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", self._path)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
        return "" if answer.status == http.client.OK else str(answer.status)
