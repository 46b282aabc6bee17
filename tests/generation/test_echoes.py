"""A key that a server sends back is found however it is spelt."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints.client import Target
from generation.endpoints.keys import MARK, without_secret

KEY = "sk-proj_4/b+9.c=77aa"

SPELLINGS = {
    "plain": str,
    "json": lambda letter: f"\\u{ord(letter):04x}",
    "upper": lambda letter: f"\\u{ord(letter):04X}",
    "json in json": lambda letter: f"\\\\u{ord(letter):04x}",
    "json in json in json": lambda letter: f"\\\\\\\\u{ord(letter):04x}",
    "slash": lambda letter: "\\/" if letter == "/" else letter,
    "byte": lambda letter: f"\\x{ord(letter):02x}",
    "percent": lambda letter: f"%{ord(letter):02X}",
    "percent twice": lambda letter: f"%25{ord(letter):02x}",
    "decimal": lambda letter: f"&#{ord(letter)};",
    "hexadecimal": lambda letter: f"&#x{ord(letter):x};",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_spelling_is_found(spelling: str) -> None:
    spelt = "".join(map(SPELLINGS[spelling], KEY))
    assert without_secret(f"before {spelt} after", KEY) == f"before {MARK} after"


@given(st.data(), st.text(max_size=30), st.text(max_size=30))
def test_every_mixture_of_spellings_is_found(data: st.DataObject, before: str, after: str) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(SPELLINGS)), min_size=len(KEY), max_size=len(KEY)))
    spelt = "".join(SPELLINGS[name](letter) for name, letter in zip(names, KEY, strict=True))
    assert without_secret(f"{before} {spelt} {after}", KEY) == f"{before} {MARK} {after}"


@given(st.text())
def test_a_text_without_the_key_stays_as_it_is(text: str) -> None:
    assert without_secret(text, KEY) == text


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_json_with_an_escaped_key_decodes_to_no_key(depth: int) -> None:
    body = "".join(map(SPELLINGS["json"], KEY))
    text = f'{{"content": "your key is {body}", "n": 12345678901234567890}}'
    for _ in range(depth - 1):
        text = json.dumps({"inner": text})
    found = without_secret(text, KEY)
    for _ in range(depth):
        found = json.loads(found) if isinstance(found, str) else json.loads(found["inner"])
    assert found == {"content": "your key is [key]", "n": 12345678901234567890}


def test_the_rest_of_an_answer_stays_byte_for_byte() -> None:
    text = f'data: {{"a":1.0,  "a":"\\u00e9\\n%41&#65;"}}\n\ndata: {quote(KEY, safe="")}\n'
    assert without_secret(text, KEY) == f'data: {{"a":1.0,  "a":"\\u00e9\\n%41&#65;"}}\n\ndata: {MARK}\n'


@pytest.mark.parametrize("unit", ["\\", "%25", "&#000", "sk-proj_4/b+9.c=77a", "\\\\u0073"])
def test_a_long_text_of_near_misses_is_read_once(unit: str) -> None:
    text = unit * (2_000_000 // len(unit))
    # Quadratic work on two million letters would not end within the test's patience.
    assert without_secret(text, KEY) == text


def test_a_placeholder_is_no_secret() -> None:
    assert Target("https://api.example.org/v1", "none", 1, 1, ()).without_key("none of it") == "none of it"
