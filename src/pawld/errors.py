"""Every failure, grouped by what to do next.

    PawldError
    ├── TransientError   try later: the network, a busy host, a full disk
    ├── RejectedError    never install this build: it is not proven, or not fit
    └── OperatorError    a person is needed: configuration, credentials, privileges

The reason carries the exit code and the next step; the message carries the facts. A message never holds a secret or
the query of a URL.
"""

from datetime import timedelta

from pawld.reasons import Reason


class PawldError(Exception):
    """Something failed, for *reason*; *message* is a whole sentence that a stranger understands.

    Attributes:
        reason: the stable code, with exit code and next step.
        retry_after: what the other side asked for, if it did.
    """

    def __init__(self, reason: Reason, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason.code}: {self.message})"


class TransientError(PawldError):
    """Try later; nothing is wrong with the build."""


class RejectedError(PawldError):
    """This build, or what speaks for it, is refused."""


class OperatorError(PawldError):
    """A person has to change something before it can work; it is not retried in a loop."""
