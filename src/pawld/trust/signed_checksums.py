"""``SHA256SUMS`` and its minisign sidecar, bound by the trusted comment to product, version, channel, serial, expiry.

The checksum file says nothing of platforms: that is bound by the file name, which either the configuration fills in or
must speak of this platform itself. It says nothing of lengths either: only a cap is known.
"""

import re

from pawld.errors import OperatorError, RejectedError
from pawld.formats.checksums import MAX_CHECKSUMS, read_checksums
from pawld.formats.record import format_of
from pawld.formats.trusted_comment import TrustedComment, read_trusted_comment
from pawld.model import NoBuild, Platform, Question, Record
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.engine import Statement, sequence_path
from pawld.trust.pinned import MAX_LENGTH
from pawld.trust.sidecar import Proven, Sidecar, fields_of, filled
from pawld.trust.signatures import KeySource

_WORDS = re.compile(r"[^a-z0-9]+")
_OS = {
    "linux": {"linux", "gnu", "musl"},
    "macos": {"macos", "darwin", "osx", "mac", "apple"},
    "windows": {"windows", "win", "win64", "win32"},
}
_ARCH = {
    "x86_64": {"x86_64", "amd64", "x64", "win64"},
    "arm64": {"arm64", "aarch64"},
    "x86": {"x86", "i386", "i686", "win32"},
    "armv7": {"armv7", "armv7l", "armhf"},
}


class SignedChecksumsEngine:
    """Record from a signed checksum file.

    Args:
        checksums_url: with ``{version} {channel} {os} {arch} {platform} {filename}``.
        keys: who names the keys that must have signed.
        signature_url: default: the same with ``.minisig``.
        filename: template of the build's file name; None takes what the source names, if it fits this platform.
        max_length: the most that a build may have, in bytes.
    """

    name = "signed_checksums"

    def __init__(
        self,
        checksums_url: str,
        keys: KeySource,
        *,
        web: Web,
        signature_url: str | None = None,
        filename: str | None = None,
        max_length: int = MAX_LENGTH,
    ) -> None:
        self._sidecar = Sidecar(checksums_url, signature_url, keys, MAX_CHECKSUMS, web)
        self._filename = filename
        self._max_length = max_length

    def state(self, question: Question) -> Statement:
        """Fetch, prove, and only then parse."""
        proven = self._sidecar.fetch(question)
        if isinstance(proven, NoBuild):
            return Statement(proven, sequence_path(question))
        return Statement(self._record(question, proven), sequence_path(question), proven.roles)

    def _record(self, question: Question, proven: Proven) -> Record | NoBuild:
        comment = read_trusted_comment(proven.comment)
        digests = read_checksums(proven.data)
        filename = self._name(question, comment)
        if filename not in digests:
            return NoBuild(f"The signed checksums of {comment.product} {comment.version} do not list {filename}.")
        return Record(
            product=comment.product,
            channel=comment.channel,
            platform=question.platform,
            version=comment.version,
            sequence=comment.serial,
            length=self._max_length,
            sha256=digests[filename],
            filename=filename,
            format=format_of(filename),
            expires=comment.expires,
            length_signed=False,
        )

    def _name(self, question: Question, comment: TrustedComment) -> str:
        if self._filename is not None:
            return filled(self._filename, fields_of(question) | {"version": comment.version})
        if question.filename is None:
            raise OperatorError(
                Reason.CONFIG_INVALID,
                "The source names no file, so trust.filename must say which line is meant; for example "
                'filename = "acme-agent-{version}-{os}-{arch}.tar.gz".',
            )
        check_platform(question.filename, question.platform)
        return question.filename


def check_platform(filename: str, platform: Platform) -> None:
    """Raise ``RejectedError`` (record_mismatch) unless *filename* speaks of *platform*, and of no other libc."""
    name = filename.lower().replace("x86-64", "x86_64")
    words = {word for word in _WORDS.split(name.replace("x86_64", "amd64")) if word}
    musl = "musl" in words
    fits = (
        words & _OS.get(platform.os, {platform.os})
        and words & _ARCH.get(platform.arch, {platform.arch})
        and musl == (platform.libc == "musl")
    )
    if not fits:
        raise RejectedError(
            Reason.RECORD_MISMATCH,
            f"The source names the file {filename!r}, which does not say that it is for {platform}.",
        )
