"""Durations, sizes, rates and addresses as a configuration file writes them.

Each reader refuses what it does not understand with one sentence that shows how it is written. pydantic is not needed
here, so that the daemon and ``status`` can read them cheaply.
"""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)")
_SIZE = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB)")
_LONGEST = timedelta(days=3660)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_IN_URL = frozenset({"version", "channel", "os", "arch", "platform", "filename"})
_IN_COMMAND = frozenset({"root", "current", "slot", "version"})

_A_DURATION = 'a duration is text with a unit (s, m, h or d), such as "90s", "1h" or "7d"'
_A_SIZE = 'a size is text with a unit (B, KiB, MiB or GiB), such as "512MiB"'
_A_RATE = 'a rate is a size per second, such as "2MiB/s"'
_A_URL = "https://HOST/PATH, or http:// for a loopback address only"


def read_duration(value: Any) -> timedelta:
    """Read ``"90s"``, ``"1h"``, ``"7d"``; ``ValueError`` for anything else, zero and more than ten years included."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError(_A_DURATION)
    return length


def read_size(value: Any) -> int:
    """Read ``"512MiB"`` as a number of bytes; ``ValueError`` for anything else."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_A_SIZE)
    return int(match[1]) * _BYTES[match[2]]


def read_rate(value: Any) -> int:
    """Read ``"2MiB/s"`` as bytes per second; ``ValueError`` for anything else, zero included."""
    size, slash, second = value.partition("/") if isinstance(value, str) else ("", "", "")
    match = _SIZE.fullmatch(size) if slash and second == "s" else None
    rate = int(match[1]) * _BYTES[match[2]] if match else 0
    if not rate:
        raise ValueError(_A_RATE)
    return rate


def shown_duration(length: timedelta) -> str:
    """Write a duration with the largest unit that divides it, so that ``read_duration`` reads it back."""
    seconds = int(length.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def shown_size(size: int) -> str:
    """Write a number of bytes with the largest unit that divides it."""
    unit = next(unit for unit in ("GiB", "MiB", "KiB", "B") if size % _BYTES[unit] == 0 and (size or unit == "B"))
    return f"{size // _BYTES[unit]}{unit}"


def shown_rate(rate: int) -> str:
    """Write bytes per second as ``read_rate`` reads them."""
    return f"{shown_size(rate)}/s"


def is_loopback(host: str) -> bool:
    """Tell whether the host is this one, by its address or by the name ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_url(url: str) -> str:
    """Return *url* where it is https, or http to a loopback address, without userinfo, query secrets or blanks."""
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError(f"an address here is {_A_URL}")
    return url


def checked_template(url: str) -> str:
    """Return *url* where it is as ``checked_url`` wants it and fills in nothing but the known words."""
    if unknown := set(_PLACEHOLDER.findall(url)) - _IN_URL:
        raise ValueError(f"{{{min(unknown)}}} is not filled in here; known are {_listed(_IN_URL)}")
    return checked_url(url)


def checked_mirror(url: str) -> str:
    """Return *url* where it is as ``checked_url`` wants it and fills in nothing but the build's digest.

    One that begins with ``proxy+`` names a forward proxy instead, as ``checked_proxy`` wants it.
    """
    if url.startswith("proxy+"):
        checked_proxy(url.removeprefix("proxy+"))
        return url
    if unknown := set(_PLACEHOLDER.findall(url)) - {"sha256"}:
        raise ValueError(f"{{{min(unknown)}}} is not filled in here; known is {{sha256}}")
    return checked_url(url)


def checked_proxy(url: str) -> str:
    """Return *url* where it names a proxy by http or https; a proxy may be spoken to in the clear."""
    if _split(url).scheme not in {"http", "https"}:
        raise ValueError('a proxy is http://HOST:PORT or https://HOST:PORT, such as "http://proxy.example:3128"')
    return url


def checked_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return *command* where it has a program and fills in nothing but the known words."""
    if not command or not command[0]:
        raise ValueError('a command is a list of a program and its arguments, such as ["{current}/bin/acme", "health"]')
    for word in command:
        if unknown := set(_PLACEHOLDER.findall(word)) - _IN_COMMAND:
            raise ValueError(f"{{{min(unknown)}}} is not filled in here; known are {_listed(_IN_COMMAND)}")
    return command


def checked_path(path: Path) -> Path:
    """Return *path* where it is absolute: a service has no directory of its own to start from."""
    if not path.is_absolute():
        raise ValueError("a path here is absolute, such as /etc/pawld/acme.token")
    return path


def _split(url: str) -> Any:
    if re.search(r"[\x00-\x20\x7f]", url):
        raise ValueError("an address holds no blanks or control characters")
    parts = urlsplit(url)
    if not parts.hostname or parts.port == 0:
        raise ValueError(f"an address here is {_A_URL}")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name or password; give them by their own keys")
    return parts


def _listed(words: frozenset[str]) -> str:
    return ", ".join(f"{{{word}}}" for word in sorted(words))
