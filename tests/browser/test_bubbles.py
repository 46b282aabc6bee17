"""A run of messages is seen as a run: distances and widths of the one bubble component."""

from itertools import pairwise

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page

from annotation.roles import Role
from tests.browser.watching import assert_usable, sign_in
from tests.people import make_user

TURNS = [
    {
        "speaker": 1,
        "name": "A person with a name that is far too long for one line " * 3,
        "messages": ["hi", "x" * 300],
    },
    {"speaker": 2, "name": "B", "messages": ["שלום", "word " * 60, "<b>bold?</b>"]},
    {"speaker": 1, "name": "A", "messages": ["ok"]},
]

Box = dict[str, float]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bubbles_join_within_a_turn_part_between_turns_and_leave_room(page: Page, width: int) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/account/password/")
    bubbles = render_to_string("_bubbles.html", {"turns": TURNS})
    page.locator("main").evaluate("(main, html) => { main.innerHTML = '<h1>Dialogue</h1>' + html }", bubbles)
    frame = box(page, ".bubbles")
    turns = [boxes(page, f".turn:nth-child({number}) .bubble") for number in (1, 2, 3)]
    for turn in turns:
        for upper, lower in pairwise(turn):
            assert lower["y"] - (upper["y"] + upper["height"]) == pytest.approx(2, abs=0.1)
        assert all(bubble["width"] <= 0.7 * frame["width"] + 0.1 for bubble in turn)
    ends = boxes(page, ".turn")
    assert [later["y"] - (turn["y"] + turn["height"]) for turn, later in pairwise(ends)] == [
        pytest.approx(14, abs=0.1)
    ] * 2
    assert all(bubble["x"] == pytest.approx(frame["x"], abs=0.1) for bubble in (*turns[0], *turns[2]))
    right = frame["x"] + frame["width"]
    assert all(bubble["x"] + bubble["width"] == pytest.approx(right, abs=0.1) for bubble in turns[1])
    assert_usable(page)


def box(page: Page, selector: str) -> Box:
    return boxes(page, selector)[0]


def boxes(page: Page, selector: str) -> list[Box]:
    script = "all => all.map(one => one.getBoundingClientRect().toJSON())"
    found: list[Box] = page.locator(selector).evaluate_all(script)
    return found
