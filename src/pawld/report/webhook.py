"""Posts every outcome as JSON to an address of the administrator's."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from pawld.report.acknowledgement import check_taken
from pawld.report.letter import Letter
from pawld.system.http import Web

LIMIT = timedelta(seconds=5)  # for one post, its answer included


class Token(Protocol):
    """A secret that is read at each use."""

    def read(self) -> str:
        """Return it; ``OperatorError`` where it is missing."""


class Webhook:
    """An ``outbox.Receiver``: the letter's document, and in ``lost`` how many before it never arrived."""

    def __init__(self, web: Web, url: str, now: Callable[[], datetime], token: Token | None = None) -> None:
        self._web = web
        self._url = url
        self._now = now
        self._token = token

    def send(self, letter: Letter) -> None:
        """Post it; any 2xx is an acknowledgement, whatever is said with it.

        ``Idempotency-Key`` is the same for a letter that comes twice.
        """
        document = {**letter.document, "lost": letter.lost}
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(document["id"])}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.read()}"
        reply = self._web.tell(self._url, json.dumps(document).encode(), headers=headers, deadline=LIMIT)
        check_taken(reply, "webhook", self._now())
