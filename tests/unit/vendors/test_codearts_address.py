import pytest

from pawld.vendors.codearts_address import NAMES, AgentAddress, NoAddress, address_in

URL = "https://obs.example.com/agent.tar.gz?signature=se3ret"
SHA = "Ab" * 32


@pytest.mark.parametrize(
    "result",
    [
        URL,
        f" {URL}\n",
        [URL],
        [{"url": URL}],
        {"url": URL, "link": URL, "name": "agent"},
        {"data": {"href": URL}},
        {"agent": {"address": URL}, "code": 0},
        *({name: URL} for name in NAMES),
    ],
)
def test_one_address_is_found_in_every_accepted_form(result: object) -> None:
    assert address_in(result) == AgentAddress(URL)


def test_facts_beside_the_address_are_taken_where_they_can_be_facts() -> None:
    assert address_in({"url": URL, "sha256": SHA, "size": 7}) == AgentAddress(URL, SHA.lower(), 7)
    assert address_in({"data": {"url": URL, "checksum": SHA}}) == AgentAddress(URL, SHA.lower())
    assert address_in({"url": URL, "sha256": "abcdef1234567890", "size": True}) == AgentAddress(URL)


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (None, "nothing"),
        ("", "a text that is no address"),
        ("ftp://x/y", "a text that is no address"),
        ("/relative", "a text that is no address"),
        (7, "a number or a truth value"),
        ({}, "an empty object"),
        ([], "a list of 0"),
        ([URL, URL], "a list of 2"),
        ([[URL]], "a list of 1"),
        ({"url": URL, "link": URL + "2"}, "an object with the names link, url"),
        ({"token": "se3ret"}, "an object with the names token"),
        ({"data": {"data": {"url": URL}}}, "an object with the names data"),
        ({"data": "x", "url": None}, "an object with the names data, url"),
    ],
)
def test_everything_else_is_no_address_told_by_types_and_names_alone(result: object, found: str) -> None:
    assert address_in(result) == NoAddress(found)
    assert "se3ret" not in found


def test_an_address_hides_its_signed_query() -> None:
    assert "se3ret" not in repr(address_in(URL))
