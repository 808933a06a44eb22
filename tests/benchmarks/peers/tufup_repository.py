"""A tufup repository with one bundle, which is the given archive itself. DIRECTORY ARCHIVE"""

import shutil
import sys
from pathlib import Path

from tufup.repo import Repository


def main(directory: Path, archive: Path) -> None:
    keys = directory / "keystore"
    repository = Repository(app_name="tree", repo_dir=directory / "repository", keys_dir=keys)
    repository.save_config()
    repository.initialize()
    bundle = repository.targets_dir / "tree-1.0.0.tar.gz"
    shutil.copyfile(archive, bundle)
    repository.roles.add_or_update_target(local_path=bundle)
    repository.publish_changes(private_key_dirs=[keys])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
