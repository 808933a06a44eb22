"""Vendors that answer as their documents say, on loopback, and fail the test for whatever the documents do not know.

A fake holds the state that a test arranges; ``script`` queues answers that come before the documented ones.
"""

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pawld.system.secret import Secret

CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "x-auth-token", "x-security-token", "x-sdk-date"})


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """The time of every test that does not say otherwise."""
    return NOW


def secret(folder: Path, text: str, name: str = "token") -> Secret:
    """A secret in a file that its owner alone may read."""
    path = folder / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return Secret.from_file(path)


@dataclass(frozen=True)
class Route:
    """One documented call: its method, path, and the query that it knows."""

    name: str
    method: str
    path: str
    query: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


def route(name: str, method: str, path: str, query: Iterable[str] = (), required: Iterable[str] = ()) -> Route:
    return Route(name, method, path, frozenset(query) | frozenset(required), frozenset(required))


def answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer: JSON, or text as it stands."""
    if isinstance(value, str):
        return Response(value, status, headers, content_type="text/html")
    return Response(json.dumps(value), status, headers, content_type="application/json")


class FakeVendor:
    """What all fakes share: routing, violations, a script, and the requests that came."""

    routes: tuple[Route, ...] = ()
    credentials: frozenset[str] = frozenset()  # the credential headers that this vendor's documents know

    def __init__(self, server: HTTPServer) -> None:
        self.violations: list[str] = []
        self.requests: list[Request] = []
        self.script: deque[Response | None] = deque()  # None: as documented
        self.url = server.url_for("").rstrip("/")
        server.expect_request(re.compile(".*")).respond_with_handler(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert not self.violations, self.violations

    def says(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        """Queue an answer that comes instead of the documented one."""
        self.script.append(answer(status, value, headers))

    def answers_first(self) -> None:
        """Queue the documented answer, before others that ``says`` queues."""
        self.script.append(None)

    def unauthorized(self, request: Request) -> Response | None:
        """Refuse the request, or None where its credential is right."""
        raise NotImplementedError

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        """Answer a documented call."""
        raise NotImplementedError

    def paths(self) -> list[str]:
        """Method and path of each request that came."""
        return [f"{one.method} {one.path}" for one in self.requests]

    def _handle(self, request: Request) -> Response:
        request.get_data(cache=True)
        self.requests.append(request)
        for one in self.routes:
            found = re.fullmatch(one.path, request.path)
            if found and one.method == request.method:
                self._check(one, request)
                refused = self.unauthorized(request)
                scripted = self.script.popleft() if self.script and not refused else None
                return refused or scripted or self.respond(one.name, found, request)
        self.violations.append(f"undocumented call: {request.method} {request.path}")
        return answer(404, "<html>no such route</html>")

    def _check(self, one: Route, request: Request) -> None:
        given = set(request.args)
        if given - one.query:
            self.violations.append(f"{one.name}: undocumented parameters {sorted(given - one.query)}")
        if one.required - given:
            self.violations.append(f"{one.name}: missing parameters {sorted(one.required - given)}")
        foreign = {name.lower() for name, _ in request.headers} & CREDENTIALS - self.credentials
        if foreign:
            self.violations.append(f"{one.name}: foreign credentials {sorted(foreign)}")
        if request.method == "GET" and request.get_data():
            self.violations.append(f"{one.name}: a body with GET")
        if request.method == "POST" and request.content_type != "application/json":
            self.violations.append(f"{one.name}: the body's type is {request.content_type}")

    def body(self, request: Request, known: Iterable[str]) -> Any:
        """Return the JSON body, and note what its top level should not have."""
        value = json.loads(request.get_data())
        if set(value) - set(known):
            self.violations.append(f"undocumented fields {sorted(set(value) - set(known))}")
        return value


SHA_1 = "0f" * 32
SHA_2 = "1e" * 32


def artifact(version: str, target: str, sha256: object = SHA_1, **changes: object) -> dict[str, object]:
    """An ``AgentArtifact`` in the documented form, with a digest that can be one."""
    return {
        "filename": f"ScalepadAgent-{version}.msi",
        "content_type": "application/octet-stream",
        "size_bytes": 12345678,
        "sha256": sha256,
        "download_url": f"/v2/agent-releases/{version}/download?{target}",
        **changes,
    }


def release(version: str, **changes: object) -> dict[str, object]:
    """An ``AgentRelease`` as the documents print it."""
    return {
        "channel": "stable",
        "version": version,
        "published_at": "2026-02-24T21:23:53.082Z",
        "notes_url": f"https://github.com/Scalepad/scalepad-agent/releases/tag/v{version}",
        "artifacts": {
            "windows": artifact(version, "platform=windows"),
            "macos": {
                "arm64": artifact(version, "platform=macos&arch=arm64", SHA_2),
                "x86_64": artifact(version, "platform=macos&arch=x86_64"),
            },
        },
        **changes,
    }


def refusal(code: str, message: str, **details: str) -> dict[str, object]:
    """ScalePad's error form."""
    return {"error": {"code": code, "message": message, "details": details}}


