"""Source ``codearts``: CodeArts Pipeline locates a build whose version a pin or the signed record names.

It cannot tell what is newest, and vouches for nothing. The address is fetched without the vendor's credentials.
"""

from collections.abc import Mapping, Sequence

from pawld.errors import RejectedError, TransientError
from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import Auth, Now
from pawld.vendors.codearts_address import AgentAddress, NoAddress, address_in
from pawld.vendors.codearts_pipeline import VENDOR, PipelineApi, checked_id
from pawld.vendors.faults import plain
from pawld.vendors.places import named_place


class CodeartsSource:
    """Locates builds through ``AgentDownloadURL``, in the context of one run of one pipeline.

    Args:
        project_id: the CodeArts project, not the IAM project.
        arch_names: what the service calls each CPU; one that is not here keeps its own name.
        final_hosts: hosts that the address may name; empty allows any public one.
    """

    def __init__(
        self,
        web: Web,
        base_url: str,
        auth: Auth,
        now: Now,
        *,
        project_id: str,
        pipeline_id: str,
        pipeline_run_id: str,
        job_run_id: str,
        arch_names: Mapping[str, str] | None = None,
        final_hosts: Sequence[str] = (),
    ) -> None:
        self._api = PipelineApi(web, base_url, project_id, auth, now)
        self._base_url = base_url
        self._run = (
            checked_id(pipeline_id, "pipeline_id"),
            checked_id(pipeline_run_id, "pipeline_run_id"),
            checked_id(job_run_id, "job_run_id"),
        )
        self._arch_names = arch_names or {}
        self._final_hosts = tuple(final_hosts)

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:  # noqa: ARG002 - it has no channels
        """Return the *version* that was asked for: the service resolves versions, it does not know them."""
        return Offer(version=version)

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return the address for the record's version and CPU.

        Raises:
            TransientError: no_address where the answer holds none.
            RejectedError: source_disagrees, redirect_refused.
        """
        arch = self._arch_names.get(record.platform.arch, record.platform.arch)
        answer = self._api.agent_address(*self._run, arch, record.version)
        status = str(answer.get("status") or "success")
        if status.lower() != "success":
            raise TransientError(Reason.SERVER_ERROR, f"{VENDOR} answered with status {plain(status, 64)}.")
        address = address_in(answer.get("result"))
        if isinstance(address, NoAddress):
            raise TransientError(
                Reason.NO_ADDRESS, f"{VENDOR} names no address for {record.version}: its result is {address.found}."
            )
        _compare(address, record)
        return [Location(named_place(address.url, VENDOR, self._base_url, self._final_hosts), {}, self._final_hosts)]


def _compare(address: AgentAddress, record: Record) -> None:
    size = address.size if record.length_signed else None
    for what, said, signed in (("sha256", address.sha256, record.sha256), ("size", size, record.length)):
        if said is not None and said != signed:
            raise RejectedError(
                Reason.SOURCE_DISAGREES,
                f"{VENDOR} says {what} {said} where the signed record says {signed}; nothing is installed.",
            )
