from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import NOW, now, secret
from support.vendors_huawei import POOL, TASK, TOKEN, FakeCheck

from pawld.errors import OperatorError
from pawld.gates.codearts_pool import CodeartsPoolGate
from pawld.ports import Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import MOST_PAGES
from pawld.vendors.huawei_auth import TokenAuth

OTHER = "11223344000000001122334400000001"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakeCheck]:
    with FakeCheck(httpserver) as vendor:
        yield vendor


def made(web: Web, vendor: FakeCheck, folder: Path, **changes: Any) -> CodeartsPoolGate:
    facts = {"task_id": TASK, "pool_id": POOL} | changes
    return CodeartsPoolGate(web, vendor.url, TokenAuth(secret(folder, TOKEN)), now, **facts)


@pytest.fixture
def gate(web: Web, vendor: FakeCheck, tmp_path: Path) -> CodeartsPoolGate:
    return made(web, vendor, tmp_path)


def closed(gate: CodeartsPoolGate) -> Closed:
    answer = gate.check(NOW)
    assert isinstance(answer, Closed)
    return answer


def test_the_pool_in_use_is_in_scope_and_all_pools_are_told(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    assert gate.check(NOW) == Open(
        (
            f"pool {POOL} is in use",
            f"pools seen: new_engine_4u8g ({POOL}, DOCKER), Win7Custom ({OTHER}, WINDOWS_VM)",
        )
    )
    assert vendor.requests[0].headers["X-Language"] == "en-us"


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("Mac", "mac"),
        ("Windows_VM", "WINDOWS_VM"),
        ("WINDOWS_VM", "Windows_VM"),
        ("VM", "vm"),
        ("Docker", "DOCKER"),
        ("DOCKER", "Docker"),
        ("default", "default"),
    ],
)
def test_each_documented_type_fits_whatever_its_letter_case(
    web: Web, vendor: FakeCheck, tmp_path: Path, found: str, wanted: str
) -> None:
    vendor.pools[0]["type"] = found
    assert isinstance(made(web, vendor, tmp_path, pool_type=wanted).check(NOW), Open)


@pytest.mark.parametrize("found", ["VM", "", None, "a type of the future"])
def test_another_type_closes(web: Web, vendor: FakeCheck, tmp_path: Path, found: object) -> None:
    vendor.pools[0]["type"] = found
    answer = closed(made(web, vendor, tmp_path, pool_type="Docker"))
    assert answer.reason is Reason.POOL_OUT_OF_SCOPE
    assert answer.retry_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("resource_type", ["default", "exclusive", "self-hosted", None])
def test_each_documented_resource_type_is_read_and_decides_nothing(
    gate: CodeartsPoolGate, vendor: FakeCheck, resource_type: object
) -> None:
    vendor.pools[0]["resource_type"] = resource_type
    assert isinstance(gate.check(NOW), Open)


