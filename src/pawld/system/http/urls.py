"""What a URL may look like here, and how it is shown to people. Pure: nothing is resolved."""

import ipaddress
import re
from urllib.parse import quote, urljoin, urlsplit

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.words import printable
from pawld.values import dataclass

MAX_URL = 8192  # characters; signed URLs of object stores stay below 3,000
_LONGEST_SHOWN = 512  # characters
_PORTS = {"http": 80, "https": 443}
_MAX_HOST = 253  # characters, and 63 of a label (RFC 1035, 2.3.4); of another, Python raises what is no network error
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)
_KEPT = "!#$%&'()*+,/:;=?@[]~"  # what RFC 3986 lets stand, and an escape that is there already


class UrlError(ValueError):
    """The URL is not one that is fetched here; the text is a phrase that says why, without the URL."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that may be fetched, in its parts.

    Attributes:
        host: a name or an address without brackets, in lower case.
        target: path and query, as the request line has them.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a credential belongs to."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The whole of it."""
        return self.origin + self.target


def shown(url: str) -> str:
    """Return *url* as scheme, host and path; query, fragment and userinfo may be secrets and are left out."""
    try:
        parts = urlsplit(url[:MAX_URL])
        path, host = parts.path, parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(not a URL)"
    text = f"{parts.scheme}://{host}{path}" if parts.scheme else host + path
    return printable(text, _LONGEST_SHOWN)


def checked_url(url: str, what: str) -> str:
    """Return *url*; ``OperatorError`` (config_invalid) naming *what* where it is not https or http on loopback."""
    try:
        address_of(url)
    except UrlError as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{what} is not usable: {error} ({shown(url)}).") from error
    return url


def address_of(url: str) -> Address:
    """Take *url* apart; ``UrlError`` unless it is https, or http on loopback, with nothing hidden in it."""
    if len(url) > MAX_URL:
        raise UrlError(f"it is longer than {MAX_URL} characters")
    if any(ord(one) <= 0x20 or 0x7F <= ord(one) < 0xA0 for one in url) or "\\" in url:  # noqa: PLR2004 - controls
        raise UrlError("it holds control characters, spaces or backslashes")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise UrlError("it cannot be read as a URL") from error
    if parts.scheme not in _PORTS:
        raise UrlError("it is neither https nor http on a loopback address")
    if "@" in parts.netloc:
        raise UrlError("it carries a user name or password")
    _check_host(host)
    if parts.scheme == "http" and not is_loopback(host):
        raise UrlError("it is plain http, and its host is not a loopback address")
    target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], target)


def following(address: Address, location: str | None) -> Address:
    """Return where *location* leads from *address*; ``UrlError`` as above, and where a redirect names no place."""
    if not location:
        raise UrlError("it names no Location")
    if len(location) > MAX_URL:  # before it is joined, which takes many times its length
        raise UrlError(f"it is longer than {MAX_URL} characters")
    try:
        joined = location if _has_control(location) else urljoin(address.url, location)
    except ValueError as error:
        raise UrlError("it cannot be read as a URL") from error
    return address_of(joined)


def is_loopback(host: str) -> bool:
    """Say whether *host* is this host by its very name: ``localhost``, ``127.0.0.0/8`` or ``::1``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _has_control(text: str) -> bool:
    """``urljoin`` drops tabs and line ends silently, so they are looked for before it."""
    return any(ord(one) < 0x20 for one in text)  # noqa: PLR2004 - the C0 controls


def _check_host(host: str) -> None:
    if not host:
        raise UrlError("it names no host")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise UrlError("its host is not an IPv6 address") from error
        if "%" in host:
            raise UrlError("its host names a network interface")
    elif len(host) > _MAX_HOST or not _HOST.fullmatch(host):
        raise UrlError("its host name holds characters that no host name has (write it in its xn-- form)")
