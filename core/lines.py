"""Byte order marks and line ends. A line ends at LF, CRLF or CR, and nowhere else.

`str.splitlines` also ends a line at form feeds, U+0085, U+2028 and five more, which people and models write inside
messages.
"""

BYTE_ORDER_MARK = "\ufeff"


def lines_of(text: str) -> list[str]:
    """The lines without their ends, blank ones included; if the text ends with a line end, the last line is empty."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def filled_lines(text: str) -> tuple[str, ...]:
    """The lines that hold more than white space, stripped."""
    return tuple(filter(None, map(str.strip, lines_of(text))))
