"""What each reader of foreign bytes promises, as functions over bytes: for atheris, and for hypothesis in the suite.

Anything but an answer or a ``PawldError`` is a finding; and so is an answer that breaks the promise.
"""

import json
from contextlib import suppress
from urllib.parse import urlsplit

from pawld.errors import PawldError
from pawld.formats.checksums import read_checksums, write_checksums
from pawld.formats.record import read_manifest, write_manifest
from pawld.formats.trusted_comment import read_trusted_comment, write_trusted_comment
from pawld.system.http.urls import UrlError, address_of, following, is_loopback, shown

START = "https://vendor.example/agent?token=secret"


def checksums(data: bytes) -> None:
    """A checksum file that is read holds plain names alone, and reads the same when it is written again."""
    with suppress(PawldError):
        found = read_checksums(data)
        assert all("/" not in name and "\\" not in name and name.isascii() for name in found)
        assert read_checksums(write_checksums(found)) == found


def comment(data: bytes) -> None:
    """A trusted comment that is read is the very text that would be written."""
    text = data.decode("utf-8", "replace")
    with suppress(PawldError):
        assert write_trusted_comment(read_trusted_comment(text)) == text


def record(data: bytes) -> None:
    """A manifest is a record that reads the same when it is written again, or a refusal, whatever JSON it is."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(PawldError):
        found = read_manifest(document)
        assert len(found.sha256) == 64
        assert "/" not in found.filename
        assert read_manifest(write_manifest(found)) == found


def redirects(data: bytes) -> None:
    """A Location leads to https, or to http on loopback, without userinfo and control characters; or nowhere."""
    location = data.decode("latin-1")
    shown(location)
    with suppress(UrlError):
        led = following(address_of(START), location)
        parts = urlsplit(led.url)
        assert led.scheme == "https" or is_loopback(led.host)
        assert "@" not in parts.netloc
        assert led.url.isascii()
        assert not any(ord(one) <= 0x20 or ord(one) == 0x7F for one in led.url)
        assert parts.hostname == led.host
        assert address_of(led.url) == led
        assert "secret" not in shown(led.url) or "secret" in led.target.partition("?")[0] or "secret" in led.host
