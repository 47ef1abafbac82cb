"""A web server on this machine that has one object, with what web servers do well and badly."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Web", "serving"]


class Web:
    """What is served under any path, and how. `asked` has the Range of each request, None where there was none."""

    def __init__(self, data: bytes, **manners: Any) -> None:
        self.data = data
        self.etag: str | None = '"one"'
        self.ranges = True
        self.length = True  # is it said how long the answer is
        self.status: int | None = None
        self.encoding: str | None = None
        self.heeds_conditions = True
        self.cuts: list[int] = []  # bytes after which the connection is lost, a number for each answer
        self.asked: list[str | None] = []
        self.url = ""
        self.__dict__ |= manners


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        web = self.web
        asked = self.headers.get("Range") if web.ranges else None
        web.asked.append(self.headers.get("Range"))
        condition = self.headers.get("If-Match")
        if web.heeds_conditions and condition is not None and condition != web.etag:
            self._answer(412, b"")
        elif web.status is not None:
            self._answer(web.status, b"VEILME0001")
        elif asked is None:
            self._answer(200, web.data)
        elif not web.data:
            self._answer(416, b"", {"Content-Range": "bytes */0"})
        else:
            first, last = map(int, re.findall(r"\d+", asked))
            part = web.data[first : last + 1]
            self._answer(206, part, {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(web.data)}"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        web = self.web
        self.send_response(status)
        for name, value in {**(headers or {}), "ETag": web.etag, "Content-Encoding": web.encoding}.items():
            if value is not None:
                self.send_header(name, value)
        if web.length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        if web.cuts:
            body = body[: web.cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(body)
        if not web.length:
            self.close_connection = True


@contextmanager
def serving(data: bytes, **manners: Any) -> Iterator[Web]:
    web = Web(data, **manners)
    handler = type("Handler", (_Handler,), {"web": web})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        web.url = f"http://127.0.0.1:{server.server_address[1]}/in.dcm"
        try:
            yield web
        finally:
            server.shutdown()
