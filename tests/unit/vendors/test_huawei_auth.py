import json
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import NOW, now, secret
from support.vendors_huawei import KEYS, PROJECT, RUN, TOKEN, FakeIam, FakePipeline

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.http import Web
from pawld.system.secret import Secret
from pawld.vendors.api import Auth, Request
from pawld.vendors.codearts_pipeline import PipelineApi, Watched
from pawld.vendors.huawei_auth import KeyAuth, TokenAuth
from pawld.vendors.huawei_password import PasswordAuth

WATCHED = Watched("6ba9a2dbc7024c22a9a6614516dc22db", RUN)
REQUEST = Request("GET", "https://x.example/")


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def pipeline(httpserver: HTTPServer) -> Iterator[FakePipeline]:
    with FakePipeline(httpserver) as vendor:
        yield vendor


@pytest.fixture
def iam(httpserver: HTTPServer) -> Iterator[FakeIam]:
    with FakeIam(httpserver) as vendor:
        yield vendor


def keys(folder: Path, clock: Hands, *, temporary: str | None = None) -> KeyAuth:
    return KeyAuth(
        secret(folder, KEYS.access, "ak"),
        secret(folder, KEYS.secret, "sk"),
        clock,
        security_token=secret(folder, temporary, "st") if temporary else None,
    )


def ask(web: Web, vendor: FakePipeline, auth: Auth) -> None:
    api = PipelineApi(web, vendor.url, PROJECT, auth, now)
    assert api.starts([WATCHED])[RUN][0].status == "START_SUCCESS"
    assert api.detail(WATCHED.pipeline_id, RUN).status == "COMPLETED"


def test_a_token_in_a_file_is_sent_as_it_stands(web: Web, pipeline: FakePipeline, tmp_path: Path) -> None:
    auth = TokenAuth(secret(tmp_path, TOKEN))
    ask(web, pipeline, auth)
    assert auth.describe() == f"the file {tmp_path / 'token'}"


def test_a_token_command_is_asked_at_each_use(web: Web, pipeline: FakePipeline) -> None:
    ask(web, pipeline, TokenAuth(Secret.from_command([sys.executable, "-c", f"print('{TOKEN}')"])))


def test_a_stale_token_is_a_matter_for_a_person_and_asked_once(
    web: Web, pipeline: FakePipeline, tmp_path: Path
) -> None:
    with pytest.raises(OperatorError) as caught:
        ask(web, pipeline, TokenAuth(secret(tmp_path, "stale")))
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert "APIGW.0301" in caught.value.message
    assert len(pipeline.requests) == 1


@pytest.mark.parametrize("temporary", [None, "security-token"])
def test_a_signed_request_is_accepted_as_it_comes_over_the_wire(
    web: Web, pipeline: FakePipeline, tmp_path: Path, hands: Hands, temporary: str | None
) -> None:
    ask(web, pipeline, keys(tmp_path, hands, temporary=temporary))
    assert pipeline.requests[0].headers.get("X-Security-Token") == temporary


def test_the_iam_project_travels_in_a_signed_header(tmp_path: Path, hands: Hands) -> None:
    auth = KeyAuth(secret(tmp_path, "AK", "ak"), secret(tmp_path, "SK", "sk"), hands, project_id="iam-project")
    headers = auth.headers(REQUEST)
    assert headers["X-Project-Id"] == "iam-project"
    assert "host;x-project-id;x-sdk-date" in headers["Authorization"]


def test_a_wrong_clock_is_named_as_such(web: Web, pipeline: FakePipeline, tmp_path: Path, hands: Hands) -> None:
    said = "Incorrect app authentication information: signature expired, signature time:x,server time:y"
    pipeline.says(401, {"error_code": "APIGW.0303", "error_msg": said})
    with pytest.raises(OperatorError) as caught:
        ask(web, pipeline, keys(tmp_path, hands))
    assert caught.value.reason is Reason.CREDENTIAL_CLOCK
    assert f"the file {tmp_path / 'ak'} and the file {tmp_path / 'sk'}" in caught.value.message
    assert KEYS.secret not in caught.value.message


def test_a_gateway_that_repeats_the_access_key_is_not_quoted_with_it(
    web: Web, pipeline: FakePipeline, tmp_path: Path, hands: Hands
) -> None:
    said = f"app not found, appkey {KEYS.access}, sorry; signed at 20260101T000000Z"
    pipeline.says(401, {"error_code": "APIGW.0303", "error_msg": said})
    api = PipelineApi(web, pipeline.url, PROJECT, keys(tmp_path, hands), SystemClock().now)
    with pytest.raises(OperatorError) as caught:
        api.detail(WATCHED.pipeline_id, RUN)
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert "appkey (hidden), sorry; signed at 20260101T000000Z" in caught.value.message


def password(web: Web, iam: FakeIam, folder: Path, clock: Hands, word: str = "correct horse") -> PasswordAuth:
    return PasswordAuth(
        web, iam.url, "acme", "alice", secret(folder, word, "password"), clock, cache=folder / "token.json"
    )


def token(auth: PasswordAuth) -> str:
    return auth.headers(REQUEST)["X-Auth-Token"]


