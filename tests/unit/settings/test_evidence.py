"""What the configuration may demand beside the record, and what it must pin for that."""

from pathlib import Path

import pytest
from support.configuration import MINIMAL, loaded
from support.signing import Vendor

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings import Settings, explain, json_schema

ONE, TWO = Vendor.new().public_key, Vendor.new().public_key
TUF = 'type = "tuf"\nmetadata_url = "https://u.example.com/metadata"\nroot_file = "/etc/pawld/acme.root.json"\n'
CHECKSUMS = f'type = "signed_checksums"\npublic_keys = ["{ONE}"]\nchecksums_url = "https://u.example.com/SHA256SUMS"\n'


def with_evidence(directory: Path, evidence: str, trust: str = TUF) -> Settings:
    head = MINIMAL.partition("[agents.acme.trust]")[0]
    return loaded(directory, f"{head}[agents.acme.trust]\n{trust}[agents.acme.trust.evidence]\n{evidence}\n")


def test_nothing_is_demanded_by_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL).agents["acme"].trust.evidence is None


def test_the_schema_and_the_effective_settings_show_it(tmp_path: Path) -> None:
    trust = json_schema()["$defs"]["TufTrust"]["properties"]["evidence"]
    assert trust["oneOf"] == [{"$ref": "#/$defs/EvidenceDemand"}]
    rows = {row.key: row.value for row in explain(with_evidence(tmp_path, f'minisign = {{ public_keys = ["{ONE}"] }}'))}
    assert rows["agents.acme.trust.evidence.minisign.public_keys"] == [ONE]
    assert not [key for key in {row.key for row in explain(loaded(tmp_path, MINIMAL))} if "evidence" in key]


def test_a_key_that_is_not_known_is_told_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"agents\.acme\.trust\.evidence\.minisgn") as caught:
        with_evidence(tmp_path, "minisgn = 1")
    assert "minisign" in caught.value.message


def test_two_of_three_signers_may_be_demanded(tmp_path: Path) -> None:
    text = (
        f'of = ["minisign", "sigstore"]\nneed = 2\nminisign = {{ public_keys = ["{ONE}", "{TWO}"] }}\n'
        'sigstore = { trusted_root = "/etc/pawld/sigstore.json", identity = "release@acme.example", '
        'issuer = "https://accounts.example.com" }'
    )
    demand = with_evidence(tmp_path, text).agents["acme"].trust.evidence
    assert demand is not None
    assert (demand.of, demand.need) == (("minisign", "sigstore"), 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('of = ["minisign"]', "minisign.public_keys is not configured"),
        ('of = ["sshsig"]', "sshsig.public_key is not configured"),
        ('of = ["sigstore"]\nsigstore = { trusted_root = "/r.json" }', "identity and issuer is not configured"),
        ('of = ["authenticode"]\nauthenticode = { ca_file = "/c.pem" }', "authenticode.leaf_sha256 is not"),
        ('of = ["pkgutil"]', "pkgutil.team_id is not configured"),
        (f'of = ["minisign"]\nneed = 2\nminisign = {{ public_keys = ["{ONE}"] }}', "more than the 1 signers"),
        ("need = 1", "more than the 0 signers"),
        (f'of = ["minisign"]\nneed = 2\nminisign = {{ public_keys = ["{ONE}", "{ONE}"] }}', "more than the 1 signers"),
    ],
)
def test_what_is_demanded_must_be_known_by_keys_of_this_host(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(OperatorError) as caught:
        with_evidence(tmp_path, text)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert told in caught.value.message


def test_checksums_can_carry_no_evidence_but_a_build_can(tmp_path: Path) -> None:
    with_evidence(tmp_path, 'of = ["pkgutil"]\npkgutil = { team_id = "ABCDE12345" }', CHECKSUMS)
    with pytest.raises(OperatorError, match="no record that could carry evidence"):
        with_evidence(tmp_path, f'of = ["minisign"]\nminisign = {{ public_keys = ["{ONE}"] }}', CHECKSUMS)


def test_keys_are_pinned_or_named_by_a_repository(tmp_path: Path) -> None:
    place = 'metadata_url = "https://u.example.com/metadata", root_file = "/etc/pawld/keys.root.json"'
    url = 'type = "signed_checksums"\nchecksums_url = "https://u.example.com/SHA256SUMS"\n'
    carried = f"{url}keys_from = {{ {place} }}\n"
    trust = with_evidence(tmp_path, "", carried).agents["acme"].trust
    assert trust.type == "signed_checksums"
    assert trust.keys_from is not None
    assert trust.keys_from.target == "vendor-keys/{product}.json"
    for bad, told in (
        (url, "public_keys or keys_from"),
        (f'{carried}public_keys = ["{ONE}"]\n', "public_keys or keys_from"),
        (f"{carried}threshold = 2\n", "threshold stands in the target"),
    ):
        with pytest.raises(OperatorError, match=told):
            with_evidence(tmp_path, "", bad)
