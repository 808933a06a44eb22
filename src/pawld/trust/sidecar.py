"""A small signed document and its signatures, fetched and proven: what both sidecar modes share.

With a threshold above one, each key's signature lies beside the document as ``NAME.<key id>.minisig``.
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote, urlsplit, urlunsplit

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.model import Location, NoBuild, Question
from pawld.reasons import Reason
from pawld.system.http import Web, checked_url, shown
from pawld.trust.engine import RoleMark
from pawld.trust.signatures import MAX_SIGNATURE, Keyring, KeySource
from pawld.values import dataclass

DEADLINE = timedelta(minutes=1)  # for each of the small files
_FIELDS = dict.fromkeys(("version", "channel", "os", "arch", "platform", "filename"), "x")


@dataclass(frozen=True, slots=True)
class Proven:
    """A document whose signatures held.

    Attributes:
        comment: the trusted comment, the same in every signature.
        roles: versions of the metadata that named the keys, to hold against the marks.
    """

    data: bytes
    comment: str
    url: str
    roles: tuple[RoleMark, ...] = ()


class Sidecar:
    """Where the document and its signatures lie, and who must have signed.

    Args:
        url: template of the document's address.
        signature_url: template of its signature's; the document's with ``.minisig`` where there is none.
        keys: who names the keys and the threshold.
        limit: the longest that the document may be, in bytes.
    """

    def __init__(self, url: str, signature_url: str | None, keys: KeySource, limit: int, web: Web) -> None:
        self._url = checked_url(url, "the document's URL")
        self._signature_url = checked_url(signature_url or _suffixed(url, ".minisig"), "signature_url")
        filled(self._url, _FIELDS)
        filled(self._signature_url, _FIELDS)
        self._keys = keys
        self._limit = limit
        self._web = web

    def fetch(self, question: Question) -> Proven | NoBuild:
        """Fetch and prove; ``NoBuild`` where the server has no such document.

        Raises:
            RejectedError: signature_invalid, threshold_not_met.
            TransientError, OperatorError: what network and server do.
        """
        fields = _fields(question)
        url = filled(self._url, fields)
        data = self._get(url, self._limit)
        if data is None:
            return NoBuild(f"{shown(url)} is not there: nothing is signed for {question.platform} under that name.")
        signature_url = filled(self._signature_url, fields)
        named = self._keys.keys(question)
        proven_by = self._proven_by_one if named.keyring.threshold == 1 else self._proven_by_many
        return Proven(data, proven_by(named.keyring, data, url, signature_url), url, named.roles)

    def _proven_by_one(self, keyring: Keyring, data: bytes, url: str, signature_url: str) -> str:
        sidecar = self._get(signature_url, MAX_SIGNATURE)
        if sidecar is None:
            raise RejectedError(Reason.SIGNATURE_INVALID, f"{shown(url)} has no signature at {shown(signature_url)}.")
        return keyring.verify(data, sidecar, shown(url))[1]

    def _proven_by_many(self, keyring: Keyring, data: bytes, url: str, signature_url: str) -> str:
        """Ask for each key's own sidecar; one that is missing or bad counts for nothing, one that differs refuses."""
        comments: dict[str, str] = {}
        for key_id in keyring.key_ids:
            sidecar = self._get(_of_key(signature_url, key_id), MAX_SIGNATURE)
            try:
                signer, comment = keyring.verify(data, sidecar, shown(url)) if sidecar else ("", "")
            except RejectedError:
                continue
            if signer == key_id:
                comments[signer] = comment
        if len(comments) < keyring.threshold:
            raise RejectedError(
                Reason.THRESHOLD_NOT_MET,
                f"{shown(url)} is signed by {len(comments)} of the pinned keys; {keyring.threshold} must have.",
            )
        if len(set(comments.values())) != 1:
            raise RejectedError(Reason.SIGNATURE_INVALID, f"The signers of {shown(url)} do not say the same of it.")
        return next(iter(comments.values()))

    def _get(self, url: str, limit: int) -> bytes | None:
        with self._web.get(Location(url), deadline=DEADLINE) as answer:
            if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                return None
            if answer.status != HTTPStatus.OK:
                raise _not_fetched(url, answer.status)
            data = bytearray()
            for block in answer.blocks():
                data += block
                if len(data) > limit:
                    raise RejectedError(
                        Reason.METADATA_UNTRUSTED, f"{shown(url)} is longer than the {limit} bytes that it may have."
                    )
        return bytes(data)


def filled(template: str, fields: Mapping[str, str]) -> str:
    """Fill a template of an address; ``OperatorError`` (config_invalid) where it names what is not known."""
    try:
        return template.format_map(fields)
    except KeyError as error:
        if error.args[0] in _FIELDS:
            raise OperatorError(
                Reason.CONFIG_INVALID,
                f"{template!r} needs the {error.args[0]}, which neither a pin nor the source tells.",
            ) from error
        raise OperatorError(
            Reason.CONFIG_INVALID, f"{template!r} has a field that is not known; there are: {', '.join(_FIELDS)}."
        ) from error
    except (IndexError, ValueError, AttributeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{template!r} is no template: {error}.") from error


def fields_of(question: Question) -> dict[str, str]:
    """What a template may name, as it is; a version or a file name only where the question has one."""
    given = {"version": question.version, "filename": question.filename}
    return {
        "channel": question.channel,
        "os": question.platform.os,
        "arch": question.platform.arch,
        "platform": question.platform.name,
    } | {name: value for name, value in given.items() if value is not None}


def _fields(question: Question) -> dict[str, str]:
    """Quoted, for a version and a file name come from sources, and a path must not grow a part by them."""
    return {name: quote(value, safe="") for name, value in fields_of(question).items()}


def _suffixed(url: str, suffix: str) -> str:
    """Append to the path, and leave a query where it is."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path + suffix))


def _of_key(signature_url: str, key_id: str) -> str:
    parts = urlsplit(signature_url)
    return urlunsplit(parts._replace(path=f"{parts.path.removesuffix('.minisig')}.{key_id}.minisig"))


def _not_fetched(url: str, status: int) -> TransientError | OperatorError:
    sentence = f"{shown(url)} answered {status}."
    if status == HTTPStatus.UNAUTHORIZED:
        return OperatorError(Reason.UNAUTHORIZED, sentence)
    if status == HTTPStatus.FORBIDDEN:
        return OperatorError(Reason.FORBIDDEN, sentence)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientError(Reason.RATE_LIMITED, sentence)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(Reason.SERVER_ERROR, sentence)
    return TransientError(Reason.ANSWER_NOT_UNDERSTOOD, sentence)
