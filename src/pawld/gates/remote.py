"""What a gate answers that asks a service over the network."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pawld.errors import PawldError, TransientError
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason

ASK_AGAIN = timedelta(minutes=1)


def answered(judge: Callable[[], Open | tuple[Reason, str]], now: datetime, ask_again: timedelta) -> Answer:
    """Turn a judgement into an answer: what may pass by itself closes, what needs a person breaks, nothing opens."""
    try:
        judged = judge()
    except TransientError as error:
        return Closed(error.reason, error.message, now + max(error.retry_after or ask_again, ask_again))
    except PawldError as error:
        return Broken(error.message, error.reason)
    return judged if isinstance(judged, Open) else Closed(*judged, now + ask_again)
