"""hawkBit's Direct Device Integration, version 1: the documents, and the calls that a device makes.

Links are followed, not built; but a link may only lead to the host that was configured, and there to its scheme and
port, whatever a proxy made of them: the token goes nowhere else. What its chunks say of bytes is unsigned and not read.

API: https://eclipse.dev/hawkbit/rest-api/ddi_api/ (the form that goosebit serves too)
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pawld.system.http import Reply, Web
from pawld.system.secret import Secret
from pawld.values import dataclass
from pawld.vendors.api import Api, Now, Request, header_text, misunderstood, segment
from pawld.vendors.faults import plain
from pawld.vendors.forms import Form, read

VENDOR = "hawkBit"
USUAL_SLEEP = timedelta(minutes=5)  # hawkBit's own default, where the server names none
SHORTEST_SLEEP, LONGEST_SLEEP = timedelta(seconds=10), timedelta(days=7)
_DETAIL = 512  # characters of one line of feedback, which hawkBit cuts there
_DETAILS = 50  # lines
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE})


class TokenKind(Enum):
    """Whose token it is: this device's, or one that a gateway shares."""

    TARGET = "TargetToken"
    GATEWAY = "GatewayToken"


class DeviceToken:
    """``Authorization: TargetToken …`` or ``GatewayToken …``."""

    clock_tolerance: timedelta | None = None

    def __init__(self, token: Secret, kind: TokenKind = TokenKind.TARGET) -> None:
        self._token = token
        self._kind = kind

    def headers(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the same for every request
        """Return the one header; ``OperatorError`` where the secret is missing or exposed."""
        return {"Authorization": f"{self._kind.value} {header_text(self._token)}"}

    def renew(self) -> bool:
        """Nothing is kept; the secret is read at each use."""
        return False

    def describe(self) -> str:
        """Return where the token lies."""
        return self._token.describe()


class _Link(Form):
    href: str


class _Polling(Form):
    sleep: str | None = None


class _Config(Form):
    polling: _Polling = _Polling()


class _Base(Form):
    config: _Config = _Config()
    links: dict[str, _Link] = Field(default_factory=dict, alias="_links")


class _Chunk(Form):
    part: str = ""
    name: str = ""
    version: str


Handling = Literal["skip", "attempt", "forced"]


class _Deployment(Form):
    download: Handling = "attempt"
    update: Handling = "attempt"
    window: Literal["available", "unavailable"] | None = Field(None, alias="maintenanceWindow")
    chunks: list[_Chunk]


class _DeploymentBase(Form):
    id: str
    deployment: _Deployment


class _ConfirmationBase(Form):
    """Without an action that waits, the document tells of automatic confirmation alone."""

    id: str = ""
    confirmation: _Deployment | None = None


class _CancelAction(Form):
    stop_id: str = Field(alias="stopId")


class _Cancel(Form):
    id: str
    action: _CancelAction = Field(alias="cancelAction")


@dataclass(frozen=True, slots=True)
class Base:
    """What a poll tells.

    Attributes:
        sleep: until the next poll.
        links: paths by name: ``configData``, ``deploymentBase``, ``confirmationBase``, ``cancelAction`` …
    """

    sleep: timedelta
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One software module of a deployment: its name and version are all that is read."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """An action of the server's for this device.

    Attributes:
        path: where it was read; feedback goes below it.
        download: the bytes may be fetched.
        update: ``skip`` (download only), ``attempt`` (soft) or ``forced`` (time-forced ones become it when it is time).
        window: None without a maintenance window; else whether it is open.
    """

    id: str
    path: str
    download: Handling
    update: Handling
    window: bool | None
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """The server wants the action *stop_id* not to be done."""

    id: str
    path: str
    stop_id: str


class Execution(Enum):
    """How far an action has come."""

    PROCEEDING = "proceeding"
    CLOSED = "closed"


class Finished(Enum):
    """How it ended."""

    NONE = "none"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One answer to an action.

    Attributes:
        code: a number of ours; the exit code that goes with the reason.
        details: lines that the server shows to people.
    """

    execution: Execution
    finished: Finished
    code: int
    details: Sequence[str] = ()


class Ddi:
    """One device at one server."""

    def __init__(self, web: Web, base_url: str, tenant: str, controller_id: str, token: DeviceToken, now: Now) -> None:
        parts = urlsplit(base_url)
        self._prefix = parts.path.rstrip("/")
        self._host = parts.hostname
        self._api = Api(web, VENDOR, f"{parts.scheme}://{parts.netloc}", token, now)
        self._base = f"{self._prefix}/{segment(tenant)}/controller/v1/{segment(controller_id)}"
        self._now = now

    def poll(self) -> Base:
        """Ask what there is for this device."""
        base = read(_Base, self._api.get(self._base), VENDOR, "the base document")
        links = {name: self._path(link.href) for name, link in base.links.items()}
        return Base(_sleep(base.config.polling.sleep), links)

    def deployment(self, path: str) -> Deployment | None:
        """Return the action at *path*; None where it is not active any more."""
        reply = self._api.send("GET", path)
        if reply.status in _GONE:
            return None
        base = read(_DeploymentBase, self._api.understood(reply), VENDOR, "the deployment")
        return _deployment(base.id, path, base.deployment)

    def unconfirmed(self, path: str) -> Deployment | None:
        """Return the action at *path* that a person must confirm before it is one; None where none waits."""
        reply = self._api.send("GET", path)
        if reply.status in _GONE:
            return None
        base = read(_ConfirmationBase, self._api.understood(reply), VENDOR, "the confirmation")
        return None if base.confirmation is None else _deployment(base.id, path, base.confirmation)

    def cancel(self, path: str) -> Cancel | None:
        """Return which action is to be cancelled; None where the server took that back."""
        reply = self._api.send("GET", path)
        if reply.status in _GONE:
            return None
        told = read(_Cancel, self._api.understood(reply), VENDOR, "the cancel action")
        return Cancel(told.id, path, told.action.stop_id)

    def describe(self, path: str, data: Mapping[str, str]) -> None:
        """Tell the server what this device is, in place of what it was told before."""
        self._sent("PUT", path, {"mode": "replace", "data": dict(data)})

    def feedback(self, path: str, given: Feedback) -> bool:
        """Answer the action at *path*; False where it is not active any more, which is no error."""
        status = {
            "execution": given.execution.value,
            "result": {"finished": given.finished.value},
            "code": given.code,
            "details": [plain(line, _DETAIL) for line in given.details][:_DETAILS],
        }
        stamp = int(self._now().timestamp() * 1000)  # milliseconds
        reply = self._send("POST", f"{path.partition('?')[0]}/feedback", {"timestamp": stamp, "status": status})
        if reply.status in _GONE:
            return False
        self._check(reply)
        return True

    def installed(self, name: str, version: str) -> bool:
        """Tell what is installed though no action asked for it; False where the server has no such call."""
        reply = self._send("PUT", f"{self._base}/installedBase", {"name": name, "version": version})
        if reply.status in (*_GONE, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
            return False
        self._check(reply)
        return True

    def _sent(self, method: str, path: str, value: Any) -> None:
        self._check(self._send(method, path, value))

    def _send(self, method: str, path: str, value: Any) -> Reply:
        return self._api.send(method, path, body=json.dumps(value).encode())

    def _check(self, reply: Reply) -> None:
        """A success may have no body at all."""
        if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES and not reply.body.strip():
            return
        self._api.understood(reply)

    def _path(self, href: str) -> str:
        """Return path and query of a link; ``RejectedError`` where it leads to another host."""
        try:
            parts = urlsplit(href)
        except ValueError as error:
            raise misunderstood(VENDOR, "it links to what is no address") from error
        if parts.hostname not in (None, self._host) or not parts.path.startswith("/"):
            raise misunderstood(VENDOR, "it links to another host than the configured one")
        return parts.path + (f"?{parts.query}" if parts.query else "")


def _deployment(number: str, path: str, told: _Deployment) -> Deployment:
    chunks = tuple(Chunk(one.name, one.version) for one in told.chunks)
    window = None if told.window is None else told.window == "available"
    return Deployment(number, path, told.download, told.update, window, chunks)


def _sleep(text: str | None) -> timedelta:
    """Read ``HH:MM:SS``, within what is sensible."""
    found = re.fullmatch(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)", text or "", re.ASCII)
    if found is None:
        return USUAL_SLEEP
    hours, minutes, seconds = map(int, found.groups())
    return min(max(timedelta(hours=hours, minutes=minutes, seconds=seconds), SHORTEST_SLEEP), LONGEST_SLEEP)
