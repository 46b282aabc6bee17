"""A folder as a ZIP file whose bytes depend on the folder's files alone, not on when and by whom it is made."""

import shutil
import zipfile
from pathlib import Path
from secrets import token_hex

from generation.training.sheets import relative

# The earliest time that the form knows.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
# Parquet is compressed already.
_STORED = (".parquet",)


def zip_folder(folder: Path, path: Path, *, name: str) -> None:
    """Write the folder's files below `name/` into a ZIP file, whole or not at all; an older one is replaced."""
    part = path.with_name(f".{token_hex(8)}")
    try:
        with zipfile.ZipFile(part, "x") as archive:
            for inner in relative(folder):
                entry = zipfile.ZipInfo(f"{name}/{inner}", _MOMENT)
                entry.external_attr, entry.create_system = _MODE, 3
                entry.compress_type = zipfile.ZIP_STORED if inner.endswith(_STORED) else zipfile.ZIP_DEFLATED
                entry.file_size = (folder / inner).stat().st_size
                with (folder / inner).open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
