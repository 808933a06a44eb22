"""A web client for each test, closed after it."""

from collections.abc import Iterator

import pytest

from pawld.system.http import Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web
