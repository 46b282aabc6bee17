"""ZIP files that are sent while their files are being made."""

import io
import zipfile
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from core.archives import zipped

PATHS = st.text(st.characters(whitelist_categories=("Ll", "Nd")), min_size=1, max_size=12)
FILES = st.dictionaries(PATHS, st.lists(st.binary(max_size=300), max_size=4), max_size=6)


@given(FILES)
def test_every_file_comes_out_as_it_went_in(files: dict[str, list[bytes]]) -> None:
    content = b"".join(zipped((path, iter(pieces)) for path, pieces in files.items()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(files)
        assert {path: archive.read(path) for path in files} == {path: b"".join(files[path]) for path in files}
    assert content == b"".join(zipped((path, iter(pieces)) for path, pieces in files.items()))


def test_the_first_file_is_sent_before_the_second_is_made() -> None:
    made: list[str] = []

    def files() -> Iterator[tuple[str, list[str]]]:
        for name in ("first", "second"):
            made.append(name)
            yield name, [name * 1000]

    pieces = zipped(files())
    assert next(pieces)
    assert made == ["first"]
    assert b"".join(pieces)
    assert made == ["first", "second"]
