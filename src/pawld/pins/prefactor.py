"""Pin ``prefactor``: the version that Prefactor has on record for a deployment, or one agent version by its id."""

import re
from collections.abc import Mapping

from pawld.errors import OperatorError
from pawld.model import Pinned, Platform
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.system.secret import Secret
from pawld.vendors.api import Bearer, Now, misunderstood
from pawld.vendors.faults import plain
from pawld.vendors.prefactor import BASE_URL, VENDOR, PrefactorApi, VersionForm, checked_pfid

_SYSTEMS: Mapping[str, str] = {
    "linux": "linux",
    "darwin": "macos",
    "macos": "macos",
    "mac": "macos",
    "osx": "macos",
    "windows": "windows",
    "win": "windows",
}
_LONGEST = 128  # characters of an identifier; versions and commit ids are far below


class PrefactorPin:
    """Asks Prefactor; exactly one of *deployment_id* and *agent_version_id* says for what.

    Args:
        allow_ambiguous: take an identifier that several agent versions share.
        allow_downgrade: an older version than the installed one is meant.
    """

    def __init__(
        self,
        web: Web,
        token: Secret,
        now: Now,
        *,
        deployment_id: str | None = None,
        agent_version_id: str | None = None,
        base_url: str = BASE_URL,
        allow_ambiguous: bool = False,
        allow_downgrade: bool = False,
    ) -> None:
        if (deployment_id is None) == (agent_version_id is None):
            raise OperatorError(Reason.CONFIG_INVALID, "The pin needs either a deployment_id or an agent_version_id.")
        self._deployment_id = _checked(deployment_id, "deployment_id")
        self._version_id = _checked(agent_version_id, "agent_version_id")
        self._api = PrefactorApi(web, base_url, Bearer(token), now)
        self._allow_ambiguous = allow_ambiguous
        self._allow_downgrade = allow_downgrade

    def wanted(self, platform: Platform) -> Pinned | None:
        """Return the order; None where the deployment pins nothing.

        Raises:
            OperatorError: pin_ambiguous, pin_not_for_this_host, and what Prefactor refuses.
            RejectedError: answer_not_understood.
        """
        version_id = self._version_id or self._pinned_by_deployment()
        if version_id is None:
            return None
        version = self._api.version(version_id)
        self._check_repeats(version)
        _check_system(version, platform)
        return Pinned(_version(version), self._by(), self._allow_downgrade, _facts(version))

    def _pinned_by_deployment(self) -> str | None:
        current = self._api.deployment(self._deployment_id or "").current_version_id
        if current is None:
            return None
        try:
            return checked_pfid(current, "current_version_id")
        except OperatorError as error:  # the vendor's fault here, not the configuration's
            raise misunderstood(VENDOR, "the deployment's current_version_id is no id") from error

    def _by(self) -> str:
        if self._deployment_id:
            return f"{VENDOR} deployment {self._deployment_id}"
        return f"{VENDOR} agent version {self._version_id}"

    def _check_repeats(self, version: VersionForm) -> None:
        if (version.repeats or 0) > 1 and not self._allow_ambiguous:
            raise OperatorError(
                Reason.PIN_AMBIGUOUS,
                f"{version.repeats} agent versions of {VENDOR} share the identifier {_shown(version)}, "
                f"so {self._by()} does not say which is meant.",
            )


def _checked(text: str | None, name: str) -> str | None:
    return None if text is None else checked_pfid(text, name)


def _version(version: VersionForm) -> str:
    """One leading ``v`` before a number is a habit of tags; any other identifier is meant as it stands."""
    text = (version.external_identifier or "").strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise misunderstood(VENDOR, f"the agent version {version.id} has no usable external_identifier")
    return re.sub(r"^[vV](?=[0-9])", "", text)


def _check_system(version: VersionForm, platform: Platform) -> None:
    """A version made for another system is a mistake of whoever pinned it; an unknown system counts as another."""
    stated = (version.runtime.os if version.runtime else None) or ""
    word = re.match(r"[a-z]*", stated.strip().lower())
    if stated.strip() and _SYSTEMS.get(word.group() if word else "") != platform.os:
        raise OperatorError(
            Reason.PIN_NOT_FOR_HOST,
            f"{VENDOR} agent version {version.id} was made for {plain(stated, 64)}, and this host is {platform}.",
        )


def _facts(version: VersionForm) -> dict[str, str]:
    runtime = version.runtime
    facts = {
        "agent_version": version.id,
        "external_identifier": _shown(version),
        "deployments": ", ".join(version.deployments or []) or "none",
        "os": (runtime.os if runtime else None) or "",
        "runtime": (runtime.runtime if runtime else None) or "",
    }
    return {name: plain(value, 240) for name, value in facts.items() if value}


def _shown(version: VersionForm) -> str:
    return plain(version.external_identifier or "", _LONGEST)
