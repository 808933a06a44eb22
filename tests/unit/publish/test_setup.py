"""What ``release init`` leaves."""
import stat
from pathlib import Path

from support.publishing import founded, served, take_in, tar_gz, Client

STABLE = "acme-agent/stable/linux-x86_64"

def test_a_client_finds_the_first_build(tmp_path: Path) -> None:
    publisher = founded(tmp_path / "home")
    take_in(publisher, "1.0.0")
    with served(publisher.layout.public) as url:
        client = Client(tmp_path / "host", url, (publisher.layout.metadata / "1.root.json").read_bytes())
        assert client.fetch(STABLE) == tar_gz("1.0.0")
