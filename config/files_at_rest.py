"""What lies on disk belongs to the account that runs the product and to nobody else: folders 0700, files 0600."""

import os
import stat
from pathlib import Path


def keep_private(data_dir: Path, default: Path) -> None:
    """Make DATA_DIR, and close it and what an earlier version left open in it; new files are made closed.

    A folder that holds no data of the product, or that several accounts share, is left as it is.
    """
    os.umask(0o077)
    if not data_dir.exists():
        data_dir.mkdir(mode=0o700, parents=True)
    databases = [*data_dir.glob("stephanie.sqlite3*")]
    if (databases or data_dir == default) and _is_ours_alone(data_dir):
        for path in (data_dir, *databases, *data_dir.glob("*.log")):
            path.chmod(path.stat().st_mode & 0o700)


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody else is meant to write there: /tmp has the sticky bit, and somebody else's folder is theirs."""
    found = folder.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
