"""The small web application of the demo: it serves two announcements and receives callbacks.

It is the standard library's server in threads, so that it has nothing in common with the server
that it is talking to.  Every callback that comes in is handed to *receive* in the order of arrival.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl


@contextmanager
def web_application(
    files: Mapping[str, bytes],
    receive: Callable[[str, Mapping[str, str], Mapping[str, str]], bytes | None],
) -> Iterator[str]:
    """Serve *files* by path, and give path, fields and headers of each POST to *receive*.

    What that returns is the answer.  Yields the base URL.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = files.get(self.path)
            self._answer(404 if body is None else 200, body or b"", "audio/wav")

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(size)
            if len(body) < size:
                self.close_connection = True
                return  # Who posted it was cut off, and posts it again.
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
            answer = receive(self.path, fields, dict(self.headers.items()))
            self._answer(200, answer or b"", "application/json" if answer else "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing: the demo tells what matters."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that goes away is no fault of ours."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
