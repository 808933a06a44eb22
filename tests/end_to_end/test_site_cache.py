"""A site's own cache: a real nginx before the publisher serves the site's hosts, and nobody depends on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.fleet_host import FleetHost, code, publisher_at
from support.nginx_site import nginx_site
from support.publishing import take_in

from pawld.publish.publisher import Publisher
from pawld.publish.records import on_channel

pytestmark = pytest.mark.rig("nginx")
HOSTS = 3

# As it stands in the README, but for addresses and paths.
_CACHE = """
location /sha256/ { try_files $uri @origin; }
location @origin {
    proxy_pass %(origin)s/targets$uri;
    proxy_store on;
    proxy_connect_timeout 1s;
}
"""
Site = tuple[Publisher, str]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with publisher_at(tmp_path / "publisher") as (publisher, url):
        take_in(publisher, "1.0.0")
        yield publisher, url


@contextmanager
def cache(folder: Path, origin: str) -> Iterator[str]:
    """Run the site's nginx; what it fetched lies below ``store``."""
    (folder / "store").mkdir(parents=True)
    (folder / "run").mkdir()
    folder.chmod(0o755)
    with nginx_site(folder / "store", folder / "run", locations=_CACHE % {"origin": origin}) as url:
        yield url


def of_the_build(publisher: Publisher) -> str:
    """Return where a mirror has the build; the list of its files, which is asked for beside it, lies elsewhere."""
    (record,) = on_channel(publisher, "stable")
    return f"sha256/{record.sha256}"


def statuses(folder: Path, path: str) -> list[int]:
    lines = (folder / "run" / "access.log").read_text().splitlines()
    return [int(line.split()[8]) for line in lines if line.split()[6] == f"/{path}"]


def test_the_sites_hosts_share_one_transfer_from_the_publisher(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    with cache(tmp_path / "site", url) as mirror:
        for number in range(HOSTS):
            host = FleetHost(tmp_path / f"host-{number}", publisher, url, updater=f'mirrors = ["{mirror}"]')
            assert code(host.update()) == "updated"
            if not number:  # the publisher's blob may go: the site has it now
                blobs = list((publisher.layout.targets / "sha256").iterdir())
                for blob in blobs:
                    blob.unlink()
    assert statuses(tmp_path / "site", of_the_build(publisher)) == [200] * HOSTS


def test_a_cache_with_a_wrong_byte_is_named_and_the_publisher_asked(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, url = site
    with cache(tmp_path / "site", url) as mirror:
        first = FleetHost(tmp_path / "first", publisher, url, updater=f'mirrors = ["{mirror}"]')
        assert code(first.update()) == "updated"
        stored = tmp_path / "site/store" / of_the_build(publisher)
        os.chmod(stored, 0o644)  # noqa: PTH101 - nginx made it
        stored.write_bytes(stored.read_bytes()[:-1] + b"?")
        second = FleetHost(tmp_path / "second", publisher, url, updater=f'mirrors = ["{mirror}"]')
        assert code(second.update()) == "updated"
        assert second.installed == "1.0.0"
    assert f"The mirror {mirror} is not asked for 60 min" in caplog.text
    assert "sent other bytes for chunk 0" in caplog.text


def test_a_cache_that_is_gone_costs_a_moment_and_no_update(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    with cache(tmp_path / "site", url) as mirror:
        pass
    host = FleetHost(tmp_path / "host", publisher, url, updater=f'mirrors = ["{mirror}", "http://127.0.0.1:1"]')
    assert code(host.update()) == "updated"


def test_a_cache_whose_origin_is_gone_answers_from_its_store(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    with cache(tmp_path / "site", "http://127.0.0.1:1") as mirror:
        host = FleetHost(tmp_path / "host", publisher, url, updater=f'mirrors = ["{mirror}"]')
        assert code(host.update()) == "updated"
    assert statuses(tmp_path / "site", of_the_build(publisher)) == [502]
