"""Addresses that a vendor's answer names: whether bytes may be fetched from there."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from pawld.errors import OperatorError, RejectedError
from pawld.reasons import Reason
from pawld.system.http import checked_url, shown
from pawld.system.http.reach import Reach
from pawld.system.http.urls import MAX_URL, is_loopback


def origin(url: str) -> str:
    """Return scheme, host and port of *url*, to compare them."""
    parts = urlsplit(url)
    implied = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(implied)}".lower()


def joined(base: str, url: str) -> str:
    """Return *url* as it is meant beside *base*; what cannot be read is handed on for ``named_place`` to refuse."""
    if len(url) > MAX_URL or not url.isprintable():  # it takes many times the length; it drops line ends silently
        return url
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def named_place(url: str, vendor: str, base_url: str, hosts: Sequence[str] = ()) -> str:
    """Return *url* where *vendor*, asked at *base_url*, may name it as the place of a build.

    ``RejectedError`` (redirect_refused) where it is not https, leads into this host's own network although the vendor
    is elsewhere, or is at none of *hosts* where there are any: an answer may not lead where a redirect may not.
    """
    try:
        checked_url(url, f"The address that {vendor} names")
    except OperatorError as error:
        raise RejectedError(Reason.REDIRECT_REFUSED, error.message) from error
    host = urlsplit(url).hostname or ""
    if origin(url) == origin(base_url):
        return url
    if _inward(host) and not _inward(urlsplit(base_url).hostname or ""):
        raise RejectedError(Reason.REDIRECT_REFUSED, f"{vendor} names an address of this host's own network: {host}.")
    if hosts and not {host, urlsplit(url).netloc.lower()} & {one.lower() for one in hosts}:
        raise RejectedError(
            Reason.REDIRECT_REFUSED,
            f"{vendor} names {shown(url)}, whose host is not one of the final hosts ({', '.join(hosts)}).",
        )
    return url


def _inward(host: str) -> bool:
    """A host that is this one by its name, or an address that no redirect may lead to."""
    if is_loopback(host):
        return True
    try:
        return not Reach.NEAR.allows(ipaddress.ip_address(host))
    except ValueError:
        return False
