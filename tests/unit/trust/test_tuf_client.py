"""python-tuf's client is loaded without urllib3, and stays whole for whoever wants its own fetcher."""

import subprocess
import sys


def _said(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_engine_loads_no_second_http_library() -> None:
    assert _said("import sys, pawld.trust.tuf; print('urllib3' in sys.modules)") == "False"


def test_python_tufs_own_fetcher_is_loaded_where_it_is_wanted() -> None:
    wanted = "import pawld.trust.tuf_client, tuf.ngclient; print(tuf.ngclient.Urllib3Fetcher(app_user_agent='x'))"

    assert "tuf.ngclient.urllib3_fetcher.Urllib3Fetcher" in _said(wanted)


def test_a_client_that_was_loaded_before_stays_as_it_is() -> None:
    before = "import tuf.ngclient, pawld.trust.tuf_client; print(tuf.ngclient.Urllib3Fetcher.__module__)"

    assert _said(before) == "tuf.ngclient.urllib3_fetcher"