def test_another_pool_in_use_closes_and_is_told(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    vendor.selected = OTHER
    vendor.pools[0]["isSelected"], vendor.pools[1]["isSelected"] = False, True
    answer = closed(gate)
    assert answer.reason is Reason.POOL_OUT_OF_SCOPE
    assert f"selected: {OTHER}." in answer.message
    assert "Pools seen: new_engine_4u8g" in answer.message


@pytest.mark.parametrize("blank", ["", None])
def test_the_built_in_executors_are_out_of_scope(gate: CodeartsPoolGate, vendor: FakeCheck, blank: object) -> None:
    vendor.selected = blank
    vendor.pools[0]["isSelected"] = False
    assert "built-in executors" in closed(gate).message


@pytest.mark.parametrize(
    ("selected", "flags"),
    [(POOL, (True, True)), (POOL, (False, False)), (OTHER, (True, False)), ("", (True, False)), (POOL, (None, None))],
)
def test_an_answer_that_contradicts_itself_closes(
    gate: CodeartsPoolGate, vendor: FakeCheck, selected: str, flags: tuple[object, object]
) -> None:
    vendor.selected = selected
    vendor.pools[0]["isSelected"], vendor.pools[1]["isSelected"] = flags
    assert closed(gate).reason is Reason.POOL_OUT_OF_SCOPE


def test_a_pool_that_is_not_listed_closes(web: Web, vendor: FakeCheck, tmp_path: Path) -> None:
    answer = closed(made(web, vendor, tmp_path, pool_id="unheard-of"))
    assert "lists no pool unheard-of" in answer.message


def test_no_pool_at_all_closes(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    vendor.pools = []
    assert closed(gate).message.endswith("Pools seen: none.")


def pools(count: int) -> list[dict[str, object]]:
    others = [{"id": f"{n:032d}", "isSelected": False, "name": f"p{n}", "type": "VM"} for n in range(count - 1)]
    return [*others, {"id": POOL, "isSelected": True, "name": "ours", "type": "VM"}]


@pytest.mark.parametrize(("count", "pages"), [(50, 1), (51, 2), (120, 3)])
def test_all_pages_are_read(gate: CodeartsPoolGate, vendor: FakeCheck, count: int, pages: int) -> None:
    vendor.pools = pools(count)
    answer = gate.check(NOW)
    assert isinstance(answer, Open)
    assert answer.facts[1].endswith(f"and {count - 10} more")
    assert [one.args["page"] for one in vendor.requests] == [str(one + 1) for one in range(pages)]


def page(items: list[dict[str, object]], selected: str = POOL, **result: object) -> dict[str, object]:
    listed = {"resourcePoolId": selected, "resourcePools": items, **result}
    return {"httpStatus": "OK", "status": "success", "result": listed}


def test_without_a_total_a_page_that_is_not_full_is_the_last(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    all_pools = pools(60)
    vendor.says(200, page(all_pools[:50]))
    vendor.says(200, page(all_pools[50:]))
    assert isinstance(gate.check(NOW), Open)


@pytest.mark.parametrize(
    "answers",
    [
        [page(pools(2), total=3), page([], total=3)],
        [page(pools(2), total=3), page(pools(1), "another", total=3)],
        [{"httpStatus": "OK", "status": "success", "result": None}],
        [{"httpStatus": "OK", "status": "success"}],
        [page([{"id": 7}])],
    ],
    ids=["a page is missing", "two pools selected", "null", "absent", "a wrong type"],
)
def test_an_answer_that_does_not_add_up_breaks_the_gate(
    gate: CodeartsPoolGate, vendor: FakeCheck, answers: list[object]
) -> None:
    for one in answers:
        vendor.says(200, one)
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_pages_without_end_break_the_gate(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    for _ in range(MOST_PAGES):
        vendor.says(200, page(pools(1), total=10**9))
    assert isinstance(gate.check(NOW), Broken)
    assert len(vendor.requests) == MOST_PAGES


@pytest.mark.parametrize(
    ("http_status", "status"),
    [
        ("ACCEPTED", "success"),
        ("INTERNAL_SERVER_ERROR", "success"),
        ("INTERNAL_SERVER_ERROR", "error"),
        ("OK", "error"),
        ("OK", "a status of the future"),
        ("OK", None),
        ("A_STATUS_OF_THE_FUTURE", "success"),
        (None, "success"),
    ],
)
def test_each_documented_status_but_ok_with_success_closes(
    gate: CodeartsPoolGate, vendor: FakeCheck, http_status: object, status: object
) -> None:
    vendor.http_status, vendor.status = http_status, status
    assert closed(gate).reason is Reason.SERVER_ERROR


@pytest.mark.parametrize("status", ["success", "error"])
def test_a_bad_request_inside_http_200_breaks_the_gate(gate: CodeartsPoolGate, vendor: FakeCheck, status: str) -> None:
    vendor.http_status, vendor.status = "BAD_REQUEST", status
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.BAD_REQUEST


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error_code": "CC.xxxxxxxx.400", "error_msg": "Verify request parameter failed."}, Reason.BAD_REQUEST),
        (401, {"error_code": "CC.00000003", "error_msg": "Authentication information expired."}, Reason.UNAUTHORIZED),
        (403, {}, Reason.FORBIDDEN),
    ],
)
def test_a_documented_refusal_breaks_the_gate(
    gate: CodeartsPoolGate, vendor: FakeCheck, status: int, body: object, reason: Reason
) -> None:
    vendor.says(status, body)
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is reason


def test_a_busy_network_closes(gate: CodeartsPoolGate, vendor: FakeCheck) -> None:
    vendor.says(200, {"error_code": "CC.00000000", "error_msg": "network busy, retry later"})
    assert closed(gate).reason is Reason.SERVER_ERROR


def test_nothing_is_taken_and_nothing_to_give_back(gate: CodeartsPoolGate) -> None:
    gate.release()
    assert gate.name == "codearts_pool"


@pytest.mark.parametrize("wrong", [{"task_id": ""}, {"task_id": "a/b"}, {"task_id": "a" * 33}, {"pool_id": ""}])
def test_ids_are_checked_before_they_are_sent(
    web: Web, vendor: FakeCheck, tmp_path: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(OperatorError) as caught:
        made(web, vendor, tmp_path, **wrong)
    assert caught.value.reason is Reason.CONFIG_INVALID
