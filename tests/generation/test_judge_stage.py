"""A dialogue becomes a judge's request, and the reply six scores with reasons or an outcome with a name."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.rating.blinding import scene
from demo.model.rules import answer, stage_of
from dialogues.models import Dialogue
from dialogues.rubric import PAPER_SIX
from dialogues.transcript import Transcript
from generation.default_prompts import DEFAULT_PROMPTS
from generation.judge_stage import Score, judge_messages, parse_judgement, reply_schema
from generation.parsing import Outcome, ParseError
from generation.prompts import Background, ChatMessage, PromptText, repair_messages
from tests.generation.transcripts import any_text, transcripts

KEYS = [metric.key for metric in PAPER_SIX]
BACKGROUND = Background("They talk about skiing and bread .", ["i ski ."], ["i bake ."])
ALPHA = Transcript.of([[1, "hi , i 'm here !"], [2, "hello"], [1, "do you bake ?"], [2, "i do . bread ."]])
CHATTY = Transcript.of([[1, "hi"], [1, "i'm here!"], [2, "hello"], [2, "so,"], [2, "do you ski?"], [1, "i do"]])


def request(transcript: Transcript = ALPHA, *, tidy: bool = True, metrics: Any = PAPER_SIX) -> list[ChatMessage]:
    return judge_messages(DEFAULT_PROMPTS["judge"], metrics, BACKGROUND, transcript, tidy=tidy)


def block(messages: list[ChatMessage], tag: str) -> Any:
    return json.loads(messages[-1]["content"].split(f"<{tag}>\n")[1].split(f"\n</{tag}>")[0])


def reply(**changes: Any) -> str:
    answers: dict[str, Any] = {key: {"reason": "They greet.", "score": 70 + n} for n, key in enumerate(KEYS)}
    return json.dumps({**answers, **changes})


def test_a_request_holds_the_raters_words_for_every_metric_and_the_ends_of_the_scale() -> None:
    questions = block(request(), "rubric")
    assert [entry["key"] for entry in questions] == KEYS
    assert [entry["question"] for entry in questions] == [metric.definition for metric in PAPER_SIX]
    assert [(entry["low"], entry["high"]) for entry in questions] == [(m.low, m.high) for m in PAPER_SIX]
    text = request()[-1]["content"]
    assert "from 0 to 100" in text
    # "Interesting" is lowest for a negative dialogue, and on this scale the lowest point is nought.
    assert "negative, choose the lowest point" in text
    assert "the lowest point, that is 0" in text


@pytest.mark.parametrize("tidy", [True, False])
def test_the_judge_reads_what_a_rater_sees(tidy: bool) -> None:
    row = Dialogue.from_transcript(CHATTY)
    seen = scene(row, BACKGROUND.theme, list(BACKGROUND.traits_1), list(BACKGROUND.traits_2), tidy=tidy)
    messages = request(CHATTY, tidy=tidy)
    shown = [{"speaker": turn["name"], "text": text} for turn in seen.turns for text in turn["messages"]]
    assert block(messages, "dialogue") == shown
    people = {"theme": seen.theme, seen.names[0]: list(seen.traits_1), seen.names[1]: list(seen.traits_2)}
    assert block(messages, "background") == people


def test_only_rubric_background_and_dialogue_differ_between_two_requests() -> None:
    one, other = request(ALPHA), request(CHATTY)
    assert one[0] == other[0]
    head, tail = one[1]["content"].split("<dialogue>")
    assert other[1]["content"].startswith(head)
    assert other[1]["content"].endswith(tail.split("</dialogue>")[1])


@settings(max_examples=60)
@given(transcript=transcripts(), theme=any_text, traits=st.lists(any_text, max_size=4))
def test_no_text_can_leave_its_block_or_ask_a_question(transcript: Transcript, theme: str, traits: list[str]) -> None:
    template = PromptText("", "{rubric}\n{background}\n{dialogue}")
    messages = judge_messages(template, PAPER_SIX, Background(theme, traits, []), transcript, tidy=False)
    entries = block(messages, "dialogue")
    assert [entry["text"] for entry in entries] == [message.text for message in transcript]
    assert block(messages, "background")["theme"] == theme
    assert messages[0]["content"].count("\n<rubric>\n") + messages[0]["content"].startswith("<rubric>\n") == 1


scores = st.fixed_dictionaries(
    {key: st.fixed_dictionaries({"reason": any_text, "score": st.integers(0, 100)}) for key in KEYS}
)


@settings(max_examples=80)
@given(answers=scores)
def test_any_judgement_reads_back_as_it_was_written(answers: dict[str, dict[str, Any]]) -> None:
    read = parse_judgement(json.dumps(answers), PAPER_SIX)
    assert list(read) == KEYS
    assert {key: score.value for key, score in read.items()} == {key: row["score"] for key, row in answers.items()}
    assert {score.reason for score in read.values()} == {" ".join(row["reason"].split()) for row in answers.values()}


@pytest.mark.parametrize(
    "write",
    [
        lambda answers: f"Here you are:\n```json\n{json.dumps(answers)}\n```\nI hope that helps.",
        lambda answers: json.dumps({"scores": answers, "overall": "a fine chat"}),
        lambda answers: json.dumps([{"metric": key, **row} for key, row in answers.items()]),
        lambda answers: json.dumps({"answers": [{"key": key, **row} for key, row in answers.items()]}),
        lambda answers: json.dumps({metric.name: answers[metric.key] for metric in PAPER_SIX}),
        lambda answers: json.dumps(
            {key: {"Score": str(row["score"]), "Reason": row["reason"]} for key, row in answers.items()}
        ),
        lambda answers: json.dumps({key: {**row, "score": f"{row['score']}/100"} for key, row in answers.items()}),
        lambda answers: json.dumps({key: {**row, "score": float(row["score"])} for key, row in answers.items()}),
        lambda answers: f"<think>{{}}</think>{json.dumps({**answers, 'length': {'score': 3, 'reason': 'short'}})}",
    ],
    ids=["fenced", "wrapped", "list", "wrapped list", "by name", "text", "of 100", "float", "thought"],
)
def test_a_usual_slip_of_form_is_forgiven(write: Callable[[dict[str, Any]], str]) -> None:
    answers = json.loads(reply())
    assert parse_judgement(write(answers), PAPER_SIX) == {
        key: Score(row["score"], row["reason"]) for key, row in answers.items()
    }


@pytest.mark.parametrize(
    ("text", "outcome", "detail"),
    [
        ("", Outcome.EMPTY, "empty"),
        ("The dialogue is quite natural, 85 of 100.", Outcome.UNPARSABLE, "no complete JSON"),
        ("I'm sorry, I can't rate this conversation.", Outcome.REFUSED, "declines"),
        ("I cannot help with that request.", Outcome.REFUSED, "declines"),
        ('{"verdict": "natural"}', Outcome.UNPARSABLE, "under the key of every question"),
        (reply()[: len(reply()) // 2], Outcome.UNPARSABLE, "."),
        (reply(natural=None), Outcome.SCORE_MISSING, "natural has no score"),
        (json.dumps({key: row for key, row in json.loads(reply()).items() if key != "on_topic"}),
         Outcome.SCORE_MISSING, "on_topic has no score"),
        (reply(natural={"reason": "x", "score": None}), Outcome.SCORE_MISSING, "natural has no score"),
        (reply(natural={"reason": "x", "score": "high"}), Outcome.SCORE_NOT_A_NUMBER, "natural is not a whole number"),
        (reply(natural={"reason": "x", "score": "9/10"}), Outcome.SCORE_NOT_A_NUMBER, "natural is not a whole number"),
        (reply(natural={"reason": "x", "score": 0.85}), Outcome.SCORE_NOT_A_NUMBER, "natural is not a whole number"),
        (reply(natural={"reason": "x", "score": True}), Outcome.SCORE_NOT_A_NUMBER, "natural is not a whole number"),
        (reply(natural={"reason": "x", "score": float("nan")}), Outcome.SCORE_NOT_A_NUMBER, "natural"),
        (reply(natural={"reason": "x", "score": 101}), Outcome.SCORE_OUT_OF_RANGE, "natural is not from 0 to 100"),
        (reply(natural={"reason": "x", "score": -1}), Outcome.SCORE_OUT_OF_RANGE, "natural is not from 0 to 100"),
        (reply(natural={"reason": "x", "score": 10**400}), Outcome.SCORE_OUT_OF_RANGE, "natural is not from 0 to 100"),
        (reply(natural=80), Outcome.REASON_MISSING, "natural has no reason"),
        (reply(natural={"reason": " ", "score": 80}), Outcome.REASON_MISSING, "natural has no reason"),
        (reply(natural={"reason": ["x"], "score": 80}), Outcome.REASON_MISSING, "natural has no reason"),
        (reply(natural={"reason": "a\x00b", "score": 80}), Outcome.UNPARSABLE, "cannot be stored"),
        (reply(Natural={"reason": "x", "score": 3}), Outcome.UNPARSABLE, "natural is answered twice"),
    ],
)  # fmt: skip
def test_a_reply_that_is_no_judgement_has_a_name_and_gives_no_score(text: str, outcome: Outcome, detail: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_judgement(text, PAPER_SIX)
    assert caught.value.outcome is outcome
    assert detail in caught.value.detail
    assert caught.value.detail in repair_messages(request(), text, caught.value.detail)[-1]["content"]


@settings(max_examples=200)
@given(
    text=st.one_of(
        st.text(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from([*KEYS, "score", "reason", "scores", "metric"]), inner)
            ),
            max_leaves=20,
        ).map(json.dumps),
    )
)
def test_a_reply_gives_every_score_or_a_named_outcome(text: str) -> None:
    try:
        read = parse_judgement(text, PAPER_SIX)
    except ParseError as error:
        named = error.outcome in Outcome and error.detail.endswith(".")
    else:
        named = list(read) == KEYS and all(0 <= score.value <= 100 and score.reason for score in read.values())
    assert named


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"scores":' * 100_000,
        '{"scores": ' * 400 + "1" + "}" * 400,
        '{"natural": ' + "[" * 900 + "]" * 900 + "}",
    ],
    ids=["deep list", "deep object", "wrappers", "deep value"],
)
def test_a_hostile_reply_is_refused_and_not_suffered(text: str) -> None:
    with pytest.raises(ParseError):
        parse_judgement(text, PAPER_SIX)


def test_the_schema_demands_a_reason_and_a_whole_number_for_every_metric() -> None:
    schema = reply_schema(PAPER_SIX)
    assert schema["required"] == list(schema["properties"]) == KEYS
    assert schema["additionalProperties"] is False
    for part in schema["properties"].values():
        assert part["required"] == list(part["properties"]) == ["reason", "score"]
        assert part["properties"]["score"] == {"type": "integer", "description": "from 0 to 100"}


def test_the_demo_judges_by_what_can_be_counted_and_says_so() -> None:
    assert stage_of(request()) == "judge"
    bare = PromptText("", "{rubric}{background}{dialogue}")
    assert stage_of(judge_messages(bare, PAPER_SIX, BACKGROUND, ALPHA, tidy=True)) == "judge"
    one, again = (parse_judgement(answer(request(), Random(5)), PAPER_SIX) for _ in range(2))
    assert one == again
    assert all("demo's rules" in score.reason for score in one.values())
    natural = [
        [parse_judgement(answer(request(text), Random(seed)), PAPER_SIX)["natural"].value for seed in range(40)]
        for text in (ALPHA, CHATTY)
    ]
    assert sum(natural[0]) < sum(natural[1])


@settings(max_examples=60)
@given(transcript=transcripts())
def test_the_demo_judges_any_dialogue_on_any_rubric(transcript: Transcript) -> None:
    for metrics in (PAPER_SIX, PAPER_SIX[:1]):
        scores = parse_judgement(answer(request(transcript, metrics=metrics), Random(0)), metrics)
        assert list(scores) == [metric.key for metric in metrics]
