"""One digest for each platform, written into the configuration: the operator is the publisher.

There is nothing to fetch and nothing to forge; there is also nothing that expires, and no newer release to be told of.
"""

import re
from collections.abc import Mapping

from pawld.errors import OperatorError, RejectedError
from pawld.formats.record import format_of
from pawld.model import NoBuild, Question, Record
from pawld.reasons import Reason
from pawld.trust.engine import Statement, sequence_path

MAX_LENGTH = 2 * 1024**3  # bytes; where nobody signed a length, no build may be longer
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}", re.ASCII)


class PinnedEngine:
    """Record from the configuration.

    Args:
        sha256: digest by platform name.
        max_length: the most that a build may have, in bytes; its true length is not known before it is there.
        filename: what the build is called, which says its format; None takes the source's word for it.
    """

    name = "pinned_sha256"

    def __init__(self, sha256: Mapping[str, str], *, max_length: int = MAX_LENGTH, filename: str | None = None) -> None:
        for platform, digest in sha256.items():
            if not _SHA256.fullmatch(digest):
                raise OperatorError(
                    Reason.CONFIG_INVALID, f"trust.sha256 for {platform} is not 64 lower-case hexadecimal digits."
                )
        self._sha256 = dict(sha256)
        self._max_length = max_length
        self._filename = filename

    def state(self, question: Question) -> Statement:
        """Look the digest up."""
        return Statement(self._record(question), sequence_path(question))

    def _record(self, question: Question) -> Record | NoBuild:
        digest = self._sha256.get(question.platform.name)
        if digest is None:
            return NoBuild(f"trust.sha256 names no digest for {question.platform}.")
        filename = self._filename or question.filename or question.product
        version = question.version or digest[:12]
        for what, text in (("file name", filename), ("version", version)):
            if not _PLAIN.fullmatch(text):
                raise RejectedError(Reason.RECORD_INVALID, f"The source names a {what} that is not plain: {text!r}.")
        return Record(
            product=question.product,
            channel=question.channel,
            platform=question.platform,
            version=version,
            sequence=0,
            length=self._max_length,
            sha256=digest,
            filename=filename,
            format=format_of(filename),
            length_signed=False,
        )
