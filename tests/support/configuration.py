"""Configuration files for tests: one that is complete, and changes to it."""

from pathlib import Path
from textwrap import dedent

from pawld.settings import Settings, load

MINIMAL = dedent(
    """
    [agents.acme]
    root = "/opt/acme-agent"
    [agents.acme.source]
    type = "scalepad"
    base_url = "https://api.example.com/v2"
    token_file = "/etc/pawld/acme.token"
    [agents.acme.trust]
    type = "tuf"
    metadata_url = "https://updates.example.com/metadata"
    root_file = "/etc/pawld/acme.root.json"
    """
)


def written(directory: Path, text: str, name: str = "pawld.toml") -> Path:
    """Write a configuration file and return its path."""
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text), encoding="utf-8")
    return file


def loaded(directory: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    """Write a configuration and load it."""
    return load(written(directory, text), environ or {})


def agent_of(
    name: str, root: Path | str, url: str, root_file: Path | str, *, product: str = "", kind: str = "directory"
) -> str:
    """Return the tables of an agent that follows the publisher at *url*; keys of its ``install`` may come after them.

    Paths stand as they are, so that those of Windows need no escapes.
    """
    return f"""
[agents.{name}]
product = "{product or name}"
root = '{root}'
[agents.{name}.source]
type = "tuf"
[agents.{name}.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = '{root_file}'
[agents.{name}.install]
type = "{kind}"
reserve = "1MiB"
"""


def following(
    home: Path, url: str, *, kind: str = "directory", root: str = "opt", updater: str = "", rest: str = ""
) -> str:
    """Return a host's configuration in *home* for the publisher at *url*, whose ``root.json`` lies there too.

    *updater* is added to its table, and to what follows it; *rest* are further tables of the agent.
    """
    return f"""
[updater]
state_dir = "{home}/state"
{updater}
{agent_of("acme", home / root, url, home / "root.json", product="acme-agent", kind=kind)}
{rest}
"""
