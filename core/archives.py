"""A ZIP file that is sent while its files are being made, so that nobody waits for the last before the first."""

import io
import zipfile
from collections.abc import Iterable, Iterator

# The earliest time that the form knows: the same files give the same bytes, whenever they are made.
MOMENT = (1980, 1, 1, 0, 0, 0)
MODE = 0o644 << 16


class _Outlet(io.RawIOBase):
    """What has been written since it was last emptied."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self._written.append(piece)
        return len(piece)

    def emptied(self) -> bytes:
        found = b"".join(self._written)
        self._written.clear()
        return found


def zipped(files: Iterable[tuple[str, Iterable[str | bytes]]]) -> Iterator[bytes]:
    """The archive of (path, pieces of content) files, in their order."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w") as archive:
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
