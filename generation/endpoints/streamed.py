"""An answer that is read while it comes in: its text piece by piece, and in the end the whole of it. Pure."""

from collections.abc import Callable

from generation.endpoints.refusals import storable
from generation.endpoints.shapes import text_in_line


class StreamedAnswer:
    """Cuts what comes in at line feeds only: JSON may hold other line separators in its texts."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self.told = False
        self._take = take
        self._lines: list[str] = []
        self._begun: list[str] = []

    def add(self, text: str) -> None:
        *ended, begun = text.split("\n")
        for line in ended:
            self._line("".join([*self._begun, line]))
            self._begun.clear()
        self._begun.append(begun)

    def finish(self) -> str:
        """Everything that came."""
        self._line("".join(self._begun))
        self._begun.clear()
        return "\n".join(self._lines)

    def _line(self, line: str) -> None:
        self._lines.append(line)
        if piece := text_in_line(line.rstrip("\r")):
            self.told = True
            self._take(storable(piece))
