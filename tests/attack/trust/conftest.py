"""A repository, the server that serves it, and a host that trusts its first root."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.static_web import StaticWeb, static_web
from support.trusting import Host
from support.tuf_repository import TufRepository, acme_repository
from support.wall_threads import Threads

from pawld.system.http import Web
from pawld.system.http.walled import WalledWeb
from pawld.trust.policy import Policy

BUILD = b"the build of acme 1.0.0"


@pytest.fixture
def repository() -> TufRepository:
    return acme_repository(BUILD)


@pytest.fixture
def server(repository: TufRepository) -> Iterator[StaticWeb]:
    with static_web(repository.files) as web:
        yield web


@pytest.fixture(params=[Web, lambda: WalledWeb(Threads())], ids=["one process", "behind walls"])
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    """What is refused is refused for the same reason whoever reads it."""
    with request.param() as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, web: Web) -> Host:
    return Host(tmp_path, web)


@pytest.fixture
def policy(host: Host, server: StaticWeb, repository: TufRepository) -> Policy:
    return host.policy(host.tuf(server.url, repository.first_root))
