"""Whoever holds the web server, a mirror or the vendor's API, but no key."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from support.static_web import StaticWeb
from support.trusting import QUESTION, Host, files_of
from support.tuf_repository import TufRepository, custom

from pawld.errors import RejectedError, TransientError
from pawld.formats.metadata import MOST_METADATA
from pawld.model import NoBuild, Platform, Question, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.trust.policy import Policy
from pawld.trust.tuf_fetcher import MOST_VALUES, TOTAL_CAP, WebFetcher

TARGET = "acme/stable/linux-x86_64"


def refusal(policy: Policy, question: Question = QUESTION) -> RejectedError:
    with pytest.raises(RejectedError) as refused:
        policy.record(question)
    return refused.value


def test_arbitrary_software_under_a_changed_document_is_refused(
    policy: Policy, repository: TufRepository, host: Host
) -> None:
    forged = json.loads(repository.files["1.stable.json"])
    forged["signed"]["targets"][TARGET]["hashes"]["sha256"] = "0" * 64
    repository.files["1.stable.json"] = json.dumps(forged).encode()

    assert refusal(policy).reason is Reason.THRESHOLD_NOT_MET
    assert "stable.json" not in files_of(host.cache)
    assert host.mark("tuf.timestamp") is None


def test_documents_of_two_moments_are_not_mixed(policy: Policy, repository: TufRepository, host: Host) -> None:
    old = repository.files["1.stable.json"]
    repository.add(TARGET, b"newer", custom("1.1.0", 2), "stable")
    repository.publish()
    repository.files["2.stable.json"] = old

    assert refusal(policy).reason is Reason.ROLLBACK_SUSPECTED
    assert "stable.json" not in files_of(host.cache)


def test_a_snapshot_of_another_moment_is_not_mixed_in(policy: Policy, repository: TufRepository) -> None:
    old = repository.files["1.snapshot.json"]
    repository.publish()
    repository.files["2.snapshot.json"] = old

    assert refusal(policy).reason is Reason.ROLLBACK_SUSPECTED


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


@pytest.mark.parametrize("path", ["timestamp.json", "1.snapshot.json", "2.root.json"])
def test_endless_metadata_is_cut_at_its_cap(path: str, policy: Policy, server: StaticWeb, host: Host) -> None:
    server.instead[path] = endless

    error = refusal(policy)

    assert error.reason is Reason.METADATA_UNTRUSTED
    assert "longer than" in error.message
    assert sum(one.stat().st_size for one in host.cache.rglob("*.json")) < TOTAL_CAP / 64


def test_all_metadata_of_one_refresh_together_has_a_cap(
    server: StaticWeb, repository: TufRepository, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sum(len(repository.files[one]) for one in ("timestamp.json", "1.snapshot.json", "1.targets.json"))
    monkeypatch.setattr(WebFetcher.__init__, "__defaults__", (MOST_METADATA, whole - 1))

    error = refusal(host.policy(host.tuf(server.url, repository.first_root)))

    assert error.reason is Reason.METADATA_UNTRUSTED
    assert "targets.json" not in files_of(host.cache)
    assert "snapshot.json" in files_of(host.cache)


def test_metadata_that_unfolds_in_memory_is_refused_before_it_is_read(
    policy: Policy, repository: TufRepository, host: Host
) -> None:
    repository.files["1.snapshot.json"] = b"[" + b"[]," * MOST_VALUES + b"[]]"

    error = refusal(policy)

    assert error.reason is Reason.METADATA_UNTRUSTED
    assert "values" in error.message
    assert "snapshot.json" not in files_of(host.cache)


@pytest.mark.parametrize("wide", ["\N{GRINNING FACE}".encode(), b"\\ud83d\\ude00"], ids=["as it is", "escaped"])
def test_a_long_document_with_characters_that_widen_all_others_is_refused_before_it_is_read(
    wide: bytes, policy: Policy, repository: TufRepository, host: Host
) -> None:
    repository.files["1.snapshot.json"] = b'["' + wide + b"a" * (MOST_METADATA // 8) + b'"]'

    error = refusal(policy)

    assert error.reason is Reason.METADATA_UNTRUSTED
    assert "beyond ASCII" in error.message
    assert "snapshot.json" not in files_of(host.cache)


def test_a_repository_of_large_documents_is_read_where_the_configuration_says_so(
    server: StaticWeb, repository: TufRepository, host: Host
) -> None:
    repository.targets.unrecognized_fields["x"] = "a" * MOST_METADATA
    repository.publish()
    plain = host.policy(host.tuf(server.url, repository.first_root))
    assert f"longer than the {MOST_METADATA} bytes" in refusal(plain).message
    larger = host.policy(host.tuf(server.url, repository.first_root, longest=2 * MOST_METADATA))
    assert isinstance(larger.record(QUESTION), Record)


def test_metadata_that_drips_ends_at_the_deadline(server: StaticWeb, repository: TufRepository, host: Host) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    server.instead["timestamp.json"] = drip
    policy = host.policy(host.tuf(server.url, repository.first_root, deadline=timedelta(seconds=0.4)))
    begun = time.monotonic()

    with pytest.raises(TransientError) as late:
        policy.record(QUESTION)

    assert late.value.reason in (Reason.TIMED_OUT, Reason.TRANSFER_STALLED)
    assert time.monotonic() - begun < 2
    assert "timestamp.json" not in files_of(host.cache)


@pytest.mark.parametrize(
    "lie", [{"product": "other"}, {"channel": "beta"}, {"platform": "windows"}, {"arch": "arm64"}, {"libc": "musl"}]
)
def test_a_signed_record_of_something_else_under_our_path_is_refused(
    lie: dict[str, str], policy: Policy, repository: TufRepository, host: Host
) -> None:
    repository.add(TARGET, b"else", custom("9.0.0", 9, **lie), "stable")
    repository.publish()

    error = refusal(policy)

    assert error.reason is Reason.RECORD_MISMATCH
    assert next(iter(lie.values())) in error.message
    assert host.mark("sequence." + TARGET) is None


@pytest.mark.parametrize(
    "broken", [{"schema": 2}, {"surprise": 1}, {"release_seq": "7"}, {"entrypoint": "../../bin/sh"}, {"version": ""}]
)
def test_a_signed_record_that_is_not_understood_in_full_is_refused(
    broken: dict[str, object], policy: Policy, repository: TufRepository
) -> None:
    repository.add(TARGET, b"build", custom(version="1.0.0", sequence=9) | broken, "stable")
    repository.publish()

    assert refusal(policy).reason is Reason.RECORD_INVALID


def test_a_delegated_role_speaks_for_no_path_but_its_own(policy: Policy, repository: TufRepository) -> None:
    repository.delegate("beta", ["acme/beta/*"])
    del repository.delegated["stable"].targets[TARGET]
    repository.add(TARGET, b"the beta signer's", custom("9.0.0", 9), "beta")
    repository.publish()

    assert isinstance(policy.record(QUESTION), NoBuild)


def test_the_api_cannot_steer_to_an_older_build_though_it_is_still_signed(
    policy: Policy, repository: TufRepository, host: Host
) -> None:
    repository.delegate("archive", ["acme/archive/*/*"])
    repository.add("acme/archive/1.0.0/linux-x86_64", b"old", custom(), "archive")
    repository.add(TARGET, b"newer", custom("1.1.0", 2), "stable")
    repository.publish()

    error = refusal(policy, Question("acme", "stable", Platform("linux", "x86_64"), version="1.0.0"))

    assert error.reason is Reason.SOURCE_DISAGREES
    assert "1.0.0" in error.message
    assert "1.1.0" in error.message
    assert host.mark("sequence.acme/archive/1.0.0/linux-x86_64") is None


def test_a_build_uploaded_anew_under_the_same_url_is_refused_by_its_digest(policy: Policy, tmp_path: Path) -> None:
    record = policy.record(QUESTION)
    assert isinstance(record, Record)
    path = tmp_path / "build.unverified"
    path.write_bytes(b"the BUILD of acme 1.0.0")

    with path.open("r+b") as file, pytest.raises(RejectedError) as refused:
        policy.prove(record, Downloaded(file, path, "https://cdn.example"))

    assert refused.value.reason is Reason.DIGEST_MISMATCH
    assert record.sha256 in refused.value.message
    assert "https://cdn.example" in refused.value.message


def test_a_longer_build_is_refused_before_it_is_hashed(policy: Policy, tmp_path: Path) -> None:
    record = policy.record(QUESTION)
    assert isinstance(record, Record)
    path = tmp_path / "build.unverified"
    path.write_bytes(b"the build of acme 1.0.0 and more")

    with path.open("r+b") as file, pytest.raises(RejectedError) as refused:
        policy.prove(record, Downloaded(file, path, "https://cdn.example"))

    assert refused.value.reason is Reason.LENGTH_MISMATCH
    assert "23" in refused.value.message
    assert "32" in refused.value.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.NOT_FOUND), (500, Reason.SERVER_ERROR), (429, Reason.RATE_LIMITED), (599, Reason.SERVER_ERROR)],
)
def test_a_server_that_refuses_is_no_attack(status: int, reason: Reason, policy: Policy, server: StaticWeb) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.instead["timestamp.json"] = answer

    with pytest.raises(TransientError) as failed:
        policy.record(QUESTION)
    assert failed.value.reason is reason
    assert server.asked.count("GET /timestamp.json") == 1


def test_a_login_page_in_place_of_metadata_is_not_believed(policy: Policy, repository: TufRepository) -> None:
    repository.files["timestamp.json"] = b"<html>please log in</html>"

    assert refusal(policy).reason is Reason.METADATA_UNTRUSTED


def test_two_racing_updaters_share_one_cache_without_harm(
    server: StaticWeb, repository: TufRepository, host: Host
) -> None:
    policies = [host.policy(host.tuf(server.url, repository.first_root)) for _ in range(4)]

    with ThreadPoolExecutor(4) as racers:
        answers = list(racers.map(lambda policy: policy.record(QUESTION), policies))

    assert all(isinstance(answer, Record) for answer in answers)
    assert "timestamp.json" in files_of(host.cache)
    assert not [name for name in files_of(host.cache) if not name.endswith(".json")]
