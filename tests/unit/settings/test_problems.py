# ruff: noqa: E501 - what a file says, and what is said of it, stays in one piece

from pathlib import Path
from typing import Any

import pytest
from support.configuration import MINIMAL, loaded, written

from pawld.errors import OperatorError
from pawld.reasons import Exit, Reason
from pawld.settings import load

KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
CODEARTS = """
type = "codearts"
base_url = "https://p.example.com"
project_id = "6ba9a2dbc7024c22a9a6614516dc22db"
pipeline_id = "6ba9a2dbc7024c22a9a6614516dc22db"
pipeline_run_id = "6ba9a2dbc7024c22a9a6614516dc22db"
job_run_id = "6ba9a2dbc7024c22a9a6614516dc22db"
auth = { type = "token", token_env = "T" }
"""


def problems(directory: Path, text: str, environ: Any = None) -> Any:
    with pytest.raises(OperatorError) as caught:
        loaded(directory, text, environ)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert caught.value.reason.exit is Exit.CONFIGURATION
    return [one.removeprefix(f"{directory / 'pawld.toml'}: ") for one in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\nchanel = "beta"',
            'agents.acme.chanel is unknown: [agents.acme] has no such key; perhaps "channel" is meant.',
        ),
        (
            "token_file",
            "token_fil",
            'agents.acme.source.token_fil is unknown: [agents.acme.source] has no such key; perhaps "token_file" is meant.',
        ),
        (
            "[agents.acme]",
            "[updatr]\n[agents.acme]",
            'updatr is unknown: the top level has no such key; perhaps "updater" is meant.',
        ),
        (
            "[agents.acme]",
            "[zzz]\n[agents.acme]",
            "zzz is unknown: the top level has no such key; known are updater, report, agents.",
        ),
        (
            "[agents.acme]",
            "[updater]\ncheck_every = 90\n[agents.acme]",
            'updater.check_every = 90: a duration is text with a unit (s, m, h or d), such as "90s", "1h" or "7d".',
        ),
        (
            "[agents.acme]",
            '[updater]\nrate_limit = "2MB"\n[agents.acme]',
            'updater.rate_limit = "2MB": a rate is a size per second, such as "2MiB/s".',
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\ninstall.reserve = "1GB"',
            'agents.acme.install.reserve = "1GB": a size is text with a unit (B, KiB, MiB or GiB), such as "512MiB".',
        ),
        (
            'root = "/opt/acme-agent"',
            "root = 7",
            'agents.acme.root = 7 is not a path in quotes; for example root = "/opt/acme-agent".',
        ),
        ('root = "/opt/acme-agent"', "", 'agents.acme.root is missing; for example root = "/opt/acme-agent".'),
        (
            'root = "/opt/acme-agent"',
            'root = "opt"',
            'agents.acme.root = "opt": a path here is absolute, such as /etc/pawld/acme.token.',
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\nchannel = 1.0',
            'agents.acme.channel = 1.0 is not text in quotes; for example channel = "stable".',
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\nchannel = "a b"',
            'agents.acme.channel = "a b" is not of the right form; for example channel = "stable".',
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\ninstall.keep = "2"',
            'agents.acme.install.keep = "2" is not a whole number.',
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\ninstall.keep = 1',
            "agents.acme.install.keep = 1 must be at least 2.",
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\ninstall.keep = 1000',
            "agents.acme.install.keep = 1000 must be at most 100.",
        ),
        (
            'root = "/opt/acme-agent"',
            'root = "/opt/acme-agent"\ninstall.unsafe_allow_links = 1',
            "agents.acme.install.unsafe_allow_links = 1 is not true or false.",
        ),
        (
            'type = "scalepad"',
            'type = "scalpad"',
            'agents.acme.source.type = "scalpad" is unknown; perhaps "scalepad" is meant.',
        ),
        (
            'type = "scalepad"',
            'type = "ftp"',
            'agents.acme.source.type = "ftp" is unknown; known are scalepad, codearts, tuf, manifest.',
        ),
        (
            'type = "scalepad"',
            "",
            "agents.acme.source has no type; it is one of scalepad, codearts, tuf, manifest.",
        ),
        (
            "[agents.acme.source]",
            'service = "acme"\n[agents.acme.source]',
            'agents.acme.service = "acme" is not a table.',
        ),
        (
            'base_url = "https:',
            'base_url = "http:',
            (
                'agents.acme.source.base_url = "http://api.example.com/v2": an address here is https://HOST/PATH, '
                "or http:// for a loopback address only."
            ),
        ),
        (
            'token_file = "/etc/pawld/acme.token"',
            'token = "s3cr3t"',
            (
                "agents.acme.source.token holds the secret itself, where others may read it: replace the secret, and give "
                'token_file = "/etc/pawld/NAME.token", token_env, token_credential or token_command.'
            ),
        ),
        (
            'token_file = "/etc/pawld/acme.token"',
            'token_file = "/etc/pawld/acme.token"\ntoken_env = "T"',
            "agents.acme.source.token is given in more than one place (token_env, token_file); keep one.",
        ),
        (
            'token_file = "/etc/pawld/acme.token"',
            'token_file = "acme.token"',
            "agents.acme.source.token_file is not an absolute path.",
        ),
        (
            'token_file = "/etc/pawld/acme.token"',
            "token_file = 3",
            "agents.acme.source.token_file is not text.",
        ),
        (
            'token_file = "/etc/pawld/acme.token"',
            'token_command = "vault read"',
            'agents.acme.source.token_command is not a list such as ["vault"].',
        ),
        (
            "[agents.acme.trust]",
            '[agents.acme.pin]\ntype = "fixed"\nversion = 1.8\n[agents.acme.trust]',
            'agents.acme.pin.version = 1.8 is not text in quotes; for example version = "1.8.3".',
        ),
        (
            "[agents.acme.trust]",
            '[agents.acme.pin]\ntype = "prefactor"\ntoken_env = "T"\n[agents.acme.trust]',
            "[agents.acme.pin]: a prefactor pin has deployment_id or agent_version_id, one of the two.",
        ),
        (
            "[agents.acme.trust]",
            '[agents.acme.pin]\ntype = "prefactor"\ntoken_env = "T"\ndeployment_id = "x"\n[agents.acme.trust]',
            (
                'agents.acme.pin.deployment_id = "x" is not of the right form; for example '
                'deployment_id = "013xrzp12g3nqk8ns6jadrqmpgrjkeny".'
            ),
        ),
        (
            'root_file = "/etc/pawld/acme.root.json"',
            "",
            "[agents.acme.trust]: tuf trust has root_file or root_env, one of the two.",
        ),
        (
            "[agents.acme.trust]",
            '[agents.acme.health]\nchecks = [{ type = "service" }]\n[agents.acme.trust]',
            "[agents.acme]: health has a check of the type service, but there is no [service] table.",
        ),
        (
            "[agents.acme.trust]",
            "[agents.acme.health]\nfailures = 4\n[agents.acme.trust]",
            "[agents.acme.health]: failures = 4 can never be reached among = 3 looks.",
        ),
        (
            "[agents.acme.trust]",
            '[agents.acme.health]\nchecks = [{ type = "command", command = [] }]\n[agents.acme.trust]',
            "agents.acme.health.checks[0].command = []: a list of the wrong kind",
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "window"\ndays = ["monday"]\nfrom = "02:00"\nto = "03:00"\n[agents.acme.trust]',
            "agents.acme.gates[0].days[0] = \"monday\" is not one of 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'.",
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "window"\nfrom = "2:00"\nto = "03:00"\n[agents.acme.trust]',
            'agents.acme.gates[0].from = "2:00" is not of the right form; for example from = "02:00".',
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "window"\nfrom = "02:00"\nto = "02:00"\n[agents.acme.trust]',
            "[agents.acme.gates[0]]: from and to are the same time, so that the window would never open.",
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "window"\nfrom = "02:00"\nto = "03:00"\ntimezone = "Mars"\n[agents.acme.trust]',
            'agents.acme.gates[0].timezone = "Mars": a timezone is a name such as "UTC" or "Europe/Berlin".',
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "busy"\n[agents.acme.trust]',
            "[agents.acme.gates[0]]: a busy gate has command, lock_file or port, one of the three.",
        ),
        (
            "[agents.acme.trust]",
            '[[agents.acme.gates]]\ntype = "etcd_lock"\nendpoints = ["https://e.example"]\nuser = "u"\n[agents.acme.trust]',
            "[agents.acme.gates[0]]: an etcd_lock gate has both user and password_file, or neither.",
        ),
        (
            "[agents.acme.trust]",
            '[report]\nmetrics_listen = "0.0.0.0:9469"\n[agents.acme.trust]',
            (
                'report.metrics_listen = "0.0.0.0:9469": metrics are served on a loopback address alone, such as '
                '"127.0.0.1:9469".'
            ),
        ),
        (
            "[agents.acme.trust]",
            "[agents.acme.source.x]\n[agents.acme.trust]",
            (
                "agents.acme.source.x is unknown: [agents.acme.source] has no such key; known are final_hosts, type, base_url, "
                "token_file, token_env, token_credential, token_command."
            ),
        ),
    ],
)
def test_each_mistake_gets_one_sentence_with_the_place_and_the_mend(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in MINIMAL
    (found,) = problems(tmp_path, MINIMAL.replace(old, new, 1))
    assert found == sentence.replace(
        "a list of the wrong kind",
        'a command is a list of a program and its arguments, such as ["{current}/bin/acme", "health"].',
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = MINIMAL.replace("type = ", "typ = ") + "[updater]\ncheck_every = 1\n"
    found = problems(tmp_path, text)
    assert len(found) == 3
    with pytest.raises(OperatorError, match="The configuration has 3 problems:\n"):
        loaded(tmp_path, text)


def test_a_mistake_in_a_fragment_names_the_fragment(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL)
    fragment = written(tmp_path, "[agents.acme.install]\nkeep = 1\n", "conf.d/10.toml")
    with pytest.raises(OperatorError, match=f"^{fragment}: agents.acme.install.keep = 1 must be at least 2.$"):
        load(file, {})


def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, MINIMAL, {"PAWLD_UPDATER__CHECK_EVRY": "1h"})
    assert found.startswith("$PAWLD_UPDATER__CHECK_EVRY: updater.check_evry is unknown")
    assert found.endswith('perhaps "check_every" is meant.')


def test_a_variable_with_an_unknown_first_word_is_a_mistake_too(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, MINIMAL, {"PAWLD_UPDATR__CHECK_EVERY": "1h"})
    assert found.startswith("$PAWLD_UPDATR__CHECK_EVERY: updatr is unknown")


def test_no_mistake_shows_a_value_that_may_be_secret(tmp_path: Path) -> None:
    for line in ('token = "s3cr3t"', 'tokn = "s3cr3t"', 'token_file = "s3cr3t"', "token_env = 3", 'token = ["s3cr3t"]'):
        text = MINIMAL.replace('token_file = "/etc/pawld/acme.token"', line)
        assert "s3cr3t" not in "".join(problems(tmp_path, text))


def test_a_secret_that_is_needed_and_missing_says_where_it_may_lie(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "[agents.acme.trust]",
        '[agents.acme.pin]\ntype = "hawkbit"\nbase_url = "https://h.example"\n[agents.acme.trust]',
    )
    (found,) = problems(tmp_path, text)
    assert found == (
        'agents.acme.pin.token is missing: give token_file = "/etc/pawld/NAME.token", token_env, token_credential '
        "or token_command."
    )


def test_a_configuration_without_agents_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "[updater]\n") == ["agents is missing: a table [agents.NAME] says what to keep current."]
    assert problems(tmp_path, "[agents]\n") == ["[agents] is empty."]
    assert problems(tmp_path, "agents = 3\n") == ["agents = 3 is not a table."]
    assert problems(tmp_path, "[agents]\nacme = 3\n") == ["agents.acme = 3 is not a table."]


