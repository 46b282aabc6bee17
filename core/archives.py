"""A ZIP file that is sent while its files are being made, so that nobody waits for the last before the first."""

import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, cast

# The earliest time that the form knows: the same files give the same bytes, whenever they are made.
MOMENT = (1980, 1, 1, 0, 0, 0)
MODE = 0o644 << 16


class _Outlet:
    """What has been written since it was last emptied; as a file it has no position to go back to."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def flush(self) -> None:
        """Nothing to do, but a file has it."""

    def write(self, data: bytes | memoryview) -> int:
        self._written.append(bytes(data))
        return len(self._written[-1])

    def emptied(self) -> bytes:
        found = b"".join(self._written)
        self._written.clear()
        return found


def zipped(files: Iterable[tuple[str, Iterable[str | bytes]]]) -> Iterator[bytes]:
    """The archive of (path, pieces of content) files, in their order."""
    outlet = _Outlet()
    with zipfile.ZipFile(cast(IO[bytes], outlet), "w") as archive:
        for path, pieces in files:
            entry = zipfile.ZipInfo(path, MOMENT)
            entry.external_attr, entry.create_system, entry.compress_type = MODE, 3, zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as target:
                for piece in pieces:
                    target.write(piece.encode() if isinstance(piece, str) else piece)
                    if found := outlet.emptied():
                        yield found
            yield outlet.emptied()
    yield outlet.emptied()
