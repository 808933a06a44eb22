"""A publisher's day in real processes: found, take in, serve; a TUF client and curl-like requests as the judges."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.publishing import PASSPHRASE, Client, tar_gz

STABLE = "acme-agent/stable/linux-x86_64"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PAWLD_PASSPHRASE": PASSPHRASE, "PAWLD_REPOSITORY": str(home), "PYTHONUNBUFFERED": "1"}


def release(home: Path, *words: object) -> str:
    command = [sys.executable, "-m", "pawld", "release", *map(str, words)]
    finished = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@contextmanager
def serving(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "pawld", "release", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split(" at ")[1].strip().rstrip("/")
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0


def test_a_published_build_reaches_a_client_through_our_own_server(tmp_path: Path) -> None:
    home, build = tmp_path / "home", tmp_path / "acme-1.0.0.tar.gz"
    build.write_bytes(tar_gz("1.0.0"))
    release(home, "init", home, "--product", "acme-agent")
    place = ("--version", "1.0.0", "--platform", "linux-x86_64", "--entrypoint", "bin/acme")
    release(home, "ingest", build, *place, "--channel", "beta")
    release(home, "promote", "1.0.0", "--to", "stable", "--ramp", "10% 1h, 100%")
    root = (home / "public/metadata/1.root.json").read_bytes()
    with serving(home) as url:
        client = Client(tmp_path / "host", url, root)
        assert client.fetch(STABLE) == tar_gz("1.0.0")
        with urllib.request.urlopen(f"{url}/metadata/timestamp.json", timeout=60) as answer:
            assert answer.headers["Cache-Control"].startswith("public, max-age=30")
        release(home, "rotate", "timestamp")
        release(home, "refresh")
        assert client.fetch(STABLE) == tar_gz("1.0.0")


@pytest.mark.parametrize("appears", ["incoming", "staged/stable.json", "public/metadata/2.stable.json"])
def test_a_publisher_that_is_killed_leaves_a_repository_that_works(tmp_path: Path, appears: str) -> None:
    home, build = tmp_path / "home", tmp_path / "acme-1.0.0.tar.gz"
    build.write_bytes(tar_gz("1.0.0"))
    release(home, "init", home, "--product", "acme-agent", "--unsafe-single-key")
    words = ["ingest", str(build), "--version", "1.0.0", "--platform", "linux-x86_64", "--channel", "stable"]
    with subprocess.Popen([sys.executable, "-m", "pawld", "release", *words], env=environment(home)) as process:
        while process.poll() is None and not (home / appears).exists():
            time.sleep(0.001)
        process.kill()
    root = (home / "public/metadata/1.root.json").read_bytes()
    with serving(home) as url:
        Client(tmp_path / "before", url, root).ask(STABLE)
        release(home, *words)
        assert Client(tmp_path / "after", url, root).fetch(STABLE) == tar_gz("1.0.0")
