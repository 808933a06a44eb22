"""What this process reads as JSON, noted; a child behind walls is another process, and is not heard."""

import json
import json.decoder
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Heard:
    """Everything that was given to a reader of JSON."""

    def __init__(self) -> None:
        self.all = ""

    def note(self, text: Any) -> None:
        self.all += text if isinstance(text, str) else bytes(text).decode("utf-8", "replace")

    def __contains__(self, words: str) -> bool:
        return words in self.all


@contextmanager
def heard_json() -> Iterator[Heard]:
    """Note what Python's reader of JSON is given, whichever of its doors it comes in by."""
    heard = Heard()
    whole, front = json.loads, json.decoder.JSONDecoder.raw_decode

    def loads(text: Any, *args: Any, **named: Any) -> Any:
        heard.note(text)
        return whole(text, *args, **named)

    def raw_decode(self: Any, text: str, idx: int = 0) -> Any:
        heard.note(text)
        return front(self, text, idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "loads", loads)
        patch.setattr(json.decoder.JSONDecoder, "raw_decode", raw_decode)
        yield heard
