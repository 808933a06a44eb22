"""What bodies are read to be."""

import json

import pytest
from securesystemslib.formats import encode_canonical

from pawld.system.http.readings import envelope, json_object

SIGNED = {"b": [1, True, None, "two\nlines \N{SNOWMAN}"], "a": {"x": 'say "\\"'}}
DOCUMENT = {"signatures": [{"keyid": "k", "sig": "00", "more": 1}], "signed": SIGNED}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b"7", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5000]
)
def test_anything_but_a_json_object_is_none(body: bytes) -> None:
    assert json_object(body) is None


def test_an_object_is_returned_with_all_that_is_in_it() -> None:
    assert json_object(b'{"version": "1.0", "size": 3}') == {"version": "1.0", "size": 3}


def test_an_envelope_is_taken_apart_into_signatures_and_what_they_are_over() -> None:
    body = json.dumps(DOCUMENT, indent=3).encode()
    assert envelope(body) == [[["k", "00"]], encode_canonical(SIGNED).encode()]


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"signatures": []},
        {"signed": {}},
        {"signatures": 1, "signed": {}},
        {"signatures": [{"keyid": "k"}], "signed": {}},
        {"signatures": ["k"], "signed": {}},
        {"signatures": [], "signed": {"number": 1.5}},
        {"signatures": [], "signed": {"text": "\ud800"}},
    ],
)
def test_what_has_no_signatures_or_no_canonical_form_is_no_envelope(document: object) -> None:
    assert envelope(json.dumps(document).encode()) is None


DEEP = b'{"signatures": [], "signed": %s1%s}' % (b"[" * 9000, b"]" * 9000)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, DEEP])
def test_what_is_no_json_is_no_envelope(body: bytes) -> None:
    assert envelope(body) is None
