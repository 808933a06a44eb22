"""minisign, wrapped: prehashed signatures alone, by pinned keys, m of n, and small.

The mathematics is py-minisign's and OpenSSL's. What is added: the legacy form is refused (it must hold the file in
memory), keys are counted once each, and every foreign error becomes a reason.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import BinaryIO, Protocol

from minisign import Error, PublicKey, Signature, VerifyError

from pawld.errors import OperatorError, RejectedError
from pawld.model import Question
from pawld.reasons import Reason
from pawld.trust.engine import RoleMark
from pawld.values import dataclass

MAX_SIGNATURE = 16 * 1024  # bytes


class KeySource(Protocol):
    """Who names a vendor's keys: the configuration, which pins them, or a TUF repository."""

    def keys(self, question: Question) -> "KeysInForce":
        """Return those for one look; ``RejectedError`` or ``TransientError`` where they are not proven and fresh."""


class Keyring:
    """Pinned minisign public keys.

    Args:
        public_keys: base64 lines that begin with ``RW``.
        threshold: how many different keys must have signed.

    ``OperatorError`` (config_invalid) where a key is none, twice there, or fewer than the threshold.
    """

    def __init__(self, public_keys: Sequence[str], threshold: int = 1) -> None:
        self._keys: dict[str, PublicKey] = {}
        for text in public_keys:
            key = _public_key(text)
            if self._keys.setdefault(_key_id(key), key) is not key:
                raise OperatorError(Reason.CONFIG_INVALID, f"public_keys names key {_key_id(key)} twice.")
        if not 1 <= threshold <= len(self._keys):
            raise OperatorError(
                Reason.CONFIG_INVALID, f"threshold is {threshold}, but there are {len(self._keys)} public_keys."
            )
        self.threshold = threshold

    def keys(self, question: Question) -> "KeysInForce":  # noqa: ARG002 - the port's
        """Return these keys: they were pinned."""
        return KeysInForce(self)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keys' ids as minisign prints them, 16 hexadecimal digits each."""
        return tuple(self._keys)

    def verify(self, data: bytes | BinaryIO, sidecar: bytes, what: str) -> tuple[str, str]:
        """Return the id of the key that signed *data*, and the trusted comment that it signed with it.

        Raises:
            RejectedError: signature_invalid; *what* names the data in the sentence.
        """
        signature = _signature(sidecar, what)
        key_id = _id_of(bytes(signature))
        key = self._keys.get(key_id)
        if key is None:
            raise _refused(f"{what} is signed by key {key_id}, which is not among public_keys")
        try:
            key.verify(data, signature)
        except VerifyError as error:
            raise _refused(f"{what} does not match the signature of key {key_id}") from error
        return key_id, signature.trusted_comment


@dataclass(frozen=True, slots=True)
class KeysInForce:
    """The keys for one look, and the versions of the metadata that named them."""

    keyring: Keyring
    roles: tuple[RoleMark, ...] = ()


def _public_key(text: str) -> PublicKey:
    try:
        return PublicKey.from_base64(text.strip())
    except Error as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"public_keys holds what is no minisign key: {error}.") from error


def _signature(sidecar: bytes, what: str) -> Signature:
    if len(sidecar) > MAX_SIGNATURE:
        raise _refused(f"The signature of {what} is longer than {MAX_SIGNATURE} bytes")
    try:
        signature = Signature.from_bytes(sidecar)
    except Error as error:
        raise _refused(f"The signature of {what} is no minisign signature ({error})") from error
    if not signature.is_prehashed():
        raise _refused(f"The signature of {what} is of minisign's legacy form, which is not accepted")
    return signature


def _key_id(key: PublicKey) -> str:
    return _hex(_decoded(key.to_base64()))


def _id_of(signature: bytes) -> str:
    return _hex(_decoded(signature.split(b"\n")[1]))


def _decoded(line: bytes) -> bytes:
    """Algorithm (2 bytes), key id (8), and the rest: the layout that minisign's manual gives."""
    return b64decode(line)


def _hex(decoded: bytes) -> str:
    """Minisign prints the id as a little-endian number."""
    return decoded[2:10][::-1].hex().upper()


def _refused(why: str) -> RejectedError:
    return RejectedError(Reason.SIGNATURE_INVALID, f"{why}.")
