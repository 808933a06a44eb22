from datetime import UTC, datetime

import pytest

from pawld.vendors.huawei_signature import Keys, signed_headers

KEYS = Keys("AKEXAMPLE0000000000", "SKexample/0000000000000000000000000000000")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "https://cloudpipeline-ext.cn-north-4.myhuaweicloud.com"
PROJECT = f"{HOST}/v5/db8d07265e24426598b3eb03a7818972"
JSON = {"Content-Type": "application/json"}


def signature(method: str, url: str, body: bytes = b"", keys: Keys = KEYS) -> dict[str, str]:
    return signed_headers(keys, method, url, JSON, body, NOW)


def test_the_known_answer_of_the_vendor_s_sdk_for_a_get_with_a_query() -> None:
    url = (
        f"{PROJECT}/pipelines/6ba9a2dbc7024c22a9a6614516dc22db/e41fe3981361476eb6dad17ad98c683c"
        "/0123456789abcdef0123456789abcdef/agent-runs/agent/download?arch=x86_64&version=1.2.3"
    )
    assert signature("GET", url) == {
        "X-Sdk-Date": "20260101T000000Z",
        "Authorization": "SDK-HMAC-SHA256 Access=AKEXAMPLE0000000000, SignedHeaders=content-type;host;x-sdk-date, "
        "Signature=a16fd075291dc5f09d8f85d2f82d31f9bf60d32ebab85f16519685676ab0da63",
    }


def test_the_known_answer_of_the_vendor_s_sdk_for_a_post_with_a_body() -> None:
    body = (
        b'{"query":[{"pipeline_id":"6ba9a2dbc7024c22a9a6614516dc22db",'
        b'"pipeline_run_id":"e41fe3981361476eb6dad17ad98c683c"}]}'
    )
    signed = signature("POST", f"{PROJECT}/api/pipelines/batch-runs/result", body)
    assert signed["Authorization"].endswith(
        "Signature=930bf610e6b8e1a03702f59d64c7499dc9547a05f20fd09664b1d28c35f1ce68"
    )


def test_temporary_keys_bring_their_token_and_sign_it() -> None:
    signed = signature("GET", f"{HOST}/v5/a", keys=Keys("AK", "SK", "temporary"))
    assert signed["X-Security-Token"] == "temporary"
    assert "SignedHeaders=content-type;host;x-sdk-date;x-security-token," in signed["Authorization"]
    assert signed["Authorization"] != signature("GET", f"{HOST}/v5/a", keys=Keys("AK", "SK", "other"))["Authorization"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{HOST}/a?b=1&a=2", f"{HOST}/a?a=2&b=1"),
        (f"{HOST}/a", f"{HOST}:443/a"),
        (f"{HOST}/a", f"{HOST.upper().replace('HTTPS', 'https')}/a"),
        (f"{HOST}/a/", f"{HOST}/a"),
        (f"{HOST}/a?q=%7E", f"{HOST}/a?q=~"),
    ],
)
def test_two_spellings_of_one_request_have_one_signature(one: str, other: str) -> None:
    assert signature("GET", one) == signature("GET", other)


@pytest.mark.parametrize("url", [f"{HOST}/b", f"{HOST}/a?x=1", f"{HOST}:8443/a", "http://127.0.0.1:80/a"])
def test_another_request_has_another_signature(url: str) -> None:
    assert signature("GET", url) != signature("GET", f"{HOST}/a")


def test_keys_hide_their_secrets() -> None:
    shown = repr(Keys("AK", "se3ret", "t0ken"))
    assert "se3ret" not in shown
    assert "t0ken" not in shown