def test_an_agent_has_a_plain_name(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, MINIMAL.replace("agents.acme", 'agents."../x"'))
    assert found == 'the name "../x" of [agents] is not of the right form.'


def test_two_agents_share_no_root(tmp_path: Path) -> None:
    found = problems(tmp_path, MINIMAL + MINIMAL.replace("agents.acme", "agents.other"))
    assert found == ["the configuration: agents acme and other have the same root, /opt/acme-agent."]


@pytest.mark.parametrize(
    ("trust", "sentence"),
    [
        (f'public_keys = ["{KEY}"]\nthreshold = 2', "threshold = 2 is more than the 1 keys of public_keys."),
        (f'public_keys = ["{KEY}", "{KEY}"]', "public_keys names one key twice, which would count once."),
    ],
)
def test_a_threshold_that_cannot_be_met_is_refused(tmp_path: Path, trust: Any, sentence: str) -> None:
    head = MINIMAL.partition("[agents.acme.trust]")[0]
    text = f'{head}[agents.acme.trust]\ntype = "signed_manifest"\nmanifest_url = "https://e.example/m.json"\n{trust}\n'
    assert problems(tmp_path, text) == [f"[agents.acme.trust]: {sentence}"]


def test_keys_and_digests_are_read_before_they_are_used(tmp_path: Path) -> None:
    head = MINIMAL.partition("[agents.acme.trust]")[0]
    (found,) = problems(
        tmp_path,
        f'{head}[agents.acme.trust]\ntype = "pinned_sha256"\nsha256 = {{ linux-x86_64 = "abcdef1234567890" }}\n',
    )
    assert found.startswith('agents.acme.trust.sha256.linux-x86_64 = "abcdef1234567890" is not of the right form')
    (found,) = problems(
        tmp_path, f'{head}[agents.acme.trust]\ntype = "pinned_sha256"\nsha256 = {{ linux = "{"a" * 64}" }}\n'
    )
    assert "not a platform" in found
    (found,) = problems(
        tmp_path,
        f'{head}[agents.acme.trust]\ntype = "signed_manifest"\nmanifest_url = "https://e.example"\npublic_keys = ["RW="]\n',
    )
    assert "a minisign public key is the second line of its .pub file" in found
    (found,) = problems(
        tmp_path,
        f'{head}[agents.acme.trust]\ntype = "signed_manifest"\nmanifest_url = "https://e.example"\npublic_keys = []\n',
    )
    assert found.startswith("agents.acme.trust.public_keys = [] is empty")


