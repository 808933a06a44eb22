"""The only reader of configuration and environment.

``outline`` is the cheap look that ``status`` and the idle daemon take; ``load`` reads and judges all. What a table
may hold stands in ``sources``, ``pins``, ``trust``, ``install``, ``health``, ``gates``, ``updater`` and ``models``.
Nothing here opens a connection or reads a secret.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawld.settings.glance import Outline, OutlinedAgent, outline

if TYPE_CHECKING:
    from pawld.settings.models import Agent, Settings
    from pawld.settings.rows import Row

__all__ = ["Agent", "Outline", "OutlinedAgent", "Row", "Settings", "explain", "json_schema", "load", "outline"]


def load(path: Path | None, environ: Mapping[str, str]) -> "Settings":
    """Read and judge the whole configuration; see ``reading.load``."""
    from pawld.settings.reading import load as load_all  # noqa: PLC0415 - imports pydantic

    return load_all(path, environ)


def explain(settings: "Settings") -> "list[Row]":
    """Return every effective setting with where it came from; see ``rows.explain``."""
    from pawld.settings.rows import explain as explain_all  # noqa: PLC0415 - imports pydantic

    return explain_all(settings)


def json_schema() -> dict[str, Any]:
    """Return the configuration's JSON Schema; see ``schema.json_schema``."""
    from pawld.settings.schema import json_schema as whole_schema  # noqa: PLC0415 - imports pydantic

    return whole_schema()


def __getattr__(name: str) -> Any:
    """Hand out the models by name, importing pydantic only then."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pawld.settings import models, rows  # noqa: PLC0415 - import pydantic

    return getattr(rows if name == "Row" else models, name)
