"""A small static web server for ``public/``: for a demonstration, a laboratory, a small site. No TLS.

Headers are those that a real one should send: what has a digest or a version in its name never changes and may be
cached for ever; ``timestamp.json`` is asked for at every poll and may be half a minute old.
"""

import hashlib
import re
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.values import dataclass

IMMUTABLE = "public, max-age=31536000, immutable"  # seconds: a year
POLLED = "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400"
NOT_YET = "public, max-age=30"  # the next root is asked for before it exists
SOCKET_LIMIT = 60  # seconds without a byte
BLOCK = 256 * 1024  # bytes written at a time

_DIGEST = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


def server(public: Path, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server bound to *host* and *port* (0 takes a free one), which serves *public* and nothing else.

    ``OperatorError``: config_missing where nothing was ever published there; usage where it cannot listen so.
    """
    if not (public / "metadata").is_dir():
        raise OperatorError(
            Reason.CONFIG_MISSING,
            f"{public.parent} holds nothing to serve: it is no publisher's directory; `pawld release init` makes one.",
        )
    try:
        made = ThreadingHTTPServer((host, port), partial(_Files, public))
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "a port is a number from 0 to 65535"
        raise OperatorError(Reason.USAGE, f"{host}:{port} cannot be listened on: {why}.") from error
    made.daemon_threads = True
    return made


@dataclass(frozen=True, slots=True)
class _Span:
    """The bytes from *first* up to, not including, *end*."""

    first: int
    end: int


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pawld"
    sys_version = ""
    timeout = SOCKET_LIMIT

    def __init__(self, public: Path, *arguments: object) -> None:
        self._public = public
        super().__init__(*arguments)  # type: ignore[arg-type]  # what the server passes on

    def do_GET(self) -> None:
        """Answer with the file, or the part of it that was asked for."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers of the file."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing: there is a proxy in front, or nobody watches."""

    def _answer(self) -> None:
        path = _found(self._public, self.path)
        if path is None:
            self._headers(HTTPStatus.NOT_FOUND, 0, {"Cache-Control": NOT_YET})
            return
        with path.open("rb") as file:
            self._send(path, file)

    def _send(self, path: Path, file: IO[bytes]) -> None:
        etag, size = _etag(path, file), path.stat().st_size
        common = {"ETag": etag, "Cache-Control": _caching(path), "Accept-Ranges": "bytes"}
        if etag in (self.headers.get("If-None-Match") or ""):
            self._headers(HTTPStatus.NOT_MODIFIED, None, common)
            return
        span = self._span(etag, size)
        if span is None:
            self._headers(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, common | {"Content-Range": f"bytes */{size}"})
            return
        if span == _Span(0, size):
            self._headers(HTTPStatus.OK, size, common)
        else:
            part = {"Content-Range": f"bytes {span.first}-{span.end - 1}/{size}"}
            self._headers(HTTPStatus.PARTIAL_CONTENT, span.end - span.first, common | part)
        if self.command == "GET":
            _copy(file, span, self.wfile)

    def _span(self, etag: str, size: int) -> _Span | None:
        """Return what to send; None where the range lies outside. Several ranges, or a changed file, get all of it."""
        found = _RANGE.fullmatch(self.headers.get("Range") or "")
        if found is None or self.headers.get("If-Range", etag) != etag or not (found[1] or found[2]):
            return _Span(0, size)
        if not found[1]:
            return _Span(max(0, size - int(found[2])), size) if int(found[2]) else None
        first, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        return _Span(first, end) if first < end else None

    def _headers(self, status: HTTPStatus, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in (headers | {"Content-Type": _kind(self.path), "X-Content-Type-Options": "nosniff"}).items():
            self.send_header(name, value)
        self.end_headers()


def _found(public: Path, url: str) -> Path | None:
    """Return the file that the URL names; nothing hidden, no link, and nothing outside."""
    parts = unquote(urlsplit(url).path).strip("/").split("/")
    if not all(_SAFE.fullmatch(part) for part in parts):
        return None
    path = public.joinpath(*parts)
    real = path.resolve()
    return path if path.is_file() and real == public.resolve().joinpath(*parts) else None


def _etag(path: Path, file: IO[bytes]) -> str:
    """A strong ETag: the digest, which names a build already; metadata is small enough to be hashed each time."""
    digest = _DIGEST.match(path.name)
    if digest is not None:
        return f'"{digest[0]}"'
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a binary file is one
    return f'"{found}"'


def _caching(path: Path) -> str:
    return POLLED if path.name == "timestamp.json" else IMMUTABLE


def _kind(url: str) -> str:
    return "application/json" if urlsplit(url).path.endswith(".json") else "application/octet-stream"


def _copy(file: IO[bytes], span: _Span, to: BufferedIOBase) -> None:
    file.seek(span.first)
    left = span.end - span.first
    while left > 0 and (block := file.read(min(BLOCK, left))):
        to.write(block)
        left -= len(block)