def test_a_password_is_sent_once_for_many_requests(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    auth = password(web, iam, tmp_path, hands)
    assert [token(auth) for _ in range(3)] == ["token-1"] * 3
    assert iam.logins == 1
    assert auth.describe().startswith("a token for the user alice, whose password is in the file")


def test_a_token_is_renewed_before_it_ends(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    auth = password(web, iam, tmp_path, hands)
    token(auth)
    hands.time = NOW + timedelta(hours=23, minutes=54)
    assert token(auth) == "token-1"
    hands.time = NOW + timedelta(hours=23, minutes=56)
    assert token(auth) == "token-2"


def test_a_token_whose_end_is_untold_lives_a_day(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    iam.lifetime = None
    auth = password(web, iam, tmp_path, hands)
    token(auth)
    hands.time = NOW + timedelta(hours=23)
    assert token(auth) == "token-1"
    hands.time = NOW + timedelta(hours=24)
    assert token(auth) == "token-2"


def test_a_host_whose_clock_differs_from_iam_s_uses_the_token_as_long(
    web: Web, iam: FakeIam, tmp_path: Path, hands: Hands
) -> None:
    hands.time = NOW + timedelta(days=3)
    auth = password(web, iam, tmp_path, hands)
    assert [token(auth), token(auth)] == ["token-1", "token-1"]


def test_the_next_process_finds_the_token_in_a_file_for_its_owner_alone(
    web: Web, iam: FakeIam, tmp_path: Path, hands: Hands
) -> None:
    token(password(web, iam, tmp_path, hands))
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "token.json").stat().st_mode) == 0o600
    assert token(password(web, iam, tmp_path, hands)) == "token-1"
    assert iam.logins == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text(json.dumps({"token": "x"})),
        lambda path: path.write_text(json.dumps([1])),
        lambda path: path.write_text(json.dumps({"for": "x", "token": "forged", "until": "2026-01-01T20:00:00+00:00"})),
        lambda path: path.chmod(0o644),
        lambda path: path.unlink(),
    ],
    ids=["torn", "incomplete", "another form", "another account's", "exposed", "gone"],
)
def test_a_cached_token_that_cannot_be_relied_on_is_passed_over(
    web: Web, iam: FakeIam, tmp_path: Path, hands: Hands, damage: object
) -> None:
    token(password(web, iam, tmp_path, hands))
    assert callable(damage)
    damage(tmp_path / "token.json")
    assert token(password(web, iam, tmp_path, hands)) == "token-2"


def test_without_a_writable_cache_each_process_logs_in(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    word = secret(tmp_path, "correct horse", "password")
    for number in (1, 2):
        auth = PasswordAuth(
            web, iam.url, "acme", "alice", word, hands, project="cn-north-4", cache=tmp_path / "absent" / "x"
        )
        assert token(auth) == f"token-{number}"
        auth.renew()


def test_without_a_cache_the_token_is_kept_in_memory(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    auth = PasswordAuth(web, iam.url, "acme", "alice", secret(tmp_path, "correct horse"), hands)
    assert [token(auth), token(auth)] == ["token-1", "token-1"]
    assert auth.renew()
    assert token(auth) == "token-2"


def test_a_wrong_password_is_named_by_its_file_and_not_sent_again(
    web: Web, iam: FakeIam, tmp_path: Path, hands: Hands
) -> None:
    auth = password(web, iam, tmp_path, hands, word="wr0ng-word")
    for _ in range(3):
        with pytest.raises(OperatorError) as caught:
            token(auth)
        assert caught.value.reason is Reason.UNAUTHORIZED
        assert str(tmp_path / "password") in caught.value.message
        assert "wr0ng-word" not in caught.value.message
    assert len(iam.requests) == 1
    secret(tmp_path, "correct horse", "password")
    assert token(auth) == "token-1"


def test_an_iam_out_of_order_is_asked_again(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    auth = password(web, iam, tmp_path, hands)
    iam.token = None
    iam.says(503, "", {"Retry-After": "9"})
    with pytest.raises(TransientError):
        token(auth)
    assert token(auth) == "token-1"


def test_an_answer_without_a_token_is_not_understood(web: Web, iam: FakeIam, tmp_path: Path, hands: Hands) -> None:
    iam.token = ""
    with pytest.raises(RejectedError) as caught:
        token(password(web, iam, tmp_path, hands))
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_revoked_token_is_replaced_and_the_request_repeated_once(
    web: Web, pipeline: FakePipeline, tmp_path: Path, hands: Hands
) -> None:
    class Revoked(TokenAuth):
        renewed = 0

        def renew(self) -> bool:
            self.renewed += 1
            return True

    auth = Revoked(secret(tmp_path, TOKEN))
    pipeline.says(401, {"error_code": "DEV.00000001", "error_msg": "caller not recognised"})
    ask(web, pipeline, auth)
    assert auth.renewed == 1
    pipeline.says(200, {"error_code": "CC.00000003", "error_msg": "Authentication information expired."})
    pipeline.says(401, {"error_code": "APIGW.0301", "error_msg": "still"})
    with pytest.raises(OperatorError):
        ask(web, pipeline, auth)
    assert auth.renewed == 2


def test_the_moment_of_the_signature_is_utc(tmp_path: Path) -> None:
    clock = Hands()
    clock.time = datetime.fromtimestamp(0, UTC)
    assert keys(tmp_path, clock).headers(REQUEST)["X-Sdk-Date"] == "19700101T000000Z"
    assert not keys(tmp_path, clock).renew()
    assert not TokenAuth(Secret.from_env("X")).renew()


def test_no_auth_shows_its_secret(web: Web, tmp_path: Path, hands: Hands) -> None:
    word = secret(tmp_path, "correct horse")
    auth = PasswordAuth(web, "https://iam.example", "acme", "alice", word, hands)
    assert "horse" not in repr(auth) + repr(vars(auth)) + auth.describe()
