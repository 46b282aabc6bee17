"""Where a line of text ends: at LF, CRLF or CR, and nowhere else.

`str.splitlines` also ends one at form feeds, U+0085, U+2028 and five more, which people and models write inside
messages.
"""


def lines_of(text: str) -> list[str]:
    """The lines without their ends, blank ones included; a text that ends with a line end has an empty last line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def filled_lines(text: str) -> tuple[str, ...]:
    """The lines that hold more than white space, stripped."""
    return tuple(filter(None, map(str.strip, lines_of(text))))