class FakeScalepad(FakeVendor):
    """agent-releases, version 2."""

    credentials = frozenset({"authorization"})
    routes = (
        route("list", "GET", "/v2/agent-releases", ["channel", "sort_by", "sort_order", "page_size", "cursor"]),
        route("latest", "GET", "/v2/agent-releases/latest", ["channel"]),
        route("download-latest", "GET", "/v2/agent-releases/latest/download", ["channel", "arch"], ["platform"]),
        route("release", "GET", "/v2/agent-releases/([^/]+)", ["channel"]),
        route("download", "GET", "/v2/agent-releases/([^/]+)/download", ["arch"], ["platform"]),
    )

    def __init__(self, server: HTTPServer, *, token: str | None = "scalepad-token", cdn: str = "") -> None:
        super().__init__(server)
        self.token = token
        self.base_url = f"{self.url}/v2"
        self.cdn = cdn or "https://downloads.example.com"
        self.releases: list[dict[str, object]] = [release("1.8.3")]
        self.page_size = 2
        self.missing: set[str] = set()  # calls that the gateway does not know
        self.linux = False

    def unauthorized(self, request: Request) -> Response | None:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return answer(401, refusal("unauthorized", "Authentication required"))
        return None

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        if name in self.missing:
            return answer(404, "<html>404 page not found</html>")
        if request.args.get("channel", "stable") not in ("stable", "latest"):
            return answer(400, refusal("bad_request", "Invalid query parameters"))
        if name == "list":
            return self._list(request)
        if name == "latest":
            return answer(200, self.releases[0]) if self.releases else self._not_found()
        if name == "release":
            known = next((one for one in self.releases if one["version"] == found[1]), None)
            return answer(200, known) if known else self._not_found(version=found[1])
        return self._download(found[1] if found.groups() else "latest", request)

    def _list(self, request: Request) -> Response:
        if not 1 <= int(request.args.get("page_size", "50")) <= 200:
            return answer(400, refusal("bad_request", "Invalid query parameters"))
        begin = int(request.args.get("cursor", "0"))
        end = begin + self.page_size
        cursor = str(end) if end < len(self.releases) else None
        page = {"data": self.releases[begin:end], "total_count": len(self.releases), "next_cursor": cursor}
        return answer(200, page)

    def _download(self, version: str, request: Request) -> Response:
        platform, arch = request.args["platform"], request.args.get("arch")
        macos = platform == "macos" and arch in ("arm64", "x86_64")
        if not (macos or (platform == "windows" and arch is None) or (platform == "linux" and self.linux)):
            return answer(400, refusal("bad_request", "Invalid platform / arch combination"))
        if version != "latest" and all(one["version"] != version for one in self.releases):
            return self._not_found(version=version, platform=platform)
        place = f"{self.cdn}/agent/{platform}/{version}/ScalepadAgent?signature=se3ret"
        return Response("", 302, {"Location": place})

    def _not_found(self, **details: str) -> Response:
        return answer(404, refusal("not_found", "Agent release or artifact not found", **details))


class FakeStatic(FakeVendor):
    """A static host or a CDN: it serves files to anybody, and a credential that reaches it fails the test."""

    routes = (route("file", "GET", "/.*", ["signature"]),)

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.files: dict[str, bytes] = {}

    def unauthorized(self, request: Request) -> Response | None:  # noqa: ARG002 - everybody may ask
        return None

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:  # noqa: ARG002 - one kind of call
        data = self.files.get(request.path)
        return Response("", 404) if data is None else Response(data, content_type="application/octet-stream")
