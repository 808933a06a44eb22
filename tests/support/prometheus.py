"""A real Prometheus that scrapes one target five times a second, and is asked by its API."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from support.ports import free_port

_PATIENCE = 60  # seconds, on a busy machine
_CONFIG = """
global: {{scrape_interval: 200ms, evaluation_interval: 200ms, scrape_timeout: 200ms}}
rule_files: [{rules}]
scrape_configs: [{{job_name: pawld, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}]
"""


class Prometheus:
    """A server that runs."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[Any]:
        """Evaluate *expression* now; ``urllib.error.HTTPError`` where it is none."""
        found: list[Any] = self._asked("query", query=expression)["result"]
        return found

    def rules(self) -> list[Any]:
        """Every rule, with its health."""
        return [rule for group in self._asked("rules")["groups"] for rule in group["rules"]]

    def until(self, true: Callable[[], object]) -> None:
        """Wait until *true* is, or fail."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                if true():
                    return
            except URLError:
                pass
            time.sleep(0.1)
        raise AssertionError("Prometheus did not come to it in time.")

    def _asked(self, what: str, **words: str) -> Any:
        with urlopen(f"{self._url}/api/v1/{what}?{urlencode(words)}", timeout=10) as answer:
            return json.loads(answer.read())["data"]


@contextmanager
def prometheus(folder: Path, rules: Path, target: int) -> Iterator[Prometheus]:
    """Run one that scrapes the loopback port *target* as the job pawld."""
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG.format(rules=rules, target=target))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Prometheus(port)
    finally:
        process.kill()
        process.wait(30)
