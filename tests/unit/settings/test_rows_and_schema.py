import json
from pathlib import Path

import pytest
from support.configuration import MINIMAL, loaded, written

import pawld.settings
from pawld.settings import Row, Settings, explain, json_schema
from pawld.settings.places import configuration_file, state_directory


def test_every_row_tells_where_its_value_was_written(tmp_path: Path) -> None:
    text = MINIMAL + '[agents.acme.platform]\nos = "linux"\narch = "x86_64"\n'
    rows = {row.key: row for row in explain(loaded(tmp_path, text))}
    file = str(tmp_path / "pawld.toml")
    assert rows["agents.acme.source.token"] == Row("agents.acme.source.token", "(the file /etc/pawld/acme.token)", file)
    assert rows["agents.acme.platform.os"] == Row("agents.acme.platform.os", "linux", file)
    assert rows["updater.check_every"] == Row("updater.check_every", "1h", "default")
    assert rows["updater.max_build"].value == "8GiB"
    assert rows["agents.acme.product"].origin == "default"
    assert "updater.proxy" not in rows


def test_a_table_of_plain_values_is_one_row(tmp_path: Path) -> None:
    head = MINIMAL.partition("[agents.acme.trust]")[0]
    text = f'{head}[agents.acme.trust]\ntype = "pinned_sha256"\nsha256 = {{ linux-x86_64 = "{"a" * 64}" }}\n'
    rows = {row.key: row for row in explain(loaded(tmp_path, text))}
    assert rows["agents.acme.trust.sha256"].value == {"linux-x86_64": "a" * 64}
    assert rows["agents.acme.trust.sha256"].origin == str(tmp_path / "pawld.toml")


def test_the_schema_knows_every_table_and_writes_secrets_by_their_place() -> None:
    schema = json_schema()
    json.dumps(schema)
    source = schema["$defs"]["ScalepadSource"]
    assert {"token_file", "token_env", "token_credential", "token_command"} <= set(source["properties"])
    assert "token" not in source["properties"]
    assert source["additionalProperties"] is False
    agent = schema["$defs"]["Agent"]["properties"]
    assert {"$ref": "#/$defs/ScalepadSource"} in agent["source"]["oneOf"]
    window = schema["$defs"]["WindowGate"]["properties"]
    assert "from" in window


def test_the_schema_says_what_every_key_means() -> None:
    for name, table in json_schema()["$defs"].items():
        for key, one in table.get("properties", {}).items():
            assert key == "type" or one.get("description"), f"{name}.{key}"


def test_the_schema_refers_to_nothing_that_is_not_there() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    for part in text.split('"$ref": "#/$defs/')[1:]:
        assert part.partition('"')[0] in schema["$defs"]


def test_what_needs_no_product_in_a_file_needs_none_in_the_schema() -> None:
    assert json_schema()["$defs"]["Agent"]["required"] == ["root", "source", "trust"]


@pytest.mark.parametrize(
    ("system", "file", "state"),
    [
        ("linux", "/etc/pawld/pawld.toml", "/var/lib/pawld"),
        ("freebsd14", "/etc/pawld/pawld.toml", "/var/lib/pawld"),
        ("darwin", "/Library/Application Support/pawld/pawld.toml", "/Library/Application Support/pawld"),
        ("win32", r"D:\Data\pawld\pawld.toml", r"D:\Data\pawld"),
    ],
)
def test_each_system_has_its_own_places(monkeypatch: pytest.MonkeyPatch, system: str, file: str, state: str) -> None:
    monkeypatch.setenv("ProgramData", r"D:\Data")
    assert str(configuration_file(system)) == file
    assert str(state_directory(system)) == state


def test_windows_has_a_place_without_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ProgramData", raising=False)
    assert str(state_directory("win32")) == r"C:\ProgramData\pawld"


def test_the_package_hands_out_its_models_and_nothing_else(tmp_path: Path) -> None:
    assert isinstance(loaded(tmp_path, MINIMAL), Settings)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pawld.settings.nonsense
    assert written(tmp_path, MINIMAL).exists()
