"""Huawei CodeArts Check: the agent pools that a check task may use, and the one that it does use.

The call knows pools only: no agents, no hosts, nobody busy.
"""

import re
from collections.abc import Iterator

from pydantic import Field

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.values import dataclass
from pawld.vendors.api import MOST_PAGES, Api, Auth, Now, misunderstood
from pawld.vendors.faults import plain
from pawld.vendors.forms import Form, read

VENDOR = "CodeArts Check"
PAGE_SIZE = 50  # pools; the documented maximum
_ID = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)


class PoolForm(Form):
    """One pool. Older versions of the service have no ``resource_type`` here."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    selected: bool | None = Field(default=None, alias="isSelected")
    resource_type: str | None = None


class ResultForm(Form):
    """A page of pools, with the selected one's id, which is blank where the built-in executors are used."""

    selected_id: str | None = Field(default=None, alias="resourcePoolId")
    selected_name: str | None = Field(default=None, alias="resourcePoolName")
    pools: list[PoolForm] | None = Field(default=None, alias="resourcePools")
    total: int | None = None


class _AnswerForm(Form):
    http_status: str | None = Field(default=None, alias="httpStatus")
    status: str | None = None
    result: ResultForm | None = None


@dataclass(frozen=True, slots=True)
class Pools:
    """Every pool of a task, and the id of the selected one (empty: built-in executors)."""

    pools: tuple[PoolForm, ...]
    selected_id: str


class CheckApi:
    """``QueryOctopusResourcePools`` for one task. Refusals are raised as ``faults`` reads them."""

    def __init__(self, web: Web, base_url: str, task_id: str, auth: Auth, now: Now) -> None:
        if not _ID.fullmatch(task_id):
            raise OperatorError(
                Reason.CONFIG_INVALID, f"task_id must have 1 to 32 letters and digits, and {task_id[:64]!r} has not."
            )
        self._api = Api(web, VENDOR, base_url, auth, now, {"X-Language": "en-us"})
        self._path = f"/v1/tasks/{task_id}/resource-pool"

    def pools(self) -> Pools:
        """Return the pools of all pages; ``RejectedError`` where the pages do not add up to their total."""
        pages = list(self._pages())
        pools = tuple(pool for page in pages for pool in page.pools or [])
        selected = {page.selected_id or "" for page in pages}
        if len(selected) != 1:
            raise misunderstood(VENDOR, "its pages name different pools as the selected one")
        return Pools(pools, selected.pop())

    def _pages(self) -> Iterator[ResultForm]:
        seen = 0
        for number in range(1, MOST_PAGES + 1):
            page = self._page(number)
            yield page
            seen += len(page.pools or [])
            if page.total is None and len(page.pools or []) < PAGE_SIZE:
                return
            if page.total is not None and seen >= page.total:
                return
            if not page.pools:
                raise misunderstood(VENDOR, f"it lists {seen} of {page.total} pools and no more")
        raise misunderstood(VENDOR, f"the list of pools has more than {MOST_PAGES} pages")

    def _page(self, number: int) -> ResultForm:
        answer = self._api.get(self._path, {"page": str(number), "page_size": str(PAGE_SIZE)})
        page = read(_AnswerForm, answer, VENDOR, "the list of pools")
        http_status, status = page.http_status or "", page.status or ""
        if http_status == "BAD_REQUEST":
            raise OperatorError(Reason.BAD_REQUEST, f"{VENDOR} answered 200 with httpStatus BAD_REQUEST.")
        if http_status != "OK" or status != "success":
            told = plain(f"httpStatus {http_status or 'missing'} and status {status or 'missing'}", 160)
            raise TransientError(Reason.SERVER_ERROR, f"{VENDOR} answered 200 with {told}.")
        if page.result is None:
            raise misunderstood(VENDOR, "it holds no result")
        return page.result
