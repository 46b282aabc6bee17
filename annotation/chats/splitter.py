"""Cuts a reply into bubbles while it is being received: what stands between two delimiters is one (paper §3.3)."""


class Splitter:
    """However a stream is cut into pieces, the same text gives the same bubbles.

    A bubble is complete when its delimiter is, so a delimiter that comes in pieces (`<|`, `msg`, `|>`) never shows.
    Each letter is looked at about twice, whatever the pieces.
    """

    def __init__(self, delimiter: str) -> None:
        """Without a delimiter the whole reply is one bubble."""
        self._delimiter = delimiter
        self._pieces: list[str] = []
        # The end of what was received, in which a delimiter may have begun.
        self._tail = ""

    def feed(self, piece: str) -> list[str]:
        """The bubbles that this piece completes, stripped, without empty ones."""
        if not self._delimiter:
            self._pieces.append(piece)
            return []
        *complete, rest = (self._tail + piece).split(self._delimiter)
        bubbles = []
        for part in complete:
            bubbles.append("".join([*self._pieces, part]).strip())
            self._pieces.clear()
        kept = len(self._delimiter) - 1
        if len(rest) > kept:
            self._pieces.append(rest[: len(rest) - kept])
            rest = rest[len(rest) - kept :]
        self._tail = rest
        return [text for text in bubbles if text]

    def finish(self) -> list[str]:
        """The last bubble, which no delimiter ends; a delimiter that was cut off belongs to its text."""
        last = "".join([*self._pieces, self._tail]).strip()
        self._pieces, self._tail = [], ""
        return [last] if last else []
