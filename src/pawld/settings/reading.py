"""From what was written to valid settings, or to every problem that stands in the way."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

# pydantic looks for plugins among all installed packages: 20 ms for what nobody here wants to run.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import ValidationError  # after the line above

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.merge import Draft, gather
from pawld.settings.models import Settings

# Loading what would look for them takes 10 ms more; it is loaded with the first model that is built.
_no_plugins = ModuleType("pydantic.plugin._loader")
vars(_no_plugins)["get_plugins"] = tuple
sys.modules.setdefault(_no_plugins.__name__, _no_plugins)


class ConfigInvalidError(OperatorError):
    """The configuration has *problems*, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        head = "" if len(problems) == 1 else f"The configuration has {len(problems)} problems:\n"
        super().__init__(Reason.CONFIG_INVALID, head + "\n".join(problems))
        self.problems = problems


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read and judge the whole configuration; *path* None means ``$PAWLD_CONFIG``, else the system's own place.

    Raises:
        OperatorError: config_missing, config_invalid with every problem, permission_denied.
    """
    return judged(gather(path, environ))


def judged(draft: Draft) -> Settings:
    """Return valid settings that know where each value came from; ``ConfigInvalidError`` with every problem."""
    try:
        settings = Settings.model_validate(draft.tree)
    except ValidationError as error:
        from pawld.settings.problems import problems_of  # noqa: PLC0415 - only where there are some

        raise ConfigInvalidError(problems_of(error, draft)) from None
    return settings.with_origins(draft.origins)
