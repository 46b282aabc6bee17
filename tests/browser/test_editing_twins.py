"""The browser's editing and the server's are one: the same logs give the same drafts, piece by piece."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from dialogues.editing import EditError, History, kept_share, operation_from_json
from dialogues.transcript import Transcript
from tests.browser.server import Server
from tests.dialogues.edits import DICE, TRANSCRIPTS, body_of
from tests.examples import many

LOGS = many(1500)
LATIN_END = 0x250
PLAY = """async ({ base, games }) => {
  const { History } = await import(base + "history.js");
  const { keptShare } = await import(base + "words.js");
  return games.map(({ original, bodies }) => {
    const history = new History(original);
    const steps = bodies.map((body) => {
      try {
        history.apply(body);
        return true;
      } catch (error) {
        if (error.constructor.name !== "EditError") throw error;
        return false;
      }
    });
    const pieces = history.draft.map(({ speaker, text, sources, lead }) => [speaker, text, sources, lead]);
    return { steps, pieces, kept: keptShare(history.drafts[0], history.draft) };
  });
}"""


def game(original: Transcript, dice: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the browser is to play, refused operations included, and what comes of it here."""
    history, bodies, steps = History(original), [], []
    for throw in dice:
        body = body_of(history.draft, history.version, throw)
        bodies.append(body)
        try:
            history.apply(operation_from_json(body))
        except EditError:
            steps.append(False)
        else:
            steps.append(True)
    pieces = [[piece.speaker, piece.text, list(piece.sources), piece.lead] for piece in history.draft]
    expected = {"steps": steps, "pieces": pieces, "kept": kept_share(original, history.draft)}
    return {"original": original.to_json(), "bodies": bodies}, expected


def test_browser_and_server_make_the_same_of_any_log(page: Page, server: Server) -> None:
    games: list[tuple[dict[str, Any], dict[str, Any]]] = []

    @settings(max_examples=LOGS, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(original=TRANSCRIPTS, dice=DICE, seed=st.integers(0, 2**32))
    def collect(original: Transcript, dice: list[int], seed: int) -> None:
        rng = Random(seed)
        games.append(game(original, [*dice, *(rng.randrange(2**24) for _ in range(12))]))

    collect()
    page.goto("/login/")
    base = f"{server.url}/static/js/restructuring/"
    found = page.evaluate(PLAY, {"base": base, "games": [asked for asked, _ in games]})
    assert len(found) >= LOGS
    applied = compared = 0
    for (asked, expected), got in zip(games, found, strict=True):
        assert got["steps"] == expected["steps"], asked
        assert got["pieces"] == expected["pieces"], asked
        # What is a letter is told by Unicode's tables, of which browser and server may have different editions.
        if max(map(ord, "".join(text for _, text, _, _ in got["pieces"])), default=0) < LATIN_END:
            assert got["kept"] == pytest.approx(expected["kept"]), asked
            compared += 1
        applied += sum(got["steps"])
    assert applied > LOGS
    assert compared > LOGS / 20
