"""A reader that was turned takes signed metadata apart, and lies about it: it can refuse service, and nothing else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.heard import heard_json
from support.liars import lying
from support.static_web import StaticWeb, static_web
from support.trusting import QUESTION, Host, files_of
from support.tuf_repository import TufRepository, acme_repository, new_key

from pawld.errors import RejectedError, TransientError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.system.http.hop import Hop
from pawld.system.http.readings import READINGS, Reading
from pawld.system.http.walled import WalledWeb
from pawld.trust.policy import Policy
from pawld.trust.tuf_proof import LONGEST_KEY_ID, LONGEST_SIGNATURE, MOST_SIGNATURES

EXPLOIT = b'{"the text that takes the reader over'
Lie = Callable[[Any], Any]


class Turned(Web):
    """Reads in another process, as far as anybody can tell, and lies about one document."""

    reads_apart = True

    def __init__(self) -> None:
        super().__init__()
        self.about = "timestamp.json"
        self.lie: Lie = lambda told: told

    def read(self, reading: Reading, body: bytes, hop: Hop) -> Any:
        told = READINGS[reading](body)
        return self.lie(told) if hop.address.target.endswith(f"/{self.about}") else told


@pytest.fixture
def repository() -> TufRepository:
    return acme_repository()


@pytest.fixture
def server(repository: TufRepository) -> Iterator[StaticWeb]:
    with static_web(repository.files) as web:
        yield web


@pytest.fixture
def web() -> Iterator[Turned]:
    with Turned() as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, web: Turned) -> Host:
    return Host(tmp_path, web)


@pytest.fixture
def policy(host: Host, server: StaticWeb, repository: TufRepository) -> Policy:
    return host.policy(host.tuf(server.url, repository.first_root))


def content(host: Host) -> dict[str, bytes]:
    return {name: (host.cache / name).read_bytes() for name in files_of(host.cache)}


SHAPES: dict[str, Lie] = {
    "nothing": lambda _: None,
    "a number": lambda _: 2**200,
    "no list of signatures": lambda told: [7, told[1]],
    "text for bytes": lambda told: [told[0], "text"],
    "one thing more": lambda told: [*told, b""],
    "a signature that is none": lambda told: [["k"], told[1]],
    "a signature of numbers": lambda told: [[["k", 2**200]], told[1]],
    "too many signatures": lambda told: [[*told[0], *([str(one), "00"] for one in range(MOST_SIGNATURES))], told[1]],
    "a signature without end": lambda told: [[*told[0], ["k", "0" * (LONGEST_SIGNATURE + 1)]], told[1]],
    "a key without end": lambda told: [[*told[0], ["k" * (LONGEST_KEY_ID + 1), "00"]], told[1]],
}
FORGERIES: dict[str, Lie] = {
    "no signature": lambda told: [[], told[1]],
    "signed bytes swapped for others": lambda told: [told[0], EXPLOIT],
    "one byte more": lambda told: [told[0], told[1] + b" "],
    "signatures that are no hexadecimal": lambda told: [[[told[0][0][0], "\ud800"]], told[1]],
    "the key of a stranger": lambda _: [[[(key := new_key()).public_key.keyid, key.sign(EXPLOIT).signature]], EXPLOIT],
    "the stranger's word under the true key": lambda told: [
        [[told[0][0][0], new_key().sign(EXPLOIT).signature]],
        EXPLOIT,
    ],
}


@pytest.mark.parametrize("lie", SHAPES.values(), ids=SHAPES.keys())
def test_what_has_another_form_than_an_envelope_is_refused(lie: Lie, web: Turned, policy: Policy, host: Host) -> None:
    web.lie = lie
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.METADATA_UNTRUSTED
    assert set(content(host)) == {"root.json", "root_history/1.root.json"}


@pytest.mark.parametrize(
    "about", ["timestamp.json", "2.snapshot.json", "2.targets.json", "2.stable.json", "2.root.json"]
)
@pytest.mark.parametrize("lie", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_no_trusted_key_signed_is_refused_and_never_read(
    lie: Lie, about: str, web: Turned, policy: Policy, host: Host, repository: TufRepository
) -> None:
    assert isinstance(policy.record(QUESTION), Record)
    before = content(host)
    repository.publish_root()
    repository.publish()
    web.about, web.lie = about, lie
    with heard_json() as heard, pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert EXPLOIT.decode() not in heard
    after, lied = content(host), about.removeprefix("2.")
    assert after.get(f"root_history/{about}") is None or "root" not in about
    if "root" not in about:
        assert after[lied] == before[lied]


@pytest.mark.parametrize(
    ("about", "instead"),
    [("timestamp.json", "1.snapshot.json"), ("1.snapshot.json", "1.targets.json"), ("1.targets.json", "1.stable.json")],
)
def test_what_was_signed_for_another_role_is_refused(
    about: str, instead: str, web: Turned, policy: Policy, host: Host, repository: TufRepository
) -> None:
    other = READINGS[Reading.ENVELOPE](repository.files[instead])
    web.about, web.lie = about, lambda _: other
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert about.removeprefix("1.") not in content(host)


def test_what_was_signed_before_is_no_news(web: Turned, policy: Policy, host: Host, repository: TufRepository) -> None:
    old = READINGS[Reading.ENVELOPE](repository.files["timestamp.json"])
    repository.publish()
    assert isinstance(policy.record(QUESTION), Record)
    before = content(host)
    web.lie = lambda _: old
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
    assert content(host) == before


def test_a_signature_that_is_told_twice_counts_once(web: Turned, policy: Policy, repository: TufRepository) -> None:
    repository.rotate("timestamp")
    repository.root.roles["timestamp"].threshold = 2
    second = new_key()
    repository.root.add_key(second.public_key, "timestamp")
    repository.publish_root()
    repository.publish()
    web.lie = lambda told: [told[0] * 2, told[1]]
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET


@pytest.mark.rig("root")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("a reading that is no value", "it told what is no value"),
        ("a reading without end", "it sent more than it may"),
        ("a reading longer than what was read", "it sent more than it may"),
        ("a crash over what it reads", "it ended before its time"),
    ],
)
def test_a_real_child_that_breaks_the_talk_over_a_document_is_ended(
    kind: str, words: str, server: StaticWeb, repository: TufRepository, tmp_path: Path
) -> None:
    with WalledWeb(lying(kind)) as web:
        host = Host(tmp_path, web)
        with pytest.raises(TransientError) as failed:
            host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)
    assert failed.value.reason is Reason.READER_FAILED
    assert words in failed.value.message
    assert set(content(host)) == {"root.json", "root_history/1.root.json"}
    assert json.loads(content(host)["root.json"]) == json.loads(repository.first_root)
