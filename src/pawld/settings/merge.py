"""One tree out of the file, its fragments and the variables, and where each leaf came from. Nothing is judged here.

The file comes first, then ``conf.d/*.toml`` beside it in the order of their names, then ``PAWLD_…`` variables with
``__`` between the levels. Tables merge; everything else, lists included, is replaced by what comes later.

pydantic-settings could read the variables, but its import costs 70 ms of CPU beyond pydantic, it passes over names that
it does not know, and it does not tell where a value came from. These lines do, in the 40 ms that ``status`` takes.
"""

import os
import re
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.places import configuration_file
from pawld.system.windows_access import CHANGE, who_may
from pawld.values import dataclass

PREFIX = "PAWLD_"
CONFIG_VARIABLE = "PAWLD_CONFIG"
LIMIT = 1024 * 1024  # bytes of one file
SECRETS = ("token", "password", "access_key", "secret_key", "security_token", "webhook_token", "otlp_headers")
PLACES = ("_file", "_env", "_credential", "_command")
_GUARDED = sys.platform != "win32"  # Windows guards by access lists, which the mode does not show
_TWINS = frozenset(stem + place for stem in (*SECRETS, "root") for place in PLACES)
_TOML_VALUE = re.compile(r'\s*(\[.*\]|\{.*\}|".*"|true|false|[+-]?\d+)\s*', re.DOTALL)

Keys = tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """What was written, before anybody judged it.

    Attributes:
        tree: the merged tables.
        origins: for each leaf, the file or the variable that it came from.
        file: the main file, there or not.
    """

    file: Path
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[Keys, str] = field(default_factory=dict)

    def add(self, table: Mapping[str, Any], origin: str) -> None:
        """Lay *table* over what is there."""
        self._lay(self.tree, table, (), origin)

    def origin(self, path: tuple[Any, ...]) -> str:
        """Return where the leaf at *path*, or the nearest thing around it, came from."""
        keys = tuple(str(part) for part in path)
        for length in range(len(keys), 0, -1):
            if found := next((self.origins[one] for one in self.origins if one[:length] == keys[:length]), None):
                return found
        return str(self.file)

    def _lay(self, below: dict[str, Any], above: Mapping[str, Any], path: Keys, origin: str) -> None:
        for key, value in above.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(below.get(key, {}), dict):
                self._lay(below.setdefault(key, {}), value, here, origin)
                continue
            self._forget(below, here, origin)
            below[key] = value
            self.origins[here] = origin

    def _forget(self, below: dict[str, Any], here: Keys, origin: str) -> None:
        """Drop what *here* replaces: the old value, and the same secret given in another place and another file."""
        replaced = {here[-1]}
        if here[-1] in _TWINS:
            stem = here[-1].rpartition("_")[0]
            twins = {stem + place for place in PLACES}
            replaced |= {one for one in twins if self.origins.get((*here[:-1], one), origin) != origin}
        for key in replaced:
            old = (*here[:-1], key)
            for leaf in [one for one in self.origins if one[: len(old)] == old]:
                del self.origins[leaf]
            below.pop(key, None)


def gather(path: Path | None, environ: Mapping[str, str]) -> Draft:
    """Read everything that configures this host; *path* None means ``$PAWLD_CONFIG``, else the system's own place.

    Raises:
        OperatorError: config_missing, config_invalid (no TOML), permission_denied.
    """
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    draft = Draft(named or configuration_file(sys.platform))
    fragments = sorted((draft.file.parent / "conf.d").glob("*.toml"))
    for file in [draft.file, *fragments]:
        if (table := _read(file)) is not None:
            draft.add(table, str(file))
        elif named or not (fragments or _mentions_agents(environ)):
            raise OperatorError(Reason.CONFIG_MISSING, f"There is no configuration file {file}.")
    for keys, value, name in _variables(environ, draft.tree):
        draft.add(_nested(keys, value), f"${name}")
    return draft


def _read(file: Path) -> dict[str, Any] | None:
    """Return the file's tables; None where there is no such file."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(LIMIT + 1)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise OperatorError(
            Reason.PERMISSION_DENIED, f"The configuration file {file} may not be read by this user."
        ) from error
    except OSError as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{file} cannot be read: {error.strerror or error}.") from error
    if _GUARDED and mode & stat.S_IWOTH:
        raise OperatorError(
            Reason.CONFIG_INVALID,
            f"{file} may be changed by any user of this host, who could have pawld run anything: `chmod o-w` it.",
        )
    if (other := who_may(file, CHANGE)) is not None:
        raise OperatorError(
            Reason.CONFIG_INVALID,
            f"{file} may be changed by {other}, who could have pawld run anything. Give it to administrators alone: "
            f'`icacls "{file}" /setowner *S-1-5-32-544`, then `icacls "{file}" /inheritance:r /grant *S-1-5-32-544:F '
            "*S-1-5-18:F`.",
        )
    if len(data) > LIMIT:
        raise OperatorError(Reason.CONFIG_INVALID, f"{file} is larger than {LIMIT} bytes.")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{file} is not UTF-8 text, at byte {error.start + 1}.") from error
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{file} is not TOML: {error}.") from error


def _mentions_agents(environ: Mapping[str, str]) -> bool:
    return any(name.startswith(f"{PREFIX}AGENTS__") for name in environ)


def _variables(environ: Mapping[str, str], tree: Mapping[str, Any]) -> Iterator[tuple[Keys, Any, str]]:
    """Yield each variable that configures pawld: its keys, its value, its name."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or "__" not in name:
            continue  # every key lies two levels deep; what has one may hold a token, a passphrase, the config's path
        keys = [part.lower() for part in name.removeprefix(PREFIX).split("__")]
        if keys[0] == "agents" and len(keys) > 1:
            keys[1] = _agent_named(keys[1], tree.get("agents"), name)
        if keys[-1] in SECRETS:  # the variable holds the secret itself, so only its name goes into the tree
            yield (*keys[:-1], f"{keys[-1]}_env"), name, name
        else:
            yield tuple(keys), _value(environ[name]), name


def _agent_named(spelled: str, agents: Any, variable: str) -> str:
    """Return the agent that a variable means; it cannot spell dashes, dots and small letters, so they are levelled."""
    names = [name for name in agents if _spelling(name) == spelled] if isinstance(agents, dict) else []
    if len(names) > 1:
        raise OperatorError(
            Reason.CONFIG_INVALID,
            f"${variable} could mean any of the agents {', '.join(names)}; set it in a file instead.",
        )
    return str(names[0]) if names else spelled


def _spelling(name: str) -> str:
    return re.sub(r"[-.]", "_", name.lower())


def _value(text: str) -> Any:
    """A list, a table, true, false, a whole number or quoted text is read as TOML; anything else is itself."""
    if not _TOML_VALUE.fullmatch(text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _nested(keys: Keys, value: Any) -> dict[str, Any]:
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return dict(nested)
