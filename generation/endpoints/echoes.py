"""Some servers send the API key back to whoever they answer; it is taken out before anything is kept.

JSON has several ways to write one letter (`s`, `\\u0073`), and JSON inside JSON more. A match on the letters' spellings
finds the key in every mixture of them, in bodies, event streams, batch lines and half a body alike, and leaves
everything else byte for byte as it came.
"""

import re
from functools import lru_cache

SHORTEST_SECRET = 8  # letters; a shorter key is a placeholder such as "none", and hiding it would garble replies
MARK = "[key]"


def without_secret(text: str, secret: str) -> str:
    """The text with `[key]` wherever the secret stood, plainly or escaped; linear in the text."""
    return text if len(secret) < SHORTEST_SECRET else _spelt(secret).sub(MARK, text)


@lru_cache(maxsize=64)
def _spelt(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spelling, secret)))


def _spelling(letter: str) -> str:
    """Every way to write one ASCII letter: itself, and as JSON, addresses and HTML escape it.

    Each repetition has a small bound, so that no text makes the search go back far.
    """
    plain, code = re.escape(letter), f"(?i:{ord(letter):02x})"
    in_json = rf"\\{{1,8}}(?:{plain}|u00{code}|x{code})"
    in_address = f"%(?:25){{0,3}}{code}"
    in_html = f"&#(?:0{{0,6}}{ord(letter)}|(?i:x)0{{0,6}}{code});"
    return f"(?:{plain}|{in_json}|{in_address}|{in_html})"
