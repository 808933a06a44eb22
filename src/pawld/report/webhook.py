"""Posts every outcome as JSON to an address of the administrator's."""

import json
from datetime import timedelta
from typing import Protocol

from pawld import __version__
from pawld.errors import TransientError
from pawld.lifecycle.status import event_document
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report.tally import is_outcome
from pawld.system.http import Web, shown

LIMIT = timedelta(seconds=5)  # for one post, its answer included
_ANSWER_LIMIT = 64 * 1024  # bytes that are read of an answer, and thrown away
_GOOD = range(200, 300)


class Token(Protocol):
    """A secret that is read at each use."""

    def read(self) -> str:
        """Return it; ``OperatorError`` where it is missing."""


class Webhook:
    """A ``courier.Sender``: the event as ``history --json`` shows it, with ``host`` and ``updater`` beside."""

    def __init__(self, web: Web, url: str, host_id: str, token: Token | None = None) -> None:
        self._web = web
        self._url = url
        self._host_id = host_id
        self._token = token

    def wants(self, event: Event) -> bool:
        """Outcomes, and no steps on the way."""
        return is_outcome(event)

    def send(self, event: Event) -> None:
        """Post it; any 2xx is an acknowledgement."""
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.read()}"
        document = event_document(event) | {"host": self._host_id, "updater": __version__}
        reply = self._web.call(
            "POST", self._url, headers=headers, body=json.dumps(document).encode(), limit=_ANSWER_LIMIT, deadline=LIMIT
        )
        if reply.status not in _GOOD:
            raise TransientError(Reason.SERVER_ERROR, f"The webhook {shown(self._url)} answered {reply.status}.")
