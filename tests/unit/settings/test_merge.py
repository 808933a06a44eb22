from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.configuration import MINIMAL, loaded, written

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings import explain, load, outline
from pawld.settings.merge import SECRETS, gather
from pawld.settings.schema import _kinds
from pawld.settings.section import Section


def origin_of(settings: Any, key: str) -> Any:
    return next(row.origin for row in explain(settings) if row.key == key)


def test_fragments_are_laid_over_the_file_in_the_order_of_their_names(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL)
    written(tmp_path, '[agents.acme]\nchannel = "two"\n', "conf.d/20-late.toml")
    written(tmp_path, '[agents.acme]\nchannel = "one"\n[updater]\ncheck_every = "2h"\n', "conf.d/10-early.toml")
    written(tmp_path, 'channel = "no"', "conf.d/30-not-toml.txt")

    settings = load(file, {})

    assert settings.agents["acme"].channel == "two"
    assert settings.updater.check_every == timedelta(hours=2)
    assert origin_of(settings, "agents.acme.channel").endswith("20-late.toml")
    assert origin_of(settings, "agents.acme.root") == str(file)
    assert origin_of(settings, "updater.stall") == "default"


def test_lists_are_replaced_and_not_joined(tmp_path: Path) -> None:
    file = written(tmp_path, '[updater]\nmirrors = ["https://one.example"]\n' + MINIMAL)
    written(tmp_path, '[updater]\nmirrors = ["https://two.example"]\n', "conf.d/a.toml")
    assert load(file, {}).updater.mirrors == ("https://two.example",)


def test_variables_come_last(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, MINIMAL, {"PAWLD_UPDATER__CHECK_EVERY": "3h", "PAWLD_AGENTS__ACME__CHANNEL": "beta", "HOME": "/root"}
    )
    assert settings.updater.check_every == timedelta(hours=3)
    assert settings.agents["acme"].channel == "beta"
    assert origin_of(settings, "agents.acme.channel") == "$PAWLD_AGENTS__ACME__CHANNEL"


def test_a_variable_without_levels_configures_nothing(tmp_path: Path) -> None:
    """It may well hold the secret that some ``token_env`` names."""
    assert gather(written(tmp_path, MINIMAL), {"PAWLD_ACME_TOKEN": "x", "PAWLD_CONFIG": "y"}).tree.keys() == {"agents"}


def test_a_variable_may_hold_a_list_a_number_or_a_truth(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        MINIMAL,
        {
            "PAWLD_UPDATER__MIRRORS": '["https://m.example"]',
            "PAWLD_AGENTS__ACME__INSTALL__KEEP": "3",
            "PAWLD_AGENTS__ACME__GATES": '[{ type = "busy", port = 22 }]',
            "PAWLD_AGENTS__ACME__INSTALL__UNSAFE_ALLOW_LINKS": "true",
            "PAWLD_AGENTS__ACME__CHANNEL": '"1"',
        },
    )
    agent = settings.agents["acme"]
    assert settings.updater.mirrors == ("https://m.example",)
    assert agent.install.keep == 3
    assert agent.install.unsafe_allow_links is True
    assert agent.gates[0].port == 22
    assert agent.channel == "1"


def test_text_that_only_looks_like_a_list_is_text(tmp_path: Path) -> None:
    assert gather(written(tmp_path, MINIMAL), {"PAWLD_X__Y": "[not a list]"}).tree["x"] == {"y": "[not a list]"}


@pytest.mark.parametrize("name", ["acme-agent", "Acme.Agent", "acme_agent"])
def test_a_variable_finds_an_agent_whose_name_it_cannot_spell(tmp_path: Path, name: str) -> None:
    text = MINIMAL.replace("agents.acme", f'agents."{name}"')
    settings = loaded(tmp_path, text, {"PAWLD_AGENTS__ACME_AGENT__CHANNEL": "beta"})
    assert settings.agents[name].channel == "beta"


