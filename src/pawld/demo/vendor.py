"""The vendor of the demonstration: ScalePad's interface in front, a content network behind its 302, on two ports.

Both misbehave on request. The content network refuses any request that carries a credential, so that a leak is seen.
"""

import json
import re
import secrets
import threading
from dataclasses import field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pawld.values import dataclass

_RANGE = re.compile(r"bytes=(\d+)-")
_RELEASE = re.compile(r"/v2/agent-releases/([^/]+)(/download)?")
_BLOCK = 64 * 1024  # bytes


@dataclass(slots=True)
class Vendor:
    """What the vendor's two servers share.

    Attributes:
        token: the bearer token that the interface asks for.
        builds: the bytes of each version.
        newest: the version that ``latest`` means.
        cut_after: the content network hangs up after so many bytes, once.
        sent: bytes that the content network sent.
        leaked: requests that brought a credential where it does not belong.
    """

    platform: str
    arch: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    builds: dict[str, bytes] = field(default_factory=dict)
    filenames: dict[str, str] = field(default_factory=dict)
    newest: str = ""
    cut_after: int | None = None
    sent: int = 0
    redirects: int = 0
    leaked: int = 0
    content_url: str = ""

    def publish(self, version: str, filename: str, build: bytes) -> None:
        """Offer the build as the newest."""
        self.builds[version], self.filenames[version], self.newest = build, filename, version

    def release(self, version: str) -> dict[str, Any] | None:
        """Return the ``AgentRelease`` document, without digest and size: only the signed record has a say there."""
        if version not in self.builds:
            return None
        url = f"/v2/agent-releases/{version}/download?platform={self.platform}&arch={self.arch}"
        artifact = {"filename": self.filenames[version], "size_bytes": None, "sha256": None, "download_url": url}
        return {
            "channel": "stable",
            "version": version,
            "published_at": "2026-02-24T21:23:53.082Z",
            "notes_url": None,
            "artifacts": {self.platform: {self.arch: artifact}},
        }


class Interface(BaseHTTPRequestHandler):
    """ScalePad's agent-releases, as far as the demonstration needs it."""

    protocol_version = "HTTP/1.1"
    vendor: Vendor

    def do_GET(self) -> None:
        """Answer with metadata, or redirect to the bytes."""
        parts = urlsplit(self.path)
        found = _RELEASE.fullmatch(parts.path)
        if self.headers.get("Authorization") != f"Bearer {self.vendor.token}":
            self._answer(HTTPStatus.UNAUTHORIZED, _error("unauthorized", "Authentication required"))
        elif found is None:
            self._answer(HTTPStatus.NOT_FOUND, _error("not_found", "No such endpoint"))
        else:
            version = self.vendor.newest if found[1] == "latest" else found[1]
            self._release(version, parse_qs(parts.query)) if not found[2] else self._redirect(version)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing: the story is told elsewhere."""

    def _release(self, version: str, query: dict[str, list[str]]) -> None:
        release = self.vendor.release(version)
        if release is None:
            self._answer(HTTPStatus.NOT_FOUND, _error("not_found", "Agent release not found"))
        else:
            self._answer(HTTPStatus.OK, release | {"channel": query.get("channel", ["stable"])[0]})

    def _redirect(self, version: str) -> None:
        self.vendor.redirects += 1
        signature = secrets.token_hex(8)  # as of a signed URL: another one each time
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", f"{self.vendor.content_url}/agent/{version}?signature={signature}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Content(BaseHTTPRequestHandler):
    """The content network: bytes by version, in ranges."""

    protocol_version = "HTTP/1.1"
    vendor: Vendor

    def do_GET(self) -> None:
        """Send the bytes, or the rest of them; hang up in the middle where the story wants it."""
        vendor = self.vendor
        build = vendor.builds.get(urlsplit(self.path).path.rpartition("/")[2])
        if "Authorization" in self.headers:
            vendor.leaked += 1
            build = None
        if build is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        asked = _RANGE.match(self.headers.get("Range") or "")
        first = int(asked[1]) if asked else 0
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{len(build) - 1}/{len(build)}")
        self.send_header("ETag", f'"{hash(build):x}"')
        self.send_header("Content-Length", str(len(build) - first))
        self.end_headers()
        self._send(build[first:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""

    def _send(self, data: bytes) -> None:
        cut, self.vendor.cut_after = self.vendor.cut_after, None
        data = data[:cut]
        for start in range(0, len(data), _BLOCK):
            block = data[start : start + _BLOCK]
            self.wfile.write(block)
            self.vendor.sent += len(block)
        self.close_connection = self.close_connection or cut is not None


def serve(handler: type[BaseHTTPRequestHandler], vendor: Vendor) -> ThreadingHTTPServer:
    """Serve on a free port of loopback, in a thread that ends with the process."""
    bound = type(handler.__name__, (handler,), {"vendor": vendor})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def url_of(server: ThreadingHTTPServer) -> str:
    """Return the server's address."""
    return f"http://127.0.0.1:{server.server_address[1]}"


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": {}}}
