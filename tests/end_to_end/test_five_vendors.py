"""One host, all five interfaces of the vendors at once: who pins, who locates, and who says "not now"."""

import hashlib
import io
import json
import logging
import os
import shutil
import signal
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import FakeScalepad, FakeStatic, artifact, release, secret
from support.vendors_huawei import JOB_RUN, PIPELINE, POOL, PROJECT, RUN, TASK, TOKEN, FakeCheck, FakePipeline
from support.vendors_prefactor import DEPLOYMENT_ID, FakePrefactor

from pawld.cli.main import main

SECRETS = ("scalepad-token", "prefactor-token", TOKEN, "se3ret")
PROGRAM = Path(shutil.which("sleep") or "/bin/sleep").resolve()
FILENAME = "acme.tar.gz"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the build is this host's own program, for Linux")

_AGENT = """
[agents.{name}]
root = "{home}/{name}"
[agents.{name}.platform]
os = "{os}"
arch = "{arch}"
[agents.{name}.pin]
type = "prefactor"
base_url = "{prefactor}"
deployment_id = "{deployment}"
token_file = "{home}/prefactor.token"
[agents.{name}.trust]
type = "pinned_sha256"
sha256 = {{ "{os}-{arch}" = "{sha}" }}
filename = "{filename}"
[agents.{name}.install]
type = "directory"
reserve = "1MiB"
[agents.{name}.service]
type = "command"
start = ["sh", "-c", "{{current}}/bin/acme 300 >/dev/null 2>&1 & echo $! > {home}/{name}.pid"]
stop = ["sh", "-c", "kill $(cat {home}/{name}.pid) 2>/dev/null; rm -f {home}/{name}.pid"]
is_running = ["sh", "-c", "kill -0 $(cat {home}/{name}.pid) 2>/dev/null && cat {home}/{name}.pid"]
[agents.{name}.health]
probation = "1s"
checks = [{{ type = "service", every = "1s" }}]
"""
_SCALEPAD = """
[agents.{name}.source]
type = "scalepad"
base_url = "{scalepad}"
token_file = "{home}/scalepad.token"
"""
_CODEARTS = """
[agents.{name}.source]
type = "codearts"
base_url = "{pipeline}"
project_id = "{project}"
pipeline_id = "{pipeline_id}"
pipeline_run_id = "{run}"
job_run_id = "{job}"
auth = {{ type = "token", token_file = "{home}/huawei.token" }}
[[agents.{name}.gates]]
type = "codearts_run"
base_url = "{pipeline}"
project_id = "{project}"
auth = {{ type = "token", token_file = "{home}/huawei.token" }}
runs = [{{ pipeline_id = "{pipeline_id}", pipeline_run_id = "{run}" }}]
[[agents.{name}.gates]]
type = "codearts_pool"
base_url = "{check}"
task_id = "{task}"
pool_id = "{pool}"
pool_type = "docker"
auth = {{ type = "token", token_file = "{home}/huawei.token" }}
"""


def packed() -> bytes:
    """A real program of this host, as a vendor packs it."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        archive.add(PROGRAM, "bin/acme")
    return target.getvalue()


BUILD = packed()
SHA = hashlib.sha256(BUILD).hexdigest()


@dataclass
class Site:
    """A configured host among the vendors."""

    config: Path
    scalepad: FakeScalepad
    pipeline: FakePipeline
    check: FakeCheck
    prefactor: FakePrefactor
    cdn: FakeStatic


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        servers = [stack.enter_context(HTTPServer(host="127.0.0.1")) for _ in range(5)]
        cdn = stack.enter_context(FakeStatic(servers[0]))
        scalepad = stack.enter_context(FakeScalepad(servers[1], cdn=cdn.url))
        pipeline = stack.enter_context(FakePipeline(servers[2]))
        check = stack.enter_context(FakeCheck(servers[3]))
        prefactor = stack.enter_context(FakePrefactor(servers[4]))
        prefactor.version["runtime_environment"] = None
        cdn.files["/agent"] = BUILD
        pipeline.address = {"status": "success", "result": {"url": f"{cdn.url}/agent?signature=se3ret"}}
        size = {"size_bytes": len(BUILD), "filename": FILENAME}
        told = {"windows": artifact("1.8.3", "", SHA, **size), "macos": {"arm64": artifact("1.8.3", "", SHA, **size)}}
        scalepad.releases = [release("1.9.0"), release("1.8.3", artifacts=told)]
        yield Site(
            _configured(tmp_path, scalepad, pipeline, check, prefactor), scalepad, pipeline, check, prefactor, cdn
        )


def _configured(
    home: Path, scalepad: FakeScalepad, pipeline: FakePipeline, check: FakeCheck, prefactor: FakePrefactor
) -> Path:
    for name, text in (("scalepad", "scalepad-token"), ("prefactor", "prefactor-token"), ("huawei", TOKEN)):
        secret(home, text, f"{name}.token")
    words = {
        "home": home,
        "sha": SHA,
        "filename": FILENAME,
        "scalepad": scalepad.base_url,
        "pipeline": pipeline.url,
        "check": check.url,
        "prefactor": prefactor.url,
        "deployment": DEPLOYMENT_ID,
        "project": PROJECT,
        "pipeline_id": PIPELINE,
        "run": RUN,
        "job": JOB_RUN,
        "task": TASK,
        "pool": POOL,
    }
    text = f'[updater]\nstate_dir = "{home}/state"\n'
    for name, system, arch, source in (
        ("mac", "macos", "arm64", _SCALEPAD),
        ("win", "windows", "x86_64", _SCALEPAD),
        ("tux", "linux", "x86_64", _CODEARTS),
    ):
        text += (_AGENT + source).format(name=name, os=system, arch=arch, **words)
    config = home / "pawld.toml"
    config.write_text(text)
    config.chmod(0o600)
    return config


def pawld(site: Site, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["--config", str(site.config), "--json", "-v", *words])
    told = capsys.readouterr()
    assert not [one for one in SECRETS if one in told.out + told.err]
    return code, json.loads(told.out)


def test_five_vendors_work_together_in_one_cycle(
    site: Site, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, "pawld")
    code, told = pawld(site, capsys, "check")
    assert code == 100, told
    assert "/v2/agent-releases/1.8.3" in {one.path for one in site.scalepad.requests}
    assert all(one["reason"]["code"] == "update_available" for one in told["agents"])

    site.pipeline.details[RUN]["status"] = "RUNNING"
    code, told = pawld(site, capsys, "update", "--no-wait", "tux")
    assert (code, told["agents"][0]["reason"]["code"]) == (75, "run_in_progress"), told
    assert not (tmp_path / "tux" / "current").exists()

    site.pipeline.details[RUN]["status"] = "COMPLETED"
    site.check.selected = "0" * 32
    code, told = pawld(site, capsys, "update", "--no-wait", "tux")
    assert (code, told["agents"][0]["reason"]["code"]) == (75, "pool_out_of_scope")

    site.check.selected = POOL
    code, told = pawld(site, capsys, "update", "--no-wait", "tux")
    assert (code, told["agents"][0]["reason"]["code"]) == (0, "updated"), told
    assert (tmp_path / "tux" / "current" / "bin" / "acme").read_bytes() == PROGRAM.read_bytes()
    ours = "\n".join(one.getMessage() for one in caplog.records if one.name != "werkzeug")  # the vendors log, too
    assert not [one for one in SECRETS if one in ours]
    os.kill(int((tmp_path / "tux.pid").read_text()), signal.SIGTERM)
