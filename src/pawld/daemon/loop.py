"""The daemon's one thread that decides. It sleeps on its inbox, and deals with each message at once."""

import logging
import os
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import assert_never

from pawld import __version__
from pawld.daemon.child import Child, Ending, told
from pawld.daemon.kept import Kept, keep
from pawld.daemon.messages import Asked, Due, Ended, Message, Order
from pawld.daemon.outlook import Outlook
from pawld.daemon.pulse import Pulse
from pawld.daemon.timer import Timer
from pawld.daemon.work import Document, Request, Verb, Work
from pawld.errors import OperatorError, PawldError
from pawld.ports import Clock
from pawld.reasons import Exit, Reason
from pawld.system.host_id import host_id
from pawld.system.local_line import Caller
from pawld.system.notify import ServiceManager
from pawld.system.own_command import can_detach

_LATE = timedelta(minutes=5)  # by which the timer may be late before it counts as stuck
_AT_WORK = (Reason.UPDATER_BUSY.code, Reason.IN_PROGRESS.code)
_JUDGED_WITHIN = timedelta(minutes=2)
_log = logging.getLogger("pawld")


class Daemon:
    """One host's daemon, for the agents of *kept* (only those *named*, where some are)."""

    def __init__(
        self, path: Path | None, kept: Kept, named: Sequence[str], clock: Clock, notifier: ServiceManager
    ) -> None:
        self.inbox: SimpleQueue[Message] = SimpleQueue()
        self._path = path
        self._named = named
        self._clock = clock
        self._notifier = notifier
        self._timer = Timer(lambda agent: self.inbox.put(Due(agent)))
        self._pulse = Pulse.of(clock, notifier.watchdog)
        self._queue: deque[Work] = deque()
        self._at: Work | None = None
        self._child: Child | None = None
        self._requests: list[Request] = []
        self._good: dict[str, str] = {}
        self._started = clock.now()
        self._status = ""
        self._complaint = ""
        self._over = False
        self._adopt(kept)

    def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        self._timer.start()
        self._notifier.ready("settling what was interrupted")
        self._queue.extend([Work(Verb.RECOVER), Work(Verb.STATUS)])
        self._go_on()
        while not (self._over and self._child is None):
            try:
                message = self.inbox.get(timeout=self._pulse.wait)
            except Empty:
                self._beat()
            else:
                self._deal_with(message)
        self._timer.stop()
        return int(Exit.DONE)

    def _deal_with(self, message: Message) -> None:
        match message:
            case Due():
                self._add(Work(Verb.CYCLE, message.agent))
            case Ended():
                self._finish(message.ending)
            case Asked():
                self._hear(message.caller)
            case Order.STOP:
                self._stop()
            case Order.RELOAD:
                self._notifier.reloading()
                self._add(Work(Verb.JUDGE))
            case _:
                assert_never(message)
        self._go_on()
        self._tell()

    def _adopt(self, kept: Kept) -> None:
        """Go by this configuration from here on."""
        known = {one.name: one for one in kept.outline.agents}
        if unknown := set(self._named) - known.keys():
            raise OperatorError(Reason.USAGE, f"There is no agent {min(unknown)!r} in the configuration.")
        self._kept = kept
        self._agents = {name: one for name, one in known.items() if not self._named or name in self._named}
        outline = kept.outline
        self._outlook = Outlook(outline.check_every, outline.host_id or host_id(outline.state_dir))

    def _add(self, work: Work) -> None:
        """Queue the work, unless the same is queued already."""
        if not self._over and work not in self._queue:
            self._queue.append(work)

    def _go_on(self) -> None:
        """Begin the next piece of work where none is under way."""
        while self._child is None and self._queue and not self._over:
            work = self._queue.popleft()
            if work.stops_us(self._agents.get(work.agent)) and not can_detach():
                self._settle(work, self._not_from_within(work.agent))
                continue
            judging = work.verb is Verb.JUDGE
            config = self._path if judging else self._kept.file
            words = work.words(str(config) if config else None, self._agents.get(work.agent))
            limit = _JUDGED_WITHIN if judging else self._kept.outline.longest_cycle
            leash = work.leash(self._agents.get(work.agent))
            try:
                self._child = Child(words, lambda ending: self.inbox.put(Ended(ending)), limit=limit, leash=leash)
            except OSError as error:
                self._settle(work, Ending(1, None, f"{words[0]} could not be started: {error.strerror}"))
            else:
                self._at = work

    def _not_from_within(self, agent: str) -> Ending:
        """Return what stands for a cycle of pawld's own that would end with the service that it has to stop."""
        reason = _refusal(
            Reason.USAGE,
            "pawld cannot replace itself from within its own service here, as nothing starts what outlives that; "
            f"run `pawld update {agent} --direct`.",
        )
        _log.warning("%s", reason["reason"]["message"])
        document = {"name": agent, "last_check": self._clock.now().isoformat(), **reason}
        return Ending(int(Exit.USAGE), {"agents": [document]})

    def _finish(self, ending: Ending) -> None:
        """Take the outcome of the work under way."""
        work, self._at, self._child = self._at, None, None
        if work is not None:
            self._settle(work, ending)

    def _settle(self, work: Work, ending: Ending) -> None:
        if work.verb is Verb.JUDGE:
            self._reload(ending)
            return
        documents = {one["name"]: one for one in (ending.document or {}).get("agents", ())}
        for agent in [work.agent] if work.agent else list(self._agents):
            document = documents.get(agent) or _instead(agent, work, ending)
            if agent in self._agents:
                self._note(agent, work, document)
            self._requests = [one for one in self._requests if not one.take(agent, work.verb, document)]

    def _note(self, agent: str, work: Work, document: Document) -> None:
        """Learn when to look next, and whether trust was refreshed since this daemon started."""
        refreshed = document.get("last_good_refresh")
        if refreshed and datetime.fromisoformat(refreshed) >= self._started:
            self._good[agent] = refreshed
        code = document["reason"]["code"]
        if code in _AT_WORK and agent not in self._good and work.verb is not Verb.CHECK:
            # Another pawld is at work, perhaps to watch how this one does: show it.
            self._add(Work(Verb.CHECK, agent))
        if work.verb is Verb.RECOVER:
            return
        now, crashed = self._clock.now(), code == Reason.UNEXPECTED.code
        self._timer.wake(
            agent, self._outlook.after_crash(agent, now) if crashed else self._outlook.after(document, now)
        )

    def _hear(self, caller: Caller) -> None:
        verb = caller.question.get("verb")
        if verb == "hello":
            caller.answer(self._hello())
        elif verb in ("update", "check") and not self._over:
            self._take(caller, Verb.CYCLE if verb == "update" else Verb.CHECK)
        else:
            caller.answer(_refusal(Reason.UPDATER_BUSY, "This daemon does not understand the question, or is ending."))

    def _take(self, caller: Caller, verb: Verb) -> None:
        """Queue what a command asks for; it is answered when the last of its agents is done."""
        question = caller.question
        asked = [str(one) for one in question.get("agents") or ()] or list(self._agents)
        if unknown := set(asked) - self._agents.keys():
            caller.answer(_refusal(Reason.USAGE, f"The daemon keeps no agent {min(unknown)!r}."))
            return
        self._requests.append(Request(caller, verb, bool(question.get("wait")), list(asked)))
        for agent in asked:
            self._add(Work(verb, agent, force=bool(question.get("force"))))

    def _hello(self) -> Document:
        return {
            "version": __version__,
            "pid": os.getpid(),
            "since": self._started.isoformat(),
            "next": {name: moment.isoformat() for name, moment in self._timer.moments.items()},
            "good": self._good,
            "at": {"verb": self._at.verb.value, "agent": self._at.agent} if self._at else None,
            "complaint": self._complaint,
        }

    def _reload(self, ending: Ending) -> None:
        """Adopt the configuration that was judged; a bad one changes nothing, and the status says so."""
        try:
            self._complaint = "" if ending.code == 0 else _sentence(ending)
            if not self._complaint:
                self._adopt_if_fit(keep(self._path, os.environ))
        except PawldError as error:
            self._complaint = error.message
        if self._complaint:
            _log.error("The new configuration is bad, and the old one stays: %s", self._complaint)
        else:
            _log.info("The configuration was read again.")
            self._timer.keep_only(set(self._agents))
            self._add(Work(Verb.STATUS))
        self._status = self._summary()
        self._notifier.ready(self._status)

    def _adopt_if_fit(self, kept: Kept) -> None:
        if kept.outline.state_dir != self._kept.outline.state_dir:
            raise OperatorError(Reason.CONFIG_INVALID, "updater.state_dir changes only with a restart of the daemon.")
        self._adopt(kept)

    def _beat(self) -> None:
        """Show that this thread and the timer live; after a jump of the clock, plan anew."""
        now = self._clock.now()
        if self._pulse.beat():
            _log.info("The clock was set, or this host slept; the next looks are planned anew.")
            for agent, moment in self._timer.moments.items():
                self._timer.wake(agent, self._outlook.after_jump(moment, now))
        elif self._timer.hangs(now - _LATE):
            _log.error("The timer is stuck; this daemon gives no more signs of life.")
            return
        self._notifier.alive()

    def _tell(self) -> None:
        """Tell the service manager what is going on, where that changed."""
        status = self._summary()
        if not self._over and status != self._status:
            self._status = status
            self._notifier.status(status)

    def _summary(self) -> str:
        complaint = f"BAD CONFIGURATION, the old one stays: {self._complaint}; " if self._complaint else ""
        if self._at is not None:
            return f"{complaint}{self._at.verb.value} {self._at.agent}".rstrip()
        moments = self._timer.moments
        if not moments:
            return f"{complaint}idle"
        agent, moment = min(moments.items(), key=lambda item: item[1])
        return f"{complaint}idle; looks at {agent} next, at {moment:%Y-%m-%d %H:%M:%S} UTC"

    def _stop(self) -> None:
        """End: the work under way finishes or records its step, and its process is waited for."""
        self._over = True
        self._notifier.stopping("ending; the step under way is finished or recorded")
        if self._child is not None:
            self._child.stop()
        for request in self._requests:
            request.caller.answer(_refusal(Reason.INTERRUPTED, "The daemon was stopped."))
        self._requests.clear()
        self._queue.clear()


def _instead(agent: str, work: Work, ending: Ending) -> Document:
    """Return what stands for the document that the work did not give."""
    reason = (ending.document or {}).get("reason")
    if reason is None:
        message = f"The work {work.verb.value} left no answer for {agent}: {told(ending)}."
        _log.error("%s", message)
        reason = _refusal(Reason.UNEXPECTED, message)["reason"]
    return {"name": agent, "reason": reason}


def _refusal(reason: Reason, message: str) -> Document:
    told = {"code": reason.code, "message": message, "next_step": reason.next_step, "retry_at": None}
    return {"reason": told}


def _sentence(ending: Ending) -> str:
    reason: Mapping[str, str] = (ending.document or {}).get("reason") or {}
    return str(reason.get("message") or told(ending))
