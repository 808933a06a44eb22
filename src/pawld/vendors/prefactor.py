"""Prefactor: which version of an agent is meant to run. It keeps no binaries, digests or channels.

No idempotency key is sent with these reads: a constant one could freeze the answer.
"""

import re
from typing import Any, TypeVar

from pydantic import Field

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import Api, Auth, Now, misunderstood
from pawld.vendors.forms import Form, read

VENDOR = "Prefactor"
BASE_URL = "https://app.prefactorai.com"
_PREFIX = "/api/v1"
_PFID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{31}", re.ASCII)

_F = TypeVar("_F", bound=Form)


class RuntimeForm(Form):
    """``runtime_environment``: what the version was made for."""

    os: str | None = None
    runtime: str | None = None


class VersionForm(Form):
    """``AgentVersion``; older services have fewer fields."""

    id: str
    type: str | None = None
    agent_id: str | None = None
    external_identifier: str | None = None
    repeats: int | None = Field(default=None, alias="external_identifier_repeats")
    deployments: list[str] | None = Field(default=None, alias="current_agent_deployment_refs")
    runtime: RuntimeForm | None = Field(default=None, alias="runtime_environment")


class DeploymentForm(Form):
    """``AgentDeployment``: null as its current version clears the pin."""

    id: str
    type: str | None = None
    current_version_id: str | None


class PrefactorApi:
    """The two reads. Refusals are raised as ``faults`` reads them."""

    def __init__(self, web: Web, base_url: str, auth: Auth, now: Now) -> None:
        self._api = Api(web, VENDOR, base_url.rstrip("/").removesuffix(_PREFIX), auth, now)

    def version(self, version_id: str) -> VersionForm:
        """Return that agent version."""
        form = self._details(VersionForm, "agent_version", version_id)
        return self._matching(form, form.id, form.type, "agent_version", version_id)

    def deployment(self, deployment_id: str) -> DeploymentForm:
        """Return that deployment."""
        form = self._details(DeploymentForm, "agent_deployment", deployment_id)
        return self._matching(form, form.id, form.type, "agent_deployment", deployment_id)

    def _details(self, form: type[_F], kind: str, wanted: str) -> _F:
        answer = self._api.get(f"{_PREFIX}/{kind}/{checked_pfid(wanted, f'{kind}_id')}")
        if answer.get("status") != "success":
            raise misunderstood(VENDOR, "its status is not success")
        details: Any = answer.get("details")
        return read(form, details, VENDOR, f"the {kind}")

    def _matching(self, form: _F, found: str, found_type: str | None, kind: str, wanted: str) -> _F:
        if found != wanted or found_type not in (None, kind):
            raise misunderstood(VENDOR, f"it tells of something else than the {kind} {wanted}")
        return form


def checked_pfid(text: str, name: str) -> str:
    """Return *text* where it is an id of Prefactor; ``OperatorError`` (config_invalid) naming *name* otherwise."""
    if not _PFID.fullmatch(text):
        raise OperatorError(Reason.CONFIG_INVALID, f"{name} must be an id of Prefactor, and {text[:64]!r} is none.")
    return text
