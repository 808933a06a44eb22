"""The connection pools of one client: one for each reach, and one for what goes through the proxy."""

import ipaddress
import ssl
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpcore

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.http.answers import Headers, stated_length
from pawld.system.http.reach import IpAddress, Reach, resolved
from pawld.system.http.urls import Address, is_loopback
from pawld.system.http.wire import GuardedBackend, Stream

_KEEP_ALIVE = 15.0  # seconds; most servers close an idle connection a little later
_CONNECTIONS = 8  # at a time and pool; more callers wait, as long as their patience lasts
_EMPTY = (204, 304)  # statuses without a body, whatever the head says (RFC 9112, 6.3)


class Pem(str):
    """Certificates in PEM, where there is no file to read them from."""

    __slots__ = ()


class Pools:
    """Opens and keeps connections. Trust in servers comes from the system's store and, beside it, *ca_file*."""

    def __init__(self, proxy: str | None, ca_file: Path | Pem | None) -> None:
        self._proxy = _proxy(proxy, ca_file) if proxy else None
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._pools: dict[tuple[Reach, bool, str], httpcore.ConnectionPool] = {}

    def ask(self, request: httpcore.Request, address: Address, reach: Reach) -> httpcore.Response:
        """Send *request* and return the answer's head; the caller closes it."""
        proxied = self._is_proxied(address)
        if proxied:
            self._judge(address, reach)
        key = (Reach.ANYWHERE if proxied else reach, proxied, address.scheme)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = self._opened(*key)
        response = pool.handle_request(request)
        stream = response.extensions["network_stream"]
        if isinstance(stream, Stream):
            is_empty = request.method == b"HEAD" or response.status in _EMPTY
            stream.expect(0 if is_empty else stated_length(Headers(response.headers)))
        return response

    def peer(self, response: httpcore.Response, address: Address) -> IpAddress | None:
        """Return the address that answered; behind a proxy what the name resolves to here; None where unknown."""
        if self._is_proxied(address):
            return self.address(address)
        found = response.extensions["network_stream"].get_extra_info("server_addr")[0]
        return ipaddress.ip_address(found)

    @staticmethod
    def address(address: Address) -> IpAddress | None:
        """Return what the name resolves to here; None where it does not."""
        try:
            return ipaddress.ip_address(resolved(address.host, address.port, Reach.ANYWHERE)[0])
        except OSError:
            return None

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _is_proxied(self, address: Address) -> bool:
        return self._proxy is not None and not is_loopback(address.host)

    @staticmethod
    def _judge(address: Address, reach: Reach) -> None:
        """Judge before the proxy connects; a name that this host cannot resolve is the proxy's to judge."""
        try:
            resolved(address.host, address.port, reach)
        except OSError:
            return

    def _opened(self, reach: Reach, proxied: bool, scheme: str) -> httpcore.ConnectionPool:  # noqa: FBT001 - a key
        tls = self._context() if scheme == "https" else None
        return httpcore.ConnectionPool(
            ssl_context=tls,
            proxy=self._proxy if proxied else None,
            max_connections=_CONNECTIONS,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=GuardedBackend(reach),
        )

    def _context(self) -> ssl.SSLContext:
        """Make the context when the first https connection needs it: reading the store takes tens of milliseconds."""
        if self._tls is None:
            self._tls = tls_context(self._ca_file)
        return self._tls


def tls_context(ca_file: Path | Pem | None) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and newer; ``OperatorError`` (config_invalid) where *ca_file* cannot be read."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            if isinstance(ca_file, Pem):
                context.load_verify_locations(cadata=ca_file)
            else:
                context.load_verify_locations(ca_file)
        except OSError as error:
            raise OperatorError(
                Reason.CONFIG_INVALID, f"ca_file {ca_file} cannot be read as PEM certificates: {error.strerror}."
            ) from error
    return context


def _proxy(url: str, ca_file: Path | Pem | None) -> httpcore.Proxy:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OperatorError(Reason.CONFIG_INVALID, "proxy is not usable: it cannot be read as a URL.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise OperatorError(Reason.CONFIG_INVALID, "proxy is not usable: it must be http://HOST:PORT or https://….")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    plain = httpcore.URL(scheme=parts.scheme.encode(), host=host.encode(), port=port, target=b"/")
    return httpcore.Proxy(plain, auth=auth, ssl_context=tls_context(ca_file) if parts.scheme == "https" else None)
