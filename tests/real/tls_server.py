"""A TLS server on loopback that says what it is told, whatever it is asked."""

import ssl
from pathlib import Path
from socket import SHUT_RDWR, socket
from threading import Event, Thread

_LONGEST_REQUEST = 64 * 1024


class TlsServer:
    """One port with the certificate of a folder, for localhost and 127.0.0.1.

    Attributes:
        answer: what it says.
        flood: what it says after that, again and again; nothing if empty.
        lingering: it keeps connections open, and hears nothing more, until it is stopped.
        asked: what it was asked.
        port: where it listens.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        """Listen, on a port of the system's choice."""
        self.answer: bytes = b""
        self.flood: bytes = b""
        self.lingering = False
        self._stopped = Event()
        self.asked: list[bytes] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._context = context
        self._socket = socket()
        self._socket.bind((host, 0))
        self._socket.listen()
        self.port = int(self._socket.getsockname()[1])
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        # Closing alone would not wake the thread that waits for connections, and the port would stay open.
        self._socket.shutdown(SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        """Take one connection after the other."""
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self._talk(connection)
            except OSError:
                plain.close()

    def _talk(self, connection: ssl.SSLSocket) -> None:
        """Hear a request and answer it."""
        heard = connection.recv(_LONGEST_REQUEST)
        if not heard:
            return
        self.asked.append(heard)
        connection.sendall(self.answer)
        while self.flood:
            connection.sendall(self.flood)
        if self.lingering:
            self._stopped.wait()
