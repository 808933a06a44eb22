"""The network's failures in this project's words.

name does not resolve   name_not_resolved      certificate, TLS version   tls_failed
nobody answers          unreachable            too slow to begin          timed_out
goes silent midway      transfer_stalled       ends midway                transfer_cut
not HTTP                answer_not_understood
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason
from pawld.system.http.urls import shown


@contextmanager
def network_errors(url: str) -> Iterator[None]:
    """Translate what fails inside into ``TransientError``; for the time until the answer's head is there."""
    try:
        yield
    except _FOREIGN as error:
        raise _before_answer(error, shown(url)) from error


@contextmanager
def body_errors(url: str) -> Iterator[None]:
    """Translate what fails inside, for the time when the body comes."""
    try:
        yield
    except _FOREIGN as error:
        raise _within_body(error, shown(url)) from error


_FOREIGN = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    OSError,
)


def _before_answer(error: Exception, url: str) -> PawldError:
    match error:
        case httpcore.LocalProtocolError():
            return OperatorError(  # its own text would quote the header, which may be a secret
                Reason.CONFIG_INVALID, f"The request to {url} cannot be sent: a header holds characters it must not."
            )
        case httpcore.RemoteProtocolError():
            return _unreadable(error, url)
        case httpcore.TimeoutException() | TimeoutError():
            return TransientError(Reason.TIMED_OUT, f"{url} did not answer in time.")
        case httpcore.ProxyError():
            return TransientError(Reason.UNREACHABLE, f"The proxy did not let {url} through: {error}.")
        case _:
            return _by_root(error, url) or TransientError(
                Reason.UNREACHABLE, f"{url} cannot be reached: {_words(error)}."
            )


def _within_body(error: Exception, url: str) -> PawldError:
    match error:
        case httpcore.TimeoutException() | TimeoutError():
            return TransientError(Reason.TRANSFER_STALLED, f"The transfer from {url} stalled.")
        case _:
            return TransientError(Reason.TRANSFER_CUT, f"The transfer from {url} was cut: {_words(error)}.")


def _unreadable(error: Exception, url: str) -> PawldError:
    if "disconnected" in str(error):
        return TransientError(Reason.UNREACHABLE, f"{url} closed the connection without an answer.")
    return TransientError(Reason.ANSWER_NOT_UNDERSTOOD, f"{url} does not answer in HTTP as it should.")


def _by_root(error: BaseException, url: str) -> PawldError | None:
    """The library wraps what the system said; the cause tells more."""
    match _root(error):
        case ssl.SSLCertVerificationError() as root:
            return TransientError(
                Reason.TLS_FAILED, f"The certificate of {url} is not accepted: {root.verify_message}."
            )
        case ssl.SSLError() as root:
            why = (root.reason or "the handshake failed").replace("_", " ").lower()
            return TransientError(Reason.TLS_FAILED, f"No TLS connection to {url}: {why}.")
        case socket.gaierror():
            return TransientError(Reason.NAME_NOT_RESOLVED, f"The host name in {url} cannot be resolved.")
        case _:
            return None


def _root(error: BaseException) -> BaseException:
    """Httpcore puts what the system raised into its own error's arguments; its pool cuts the chain of causes."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    return error


def _words(error: BaseException) -> str:
    root = _root(error)
    text = root.strerror if isinstance(root, OSError) and root.strerror else str(root)
    return (text or type(root).__name__).rstrip(".")
