"""A server of files, a client, and a host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.static_web import StaticWeb, static_web
from support.trusting import Host

from pawld.system.http import Web


@pytest.fixture
def server() -> Iterator[StaticWeb]:
    with static_web({}) as web:
        yield web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, web: Web) -> Host:
    return Host(tmp_path, web)
