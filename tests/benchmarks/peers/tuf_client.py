"""python-tuf's client and tarfile, as its examples have it. URL ROOT_FILE CACHE ROOT TARGET"""

import subprocess
import sys
import tarfile
from pathlib import Path

from tuf.ngclient import Updater


def main(url: str, root_file: Path, cache: Path, root: Path, target: str) -> None:
    staging = root / "versions" / ".staging"
    staging.mkdir(parents=True)
    updater = Updater(
        str(cache),
        f"{url}/metadata/",
        target_dir=str(root),
        target_base_url=f"{url}/hop/targets/",
        bootstrap=root_file.read_bytes(),
    )
    updater.refresh()
    found = updater.get_targetinfo(target)
    assert found is not None
    build = updater.download_target(found, str(root / "build"))
    with tarfile.open(build) as archive:
        archive.extractall(staging, filter="data")
    subprocess.run(["sync", "-f", staging], check=True)
    staging.rename(root / "versions" / "new")
    (root / "current.new").symlink_to("versions/new")
    (root / "current.new").replace(root / "current")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5])
