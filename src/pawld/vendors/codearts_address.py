"""Reads the answer of ``AgentDownloadURL``, whose ``result`` no document describes. Pure.

Accepted are a string, an object with exactly one address under a name that other calls of the service use, and a list
of one of these. Everything else is "no address", told by JSON types and names alone: the values may be signed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from pawld.values import dataclass
from pawld.vendors.faults import plain

NAMES = ("url", "download_url", "downloadUrl", "agent_download_url", "agentDownloadUrl", "address", "link", "href")
_INNER = ("data", "agent")
_URL = re.compile(r"https?://\S+", re.ASCII | re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """Where the service says the agent is, with the facts that it may add."""

    url: str = field(repr=False)
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NoAddress:
    """The answer holds none; *found* says what it holds, in types and names."""

    found: str


def address_in(result: Any) -> AgentAddress | NoAddress:
    """Return the one address in *result*, the value of that field; None where the field was absent."""
    value = result[0] if isinstance(result, list) and len(result) == 1 else result
    if isinstance(value, str) and _URL.fullmatch(value.strip()):
        return AgentAddress(value.strip())
    if isinstance(value, dict):
        objects = [value, *_inner(value)]
        urls = {text for one in objects for text in _urls(one)}
        if len(urls) == 1:
            return AgentAddress(urls.pop(), _sha256(objects), _size(objects))
    return NoAddress(_outline(result))


def _inner(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [value[name] for name in _INNER if isinstance(value.get(name), dict)]


def _urls(value: Mapping[str, Any]) -> Iterator[str]:
    for name in NAMES:
        text = value.get(name)
        if isinstance(text, str) and _URL.fullmatch(text.strip()):
            yield text.strip()


def _sha256(objects: list[Mapping[str, Any]]) -> str | None:
    found = (one.get(name) for one in objects for name in ("sha256", "checksum"))
    return next((text.lower() for text in found if isinstance(text, str) and _SHA256.fullmatch(text)), None)


def _size(objects: list[Mapping[str, Any]]) -> int | None:
    return next((one["size"] for one in objects if type(one.get("size")) is int and one["size"] > 0), None)


def _outline(value: Any) -> str:
    match value:
        case dict():
            names = plain(", ".join(sorted(map(str, value))), 160)
            return f"an object with the names {names}" if names else "an empty object"
        case list():
            return f"a list of {len(value)}"
        case str():
            return "a text that is no address"
        case None:
            return "nothing"
        case _:
            return "a number or a truth value"
