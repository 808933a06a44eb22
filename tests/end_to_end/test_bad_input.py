"""The table of bad input: each has its reason code, a whole sentence, a next step and an exit code.

None of it touches the agent that runs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from support.standing_host import NEW, OLD, TOKEN, Said, StandingHost, redirect, says

from pawld.reasons import Reason

SENTENCE = re.compile(r"\S.{15,900}[.…]", re.DOTALL)


@dataclass(frozen=True)
class Bad:
    """One kind of bad input: how it comes about, the reason that it is to have, and words that tell the facts."""

    name: str
    arrange: Callable[[StandingHost], None]
    reason: Reason
    words: str


def changed(old: str, new: str) -> Callable[[StandingHost], None]:
    def arrange(host: StandingHost) -> None:
        assert old in host.config
        host.config = host.config.replace(old, new)

    return arrange


def answers(*behaviour: object, **headers: str) -> Callable[[StandingHost], None]:
    status, body = behaviour
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    assert isinstance(status, int)
    return lambda host: host.answers(says(status, body, given))


def refusal(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "details": {}}}


def artifact(**changes: object) -> Callable[[StandingHost], None]:
    return lambda host: host.offer(host.metadata(NEW, **changes))


def no_artifact(host: StandingHost) -> None:
    release = host.metadata(NEW)
    release["artifacts"] = dict.fromkeys(release["artifacts"])
    host.offer(release)
    host.downloads_from(says(400, refusal("validation_error", "Invalid platform/arch combination")))


def looping(host: StandingHost) -> None:
    host.downloads_from(redirect(f"{host.web.url}/round"))
    host.web.instead["round"] = redirect(f"{host.web.url}/and-round")
    host.web.instead["and-round"] = redirect(f"{host.web.url}/round")


def leading_to(place: str) -> Callable[[StandingHost], None]:
    return lambda host: host.downloads_from(redirect(place))


def sending(change: Callable[[bytes], bytes]) -> Callable[[StandingHost], None]:
    return lambda host: host.web.files.update({f"agent/{NEW}": change(host.builds[NEW])})


def without_token(host: StandingHost) -> None:
    host.token.unlink()


def exposed_token(host: StandingHost) -> None:
    host.token.chmod(0o644)


HTML = b"<!doctype html><html><body>Please sign in to the hotel's network</body></html>"

TABLE = [
    # The configuration.
    Bad("an unknown key", changed("channel =", "chanel ="), Reason.CONFIG_INVALID, "channel"),
    Bad("a wrong type", changed('reserve = "1MiB"', 'keep = "two"'), Reason.CONFIG_INVALID, "keep"),
    Bad("a wrong unit", changed('probation = "1s"', 'probation = "2 minutes"'), Reason.CONFIG_INVALID, '"90s"'),
    Bad("a number without a unit", changed('probation = "1s"', "probation = 120"), Reason.CONFIG_INVALID, '"90s"'),
    Bad("no TOML at all", changed("[updater]", "[updater"), Reason.CONFIG_INVALID, "line 2"),
    Bad(
        "plain http",
        changed('base_url = "http://127.0.0.1', 'base_url = "http://192.0.2.1'),
        Reason.CONFIG_INVALID,
        "https",
    ),
    Bad("a missing token", without_token, Reason.SECRET_MISSING, "acme.token"),
    Bad("a world-readable token", exposed_token, Reason.SECRET_EXPOSED, "acme.token"),
    # What the vendor's interface answers.
    Bad("400", answers(400, refusal("validation_error", "Unknown channel.")), Reason.BAD_REQUEST, "Unknown channel"),
    Bad("401", answers(401, refusal("unauthorized", "Authentication required")), Reason.UNAUTHORIZED, "acme.token"),
    Bad("402", answers(402, refusal("payment_required", "Not subscribed")), Reason.FORBIDDEN, "Not subscribed"),
    Bad("403", answers(403, refusal("forbidden", "No access to agents")), Reason.FORBIDDEN, "No access to agents"),
    Bad(
        "404",
        answers(404, refusal("not_found", "Agent release not found")),
        Reason.NOT_FOUND,
        "Agent release not found",
    ),
    Bad("429", answers(429, refusal("rate_limited", "Slow down"), Retry_After="120"), Reason.RATE_LIMITED, "ScalePad"),
    Bad("500", answers(500, refusal("internal_error", "It broke")), Reason.SERVER_ERROR, "500"),
    Bad("503 by a proxy", answers(503, HTML), Reason.SERVER_ERROR, "503"),
    Bad("HTML instead of JSON", answers(200, HTML), Reason.ANSWER_NOT_UNDERSTOOD, "JSON"),
    Bad("JSON of another kind", answers(200, ["1.1.0"]), Reason.ANSWER_NOT_UNDERSTOOD, "ScalePad"),
    Bad(
        "a sha256 of 16 digits",
        artifact(sha256="9f86d081884c7d65"),
        Reason.ANSWER_NOT_UNDERSTOOD,
        "64 hexadecimal digits",
    ),
    Bad("another sha256", artifact(sha256="9f" * 32), Reason.SOURCE_DISAGREES, "sha256"),
    Bad("another length", artifact(size_bytes=17), Reason.SOURCE_DISAGREES, "17"),
    Bad("a null artifact", no_artifact, Reason.NO_BUILD, "linux-x86_64"),
    # Where its redirects lead.
    Bad("a redirect loop", looping, Reason.REDIRECT_LOOP, "redirect"),
    Bad("a redirect to plain http", leading_to("http://192.0.2.7/agent"), Reason.REDIRECT_REFUSED, "192.0.2.7"),
    Bad("a redirect to a file", leading_to("file:///etc/passwd"), Reason.REDIRECT_REFUSED, "file:///etc/passwd"),
    Bad("a redirect to nowhere", leading_to(""), Reason.REDIRECT_REFUSED, "names no Location"),
    # The bytes.
    Bad("a longer body", sending(lambda data: data + b"more"), Reason.LENGTH_MISMATCH, "bytes"),
    Bad("a shorter body", sending(lambda data: data[:-9]), Reason.LENGTH_MISMATCH, "bytes"),
    Bad("other bytes", sending(lambda data: data[:-9] + b"forged!!!"), Reason.DIGEST_MISMATCH, "other bytes"),
    Bad("no disk left", changed('reserve = "1MiB"', 'reserve = "900000GiB"'), Reason.DISK_FULL, "reserve"),
]


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_bad_input_has_its_reason_and_leaves_the_agent_alone(bad: Bad, host: StandingHost) -> None:
    slots, process = host.current(), host.running()
    bad.arrange(host)
    said = host.pawld("update")
    assert_told(said, bad.reason, bad.words)
    assert (host.current(), host.running()) == (slots, process)
    assert f"acme-agent {OLD}" in process


def assert_told(said: Said, reason: Reason, words: str) -> None:
    """The document has code, sentence and next step; the exit code is the reason's; no secret is anywhere."""
    told = said.reason
    assert (told["code"], said.exit) == (reason.code, int(reason.exit)), told["message"]
    assert SENTENCE.fullmatch(told["message"]), told["message"]
    assert words in told["message"]
    assert told["next_step"] == reason.next_step
    assert "sig=" not in said.output + said.errors
    assert TOKEN not in said.output + said.errors


def test_a_vendor_that_says_when_is_not_asked_before(host: StandingHost) -> None:
    host.answers(says(429, refusal("rate_limited", "Slow down"), {"Retry-After": "3600"}))
    before = datetime.now(UTC).replace(microsecond=0)
    retry_at = datetime.fromisoformat(host.pawld("update").reason["retry_at"])
    assert before + timedelta(hours=1) <= retry_at <= before + timedelta(hours=2)


def test_where_the_metadata_endpoint_is_missing_the_signed_record_names_the_version(host: StandingHost) -> None:
    host.answers(says(404, b"<html>404 page not found</html>"))
    host.web.instead["v2/agent-releases"] = says(404, b"<html>404 page not found</html>")
    said = host.pawld("check")
    assert (said.reason["code"], said.exit) == ("update_available", 100)
    assert NEW in said.reason["message"]