def test_a_variable_that_could_mean_two_agents_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace("agents.acme", "agents.a-b") + MINIMAL.replace("agents.acme", "agents.a_b")
    with pytest.raises(OperatorError, match="a-b, a_b") as caught:
        loaded(tmp_path, text, {"PAWLD_AGENTS__A_B__CHANNEL": "beta"})
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_variables_alone_can_configure_an_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawld.settings.merge.configuration_file", lambda _: tmp_path / "pawld.toml")
    environ = {
        "PAWLD_AGENTS__ACME__ROOT": "/opt/acme",
        "PAWLD_AGENTS__ACME__SOURCE": '{ type = "scalepad", base_url = "https://api.example.com" }',
        "PAWLD_AGENTS__ACME__TRUST__TYPE": "tuf",
        "PAWLD_AGENTS__ACME__TRUST__METADATA_URL": "https://u.example.com",
        "PAWLD_AGENTS__ACME__TRUST__ROOT_ENV": "ACME_ROOT",
    }
    assert load(None, environ).agents["acme"].trust.root_env == "ACME_ROOT"
    with pytest.raises(OperatorError) as caught:
        load(None, {})
    assert caught.value.reason is Reason.CONFIG_MISSING


def test_a_fragment_alone_can_configure_an_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawld.settings.merge.configuration_file", lambda _: tmp_path / "pawld.toml")
    written(tmp_path, MINIMAL, "conf.d/acme.toml")
    assert "acme" in load(None, {}).agents


def test_a_secret_in_a_variable_is_known_by_the_name_of_the_variable(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL, {"PAWLD_AGENTS__ACME__SOURCE__TOKEN": "s3cr3t"})
    assert settings.agents["acme"].source.token.describe() == "the variable PAWLD_AGENTS__ACME__SOURCE__TOKEN"
    assert "s3cr3t" not in repr(settings)
    assert "s3cr3t" not in repr(explain(settings))


def test_a_secret_in_another_place_replaces_the_one_below(tmp_path: Path) -> None:
    file = written(tmp_path, MINIMAL)
    written(tmp_path, '[agents.acme.source]\ntoken_credential = "acme"\n', "conf.d/a.toml")
    settings = load(file, {})
    assert settings.agents["acme"].source.token.describe() == "the file /run/credentials/pawld.service/acme"


def test_a_table_that_becomes_a_value_is_forgotten_whole(tmp_path: Path) -> None:
    file = written(tmp_path, '[agents.acme.source]\ntype = "scalepad"\n')
    written(tmp_path, '[agents]\nacme = "x"\n', "conf.d/a.toml")
    draft = gather(file, {})
    assert draft.tree == {"agents": {"acme": "x"}}
    assert list(draft.origins) == [("agents", "acme")]


def test_every_secret_of_every_table_is_known_to_the_merge() -> None:
    assert {name for kind in _kinds(Section) for name in kind.secrets()} == set(SECRETS)


def test_the_outline_says_the_same_as_the_whole(tmp_path: Path) -> None:
    file = written(tmp_path, '[updater]\nstate_dir = "/srv/pawld"\ncheck_every = "5m"\n' + MINIMAL)
    seen, whole = outline(file, {}), load(file, {})
    assert (seen.state_dir, seen.check_every) == (whole.updater.state_dir, whole.updater.check_every)
    assert seen.max_staleness == whole.updater.max_staleness
    (agent,) = seen.agents
    assert (agent.name, agent.product, agent.channel) == ("acme", "acme", "stable")
    assert agent.root == whole.agents["acme"].root


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[agents]\n",
        "agents = 3\n",
        MINIMAL.replace('"/opt/acme-agent"', "7"),
        MINIMAL.replace("root =", "product = 7\nroot ="),
        "updater = 1\n" + MINIMAL,
    ],
)
def test_the_outline_of_something_odd_names_what_is_wrong_with_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(OperatorError) as caught:
        outline(written(tmp_path, text), {})
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_the_outline_of_something_odd_but_valid_is_that_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawld.settings.glance.read_duration", lambda _: (_ for _ in ()).throw(ValueError))
    (agent,) = outline(written(tmp_path, MINIMAL), {}).agents
    assert agent.name == "acme"
