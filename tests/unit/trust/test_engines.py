"""The engines' own manners: paths, pins, caches, and what a configuration may say."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from support.signing import Vendor
from support.static_web import StaticWeb
from support.trusting import LINUX, QUESTION, Host, files_of
from support.tuf_repository import TufRepository, custom

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import NoBuild, Platform, Question, Record, Slot
from pawld.reasons import Reason
from pawld.trust import tuf_cache
from pawld.trust.pinned import PinnedEngine
from pawld.trust.policy import Policy
from pawld.trust.signatures import Keyring
from pawld.trust.signed_checksums import SignedChecksumsEngine
from pawld.trust.tuf import read_root

TARGET = "acme/stable/linux-x86_64"


@pytest.fixture
def repository(server: StaticWeb) -> TufRepository:
    made = TufRepository()
    made.files = server.files
    made.publish_root(bump=False)
    made.delegate("stable", ["acme/stable/*"])
    made.delegate("archive", ["acme/archive/*/*"])
    made.add(TARGET, b"new", custom("1.1.0", 2), "stable")
    made.add("acme/archive/1.0.0/linux-x86_64", b"old", custom(), "archive")
    made.publish()
    return made


def pinned_to(version: str) -> Question:
    return Question("acme", "stable", LINUX, version, pinned=True)


def test_the_record_carries_the_earliest_expiry_of_its_chain(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    record = host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)

    assert isinstance(record, Record)
    assert record.expires == repository.timestamp.expires
    assert (record.length, record.version, record.sequence) == (3, "1.1.0", 2)


@pytest.mark.parametrize(("version", "sequence"), [("1.1.0", 2), ("1.0.0", 1)])
def test_a_pin_is_answered_by_the_channel_or_else_by_the_archive(
    version: str, sequence: int, host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    policy = host.policy(host.tuf(server.url, repository.first_root))
    policy.record(QUESTION)

    record = policy.record(pinned_to(version))

    assert isinstance(record, Record)
    assert record.sequence == sequence
    assert isinstance(policy.record(QUESTION), Record)


def test_a_pin_may_reach_an_archived_release_of_another_channel(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    policy = host.policy(host.tuf(server.url, repository.first_root))

    record = policy.record(Question("acme", "beta", LINUX, "1.0.0", pinned=True))

    assert isinstance(record, Record)
    assert record.channel == "stable"


def test_a_pinned_version_that_nobody_signed_has_no_build(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    answer = host.policy(host.tuf(server.url, repository.first_root)).record(pinned_to("0.9.0"))

    assert isinstance(answer, NoBuild)
    assert "acme/archive/0.9.0/linux-x86_64" in answer.message


def test_an_archived_role_that_expired_since_does_not_freeze_the_channel(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    policy = host.policy(host.tuf(server.url, repository.first_root))
    policy.record(pinned_to("1.0.0"))
    host.clock.wall = repository.timestamp.expires - timedelta(hours=1)
    repository.delegated["archive"].expires = repository.timestamp.expires - timedelta(days=2)

    assert isinstance(policy.record(QUESTION), Record)


def test_the_target_can_be_named_otherwise(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    repository.add("by/linux/x86_64", b"other", custom("2.0.0", 5))
    repository.publish()

    record = host.policy(host.tuf(server.url, repository.first_root, target="by/{os}/{arch}")).record(QUESTION)

    assert isinstance(record, Record)
    assert record.version == "2.0.0"


def test_a_target_template_with_an_unknown_field_is_a_fault_of_the_configuration(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    with pytest.raises(OperatorError) as wrong:
        host.policy(host.tuf(server.url, repository.first_root, target="{colour}")).record(QUESTION)

    assert wrong.value.reason is Reason.CONFIG_INVALID


def test_a_target_without_sha256_is_refused(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    repository.delegated["stable"].targets[TARGET].hashes = {"sha512": "0" * 128}
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)
    assert refused.value.reason is Reason.RECORD_INVALID


def test_the_cache_is_private_and_holds_metadata_alone(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    host.cache.mkdir(parents=True, mode=0o777)

    host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)

    assert stat.S_IMODE(host.cache.stat().st_mode) == 0o700
    assert files_of(host.cache) == [
        "root.json",
        "root_history/1.root.json",
        "snapshot.json",
        "stable.json",
        "targets.json",
        "timestamp.json",
    ]


def test_where_no_link_to_the_trusted_root_is_made_the_newest_of_its_history_is_read(
    host: Host, server: StaticWeb, repository: TufRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.symlink", lambda _target, _name: None)  # what Wine does, and calls a success
    repository.publish_root()

    assert isinstance(host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION), Record)

    assert "root.json" not in files_of(host.cache)
    assert host.marks.values["acme", "tuf.root"] == repository.root.version == 2


@pytest.mark.parametrize("damage", ["a file in its place", "no history", "a folder for a file"])
def test_a_cache_that_cannot_be_used_is_set_aside_and_the_marks_still_hold(
    damage: str, host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    policy = host.policy(host.tuf(server.url, repository.first_root))
    old = dict(server.files)
    repository.publish()
    policy.record(QUESTION)
    marks = dict(host.marks.values)
    if damage == "a file in its place":
        host.cache.rename(host.cache.with_name("was"))
        host.cache.write_bytes(b"?")
    elif damage == "no history":
        for one in (host.cache / "root_history").iterdir():
            one.unlink()
        (host.cache / "root_history").rmdir()
        (host.cache / "root_history").write_bytes(b"?")
    else:
        (host.cache / "root.json").unlink()
        (host.cache / "root.json").mkdir()

    assert isinstance(policy.record(QUESTION), Record)
    assert host.cache.with_name("acme.set-aside").exists()
    assert {name: value for name, value in host.marks.values.items() if "clock" not in name[1]} == {
        name: value for name, value in marks.items() if "clock" not in name[1]
    }

    server.files = old
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED


def test_a_cache_is_set_aside_in_place_of_an_older_one(tmp_path: Path) -> None:
    cache = tmp_path / "acme"
    for content in ("first", "second"):
        cache.mkdir(exist_ok=True)
        (cache / content).touch()
        aside = tuf_cache.set_aside(cache)

    assert files_of(aside) == ["second"]
    assert files_of(cache) == []


def test_a_cache_in_use_by_another_is_waited_for_and_then_left(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "acme.lock"),
        pytest.raises(TransientError) as busy,
        tuf_cache.locked(tmp_path / "acme", timedelta(seconds=0.1)),
    ):
        pass

    assert busy.value.reason is Reason.UPDATER_BUSY


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, Reason.CONFIG_MISSING),
        (b"not json", Reason.CONFIG_INVALID),
        (b"[]", Reason.CONFIG_INVALID),
        (b'{"signed": {"_type": "snapshot"}}', Reason.CONFIG_INVALID),
    ],
)
def test_a_root_file_that_is_none_is_a_fault_of_the_configuration(
    content: bytes | None, reason: Reason, tmp_path: Path
) -> None:
    path = tmp_path / "root.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(OperatorError) as wrong:
        read_root(path)
    assert wrong.value.reason is reason


def test_a_pinned_digest_answers_for_its_platform_alone(host: Host) -> None:
    policy = host.policy(PinnedEngine({"linux-x86_64": "a" * 64}))

    record = policy.record(Question("acme", "stable", LINUX, "1.0.0", "acme-1.0.0.zip"))
    plain = policy.record(QUESTION)

    assert isinstance(record, Record)
    assert isinstance(plain, Record)
    assert (record.version, record.format, record.sha256, record.length_signed) == ("1.0.0", "zip", "a" * 64, False)
    assert (plain.version, plain.filename, plain.format) == ("a" * 12, "acme", "file")
    assert isinstance(policy.record(Question("acme", "stable", Platform("macos", "arm64"))), NoBuild)


@pytest.mark.parametrize(("version", "filename"), [("1.0/..", None), (None, "../x"), (None, "a b")])
def test_a_source_cannot_put_a_path_into_a_pinned_record(version: str, filename: str, host: Host) -> None:
    policy = host.policy(PinnedEngine({"linux-x86_64": "a" * 64}))

    with pytest.raises(RejectedError) as refused:
        policy.record(Question("acme", "stable", LINUX, version, filename))
    assert refused.value.reason is Reason.RECORD_INVALID


def test_a_pinned_digest_of_sixteen_digits_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(OperatorError):
        PinnedEngine({"linux-x86_64": "a" * 16})


def test_a_statement_older_than_max_age_is_stale(host: Host) -> None:
    policy = host.policy(PinnedEngine({"linux-x86_64": "a" * 64}), max_age=timedelta(days=7))
    assert isinstance(policy.record(QUESTION), Record)
    host.clock.sleep(timedelta(days=6))
    assert isinstance(policy.record(QUESTION), Record)

    host.clock.sleep(timedelta(days=2))

    with pytest.raises(TransientError) as stale:
        policy.record(QUESTION)
    assert stale.value.reason is Reason.METADATA_STALE


def test_a_signed_permission_leads_back_once_and_no_further(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    running = ["1.1.0"]
    policy = host.policy(
        host.tuf(server.url, repository.first_root), installed=lambda: Slot(Path("slot"), running[0], "a" * 64)
    )
    policy.record(QUESTION)
    repository.add(TARGET, b"back", custom("1.0.9", 1, allow_downgrade_from=["1.1.0"]), "stable")
    repository.publish()

    for running[0] in ("1.1.0", "1.0.9"):
        assert isinstance(policy.record(QUESTION), Record)
    running[0] = "1.2.0"
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED


def test_a_pin_that_only_another_version_answers_is_unsatisfied(host: Host, server: StaticWeb) -> None:
    vendor = Vendor.new()
    sums = b"a" * 64 + b"  acme-linux-x86_64.tgz\n"
    text = "product=acme version=1.0.0 channel=stable serial=1 expires=2099-01-01T00:00:00Z"
    server.files |= {"SHA256SUMS": sums, "SHA256SUMS.minisig": vendor.sign(sums, text)}
    engine = SignedChecksumsEngine(
        f"{server.url}/SHA256SUMS", Keyring([vendor.public_key]), web=host.web, filename="acme-{platform}.tgz"
    )

    with pytest.raises(TransientError) as unsatisfied:
        host.policy(engine).record(pinned_to("2.0.0"))
    assert unsatisfied.value.reason is Reason.PIN_UNSATISFIED


@pytest.mark.parametrize(
    ("url", "question"),
    [
        ("http://127.0.0.1/{colour}", QUESTION),
        ("http://127.0.0.1/{version", QUESTION),
        ("http://vendor.example/SHA256SUMS", QUESTION),
        ("https://127.0.0.1/{version}/SHA256SUMS", QUESTION),
    ],
)
def test_a_template_that_cannot_be_filled_is_a_fault_of_the_configuration(
    url: str, question: Question, host: Host
) -> None:
    with pytest.raises(OperatorError) as wrong:
        host.policy(SignedChecksumsEngine(url, Keyring([Vendor.new().public_key]), web=host.web)).record(question)
    assert wrong.value.reason is Reason.CONFIG_INVALID


def test_a_source_without_a_file_name_needs_one_from_the_configuration(host: Host, server: StaticWeb) -> None:
    vendor = Vendor.new()
    text = "product=acme version=1.0.0 channel=stable serial=1 expires=2099-01-01T00:00:00Z"
    server.files |= {"SHA256SUMS": b"", "SHA256SUMS.minisig": vendor.sign(b"a" * 64 + b"  x\n", text)}
    server.files["SHA256SUMS"] = b"a" * 64 + b"  x\n"

    with pytest.raises(OperatorError) as wrong:
        host.policy(
            SignedChecksumsEngine(f"{server.url}/SHA256SUMS", Keyring([vendor.public_key]), web=host.web)
        ).record(QUESTION)
    assert "filename" in wrong.value.message


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.UNAUTHORIZED),
        (403, Reason.FORBIDDEN),
        (429, Reason.RATE_LIMITED),
        (503, Reason.SERVER_ERROR),
        (418, Reason.ANSWER_NOT_UNDERSTOOD),
    ],
)
@pytest.mark.parametrize("kind", ["tuf", "sidecar"])
def test_each_refusal_of_a_server_has_its_reason(
    kind: str, status: int, reason: Reason, host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    def refuse(handler: object) -> None:
        handler.send_response(status)  # type: ignore[attr-defined]  # a BaseHTTPRequestHandler
        handler.send_header("Content-Length", "0")  # type: ignore[attr-defined]  # the same
        handler.end_headers()  # type: ignore[attr-defined]  # the same

    server.instead |= {"timestamp.json": refuse, "SHA256SUMS": refuse}
    engine = (
        host.tuf(server.url, repository.first_root)
        if kind == "tuf"
        else SignedChecksumsEngine(f"{server.url}/SHA256SUMS", Keyring([Vendor.new().public_key]), web=host.web)
    )

    with pytest.raises(PawldError) as failed:
        host.policy(engine).record(QUESTION)
    assert failed.value.reason is reason


def test_a_policy_without_an_engine_is_none(host: Host) -> None:
    with pytest.raises(ValueError, match="at least one engine"):
        Policy([], host.marks, host.clock, "acme")


@pytest.mark.parametrize(
    ("keys", "threshold"), [([], 1), (["RWnonsense"], 1), (["one"], 2), (["one"], 0), (["one", "one"], 1)]
)
def test_a_keyring_that_would_prove_less_than_it_says_is_refused(keys: list[str], threshold: int) -> None:
    key = Vendor.new().public_key

    with pytest.raises(OperatorError) as wrong:
        Keyring([key if one == "one" else one for one in keys], threshold)
    assert wrong.value.reason is Reason.CONFIG_INVALID
