import pytest

from pawld.errors import RejectedError
from pawld.reasons import Reason
from pawld.vendors.places import named_place, origin

PUBLIC = "https://api.example.com/v2"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://cdn.example.com/a?sig=x", PUBLIC),
        ("https://api.example.com/v2/a", PUBLIC),
        ("https://10.1.2.3/a", PUBLIC),
        ("http://127.0.0.1:81/a", "http://127.0.0.1:80"),
    ],
)
def test_a_vendor_may_name_places_like_these(url: str, base: str) -> None:
    assert named_place(url, "Vendor", base) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/a",
        "file:///etc/shadow",
        "https://user:word@cdn.example.com/a",
        "http://127.0.0.1/a",
        "https://localhost/a",
        "https://[::1]/a",
        "https://169.254.169.254/latest/meta-data?x=se3ret",
        "https://cdn.example.com/a\r\nX: y",
    ],
)
def test_a_vendor_may_not_name_places_like_these(url: str) -> None:
    with pytest.raises(RejectedError) as caught:
        named_place(url, "Vendor", PUBLIC)
    assert caught.value.reason is Reason.REDIRECT_REFUSED
    assert "se3ret" not in caught.value.message


def test_where_final_hosts_are_listed_another_is_refused() -> None:
    hosts = ["CDN.example.com", "other.example.com:8443"]
    assert named_place("https://cdn.example.com/a", "Vendor", PUBLIC, hosts)
    assert named_place("https://other.example.com:8443/a", "Vendor", PUBLIC, hosts)
    with pytest.raises(RejectedError, match=r"final hosts \(CDN.example.com, other"):
        named_place("https://evil.example.com/a?sig=x", "Vendor", PUBLIC, hosts)


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://API.example.com:443/x") == origin("https://api.example.com")
    assert origin("https://api.example.com:8443") != origin("https://api.example.com")
    assert origin("http://127.0.0.1:80/") == origin("http://127.0.0.1")
