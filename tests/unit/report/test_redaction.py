import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawld.report.redaction import redacted

SECRET = "s3cr3tV4lue"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://cdn.example/a/b?X-Amz-Signature={SECRET}&x=1 failed",
        f"https://cdn.example/a#{SECRET}",
        f"https://user:{SECRET}@example.com/path",
        f"https://{SECRET}@example.com/path",
        f"Authorization: Bearer {SECRET}",
        f"authorization: {SECRET}",
        f"Proxy-Authorization: Basic {SECRET}",
        f"{{'authorization': 'TargetToken {SECRET}'}}",
        f"X-Auth-Token: {SECRET}",
        f"X-Subject-Token={SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"{{'x-api-key': '{SECRET} and more'}}",
        f"(b'X-Auth-Token', b'{SECRET}')",
        f"(b'Authorization', b'Bearer {SECRET}')",
        f"(b'set-cookie', b'id={SECRET}; Path=/')",
        f"Set-Cookie: id={SECRET}; Path=/",
        f"(b'Location', b'/a/b?sig={SECRET}')",
        f"Location: /a?{SECRET}",
        f'"GET /a/b?X-Amz-Signature={SECRET} HTTP/1.1" 200',
        f"passwd={SECRET}",
        f"secret_key={SECRET}",
        f"access-key: {SECRET}",
        f"SDK-HMAC-SHA256 Access=AK, SignedHeaders=a, Signature={SECRET}",
        f"it sent Bearer {SECRET} to them",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{SECRET}",
    ],
)
def test_what_looks_like_a_secret_leaves(text: str) -> None:
    assert SECRET not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "The build 1.8.3 from https://cdn.example/agent/1.8.3.tar.zst is proven.",
        "expected sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "The secret is missing: the file /etc/pawld/acme.token holds nothing.",
        "2 of 3 signatures are valid.",
        "acme: which version? 1.8.3",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_host_and_path_of_a_signed_address_stay() -> None:
    assert redacted("https://cdn.example/a?sig=x") == "https://cdn.example/a?(hidden)"


@given(st.text(max_size=300))
def test_redaction_never_fails_and_does_not_grow_without_end(text: str) -> None:
    assert len(redacted(text)) <= 10 * len(text) + 100


def test_a_long_text_that_somebody_else_chose_takes_no_long_time() -> None:
    began = time.monotonic()
    for text in ("x" * 100_000, "'" * 100_000, "x-" * 50_000, "token " * 20_000, "http://" * 10_000):
        redacted(text)
    assert time.monotonic() - began < 20