def test_a_codearts_source_needs_somebody_who_names_the_version(tmp_path: Path) -> None:
    trust = f'type = "pinned_sha256"\nsha256 = {{ linux-x86_64 = "{"a" * 64}" }}\n'
    text = f'[agents.a]\nroot = "/a"\n[agents.a.source]\n{CODEARTS}\n[agents.a.trust]\n{trust}'
    (found,) = problems(tmp_path, text)
    assert "a codearts source cannot tell which version to run" in found
    assert loaded(tmp_path, text + 'version = "1.0"\n')
    assert loaded(tmp_path, text + '[agents.a.pin]\ntype = "fixed"\nversion = "1.0"\n')


@pytest.mark.parametrize("key", ['type = "signed_checksums"\nchecksums_url', 'type = "signed_manifest"\nmanifest_url'])
def test_a_template_with_a_version_does_not_name_the_version(tmp_path: Path, key: str) -> None:
    text = (
        f'[agents.a]\nroot = "/a"\n[agents.a.source]\n{CODEARTS}\n[agents.a.trust]\npublic_keys = ["{KEY}"]\n'
        f'{key} = "https://e.example/{{version}}"\n'
    )
    (found,) = problems(tmp_path, text)
    assert "cannot tell which version to run" in found
    assert loaded(tmp_path, text.replace("{version}", "{channel}"))


def test_a_tuf_source_needs_the_repository_of_its_trust(tmp_path: Path) -> None:
    head = MINIMAL.partition("[agents.acme.source]")[0]
    trust = f'type = "pinned_sha256"\nsha256 = {{ linux-x86_64 = "{"a" * 64}" }}\n'
    (found,) = problems(tmp_path, f'{head}[agents.acme.source]\ntype = "tuf"\n[agents.acme.trust]\n{trust}')
    assert found == '[agents.acme]: source.type = "tuf" needs trust.type = "tuf", whose repository it reads.'


def test_an_address_that_cannot_be_taken_apart_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    for url in ("https://[::1/", "https://example.com:99999/"):
        (found,) = problems(tmp_path, MINIMAL.replace("https://api.example.com/v2", url))
        assert found.startswith(f'agents.acme.source.base_url = "{url}"')
