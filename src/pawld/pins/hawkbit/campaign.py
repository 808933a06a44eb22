"""One agent's talk with the campaign server: polls in its time, answers cancels, and reports how an action goes.

The server's own state is the durable one: an action that was not closed is offered again at the next poll, and what
became of it is told then. Only an answer that could not be sent is kept here, and sent before anything else.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path

from pawld.errors import OperatorError, PawldError
from pawld.model import Slot
from pawld.pins.hawkbit.memory import Action, Memory, Unsent, action_of, read_memory, write_memory
from pawld.pins.hawkbit.outcome import finished_by
from pawld.reasons import Reason
from pawld.values import dataclass
from pawld.vendors.hawkbit import VENDOR, Base, Chunk, Ddi, Deployment, Execution, Feedback, Finished

_log = logging.getLogger("pawld.pins")
Now = Callable[[], datetime]
_LONGEST_NAME = 200  # characters of what a server calls its modules


@dataclass(frozen=True, slots=True)
class Identity:
    """What the server is told of this host.

    Attributes:
        product: the name that a chunk has where a deployment has several.
        attributes: platform and whatever the configuration adds.
    """

    product: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Campaign:
    """Safe to use from the cycle's thread and from the courier's.

    Args:
        speaks: False where nothing may be told or kept, as ``pawld check`` must not.
    """

    def __init__(
        self,
        ddi: Ddi,
        identity: Identity,
        path: Path,
        now: Now,
        installed: Callable[[], Slot | None],
        *,
        speaks: bool = True,
    ) -> None:
        self._ddi = ddi
        self._identity = identity
        self._path = path
        self._now = now
        self._installed = installed
        self._speaks = speaks
        self._lock = threading.Lock()
        self._memory = read_memory(path)

    @property
    def action(self) -> Action | None:
        """The open action, as it was last seen."""
        action = self._memory.action
        return None if action is None or action.closed else action

    @property
    def poll_at(self) -> datetime | None:
        """Not before then does the server want to be asked again."""
        return self._memory.poll_at

    @property
    def unconfirmed(self) -> str | None:
        """The deployment that a person must confirm at the server before there is an action."""
        return self._memory.unconfirmed

    def refresh(self) -> Action | None:
        """Ask the server where it is time, else go by what it said; return the open action."""
        due = self._memory.poll_at
        if self._memory.unsent or due is None or not self._now() < due <= self._now() + timedelta(days=8):
            self.ask()
        return self.action

    def ask(self) -> Action | None:
        """Ask the server now, whatever it said of when."""
        with self._lock:
            self._send_unsent()
            base = self._ddi.poll()
            if self._speaks:
                self._answer(base)
            offered = self._offered(base)
            before = self._memory.action
            if offered is not None and before is not None and before.id == offered.id:
                offered = replace(offered, told=before.told, closed=before.closed and bool(self._memory.unsent))
            waits = None if offered is not None else self._unconfirmed(base)
            self._keep(replace(self._memory, poll_at=self._now() + base.sleep, action=offered, unconfirmed=waits))
        return self.action

    def proceed(self, line: str, code: int = 0) -> None:
        """Tell of a step; one that could not be told is not told later. ``PawldError`` for the courier to log."""
        with self._lock:
            action = self.action
            if action is not None and self._speaks:
                self._ddi.feedback(action.path, Feedback(Execution.PROCEEDING, Finished.NONE, code, (line,)))

    def conclude(self, reason: Reason, message: str) -> None:
        """Tell how a cycle ended: closed, if that was the end of the action; one that cannot be told is told later."""
        with self._lock:
            action = self.action
            if action is None or not self._speaks:
                return
            line = f"{reason.code}: {message}"
            finished = finished_by(reason, arrived=self._version() == action.version)
            if finished is not Finished.NONE:
                self._tell(action, Feedback(Execution.CLOSED, finished, int(reason.exit), (line,)))
            elif line != action.told:  # the server takes a limited number of answers to one action
                self._tell(action, Feedback(Execution.PROCEEDING, finished, int(reason.exit), (line,)))

    def _tell(self, action: Action, given: Feedback) -> None:
        closed = given.execution is Execution.CLOSED
        memory = replace(self._memory, action=replace(action, closed=closed, told=given.details[0]))
        if given.finished is Finished.SUCCESS:
            memory = replace(memory, installed=action.version)
        try:
            self._ddi.feedback(action.path, given)
        except PawldError as error:
            _log.warning("The campaign server is told later: %s", error.message)
            memory = memory.with_unsent(Unsent.of(action.path, given)) if closed else memory
        self._keep(memory)

    def _send_unsent(self) -> None:
        while self._speaks and self._memory.unsent:
            first, *others = self._memory.unsent
            self._ddi.feedback(first.path, first.feedback())
            self._keep(replace(self._memory, unsent=tuple(others)))

    def _answer(self, base: Base) -> None:
        """Give the server what its poll asked for: what this host is, and the answer to a cancel."""
        if "configData" in base.links:
            self._ddi.describe(base.links["configData"], self._described())
        if "cancelAction" in base.links:
            self._cancel(base.links["cancelAction"])
        self._tell_installed(base)

    def _cancel(self, path: str) -> None:
        """A cycle begins here, so nothing is under way that could not be left: every cancel is granted."""
        cancel = self._ddi.cancel(path)
        if cancel is not None:
            told = f"Action {cancel.stop_id} is cancelled; nothing of it is under way."
            self._ddi.feedback(cancel.path, Feedback(Execution.CLOSED, Finished.SUCCESS, 0, (told,)))

    def _tell_installed(self, base: Base) -> None:
        """Tell of a version that came without an action: by hand, by a rollback, or before there was a campaign."""
        version = self._version()
        if version is None or version == self._memory.installed or "deploymentBase" in base.links:
            return
        try:
            self._ddi.installed(self._identity.product, version)
        except PawldError as error:
            _log.debug("The campaign server was not told of %s: %s", version, error.message)
        self._keep(replace(self._memory, installed=version))

    def _offered(self, base: Base) -> Action | None:
        path = base.links.get("deploymentBase")
        if path is None or "cancelAction" in base.links:
            return None
        deployment = self._ddi.deployment(path)
        if deployment is None:
            return None
        try:
            return action_of(deployment, self._chunk(deployment).version)
        except OperatorError as error:
            if self._speaks:
                lines = (f"{error.reason.code}: {error.message}",)
                self._ddi.feedback(path, Feedback(Execution.CLOSED, Finished.FAILURE, int(error.reason.exit), lines))
            raise

    def _unconfirmed(self, base: Base) -> str | None:
        """Name what waits for consent. Nothing is answered: it is not this host's to give."""
        path = base.links.get("confirmationBase")
        deployment = self._ddi.unconfirmed(path) if path is not None else None
        if deployment is None:
            return None
        modules = ", ".join(f"{one.name} {one.version}".strip() for one in deployment.chunks)
        return f"{deployment.id} ({modules[:_LONGEST_NAME]})"

    def _chunk(self, deployment: Deployment) -> Chunk:
        """The only chunk, or the one that is named like the product."""
        chunks: Sequence[Chunk] = deployment.chunks
        if len(chunks) > 1:
            chunks = [one for one in chunks if one.name == self._identity.product]
        if len(chunks) == 1:
            return chunks[0]
        raise OperatorError(
            Reason.PIN_AMBIGUOUS,
            f"{VENDOR} deployment {deployment.id} has {len(deployment.chunks)} modules, of which not exactly one is "
            f"called {self._identity.product}.",
        )

    def _described(self) -> dict[str, str]:
        version = self._version()
        told = {"version": version, "sw_version": version} if version else {}
        return {**told, **self._identity.attributes}

    def _version(self) -> str | None:
        slot = self._installed()
        return slot.version if slot is not None else None

    def _keep(self, memory: Memory) -> None:
        if self._speaks and memory != self._memory:
            write_memory(self._path, memory)
        self._memory = memory
