"""A model's reply → a theme, two dialogues or one, or a ParseError with a named outcome.

Replies are one JSON object: models write it reliably, many endpoints can be held to a schema
(`generation.prompts.reply_schema`), and any text fits into a message, line breaks and labels included. The reader
is strict about content and lenient about form: prose or fences around the object, a missing wrapper, other names
for keys and speakers, several texts in one entry. A ParseError's detail is a sentence that a repair call can send
back to the model.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

from dialogues.fidelity import Fidelity, fidelity
from dialogues.transcript import Speaker, Transcript, TranscriptError, text_problem
from generation.replies import answer_in, declines, entry_of, field, json_readings, speaker_of

THEME_WORDS = range(50, 101)
TRAITS_KEPT = 6
# Four turns are the least in which both people say something and answer once.
LEAST_TURNS = 4
# More than any chat; a longer reply is a model repeating itself.
MOST_MESSAGES = 2_000
REFUSAL_SHOWN = 500  # letters of a refusal that are quoted

T = TypeVar("T")


class Outcome(StrEnum):
    """What was made of a call's reply; all but `ok` and `refused` may be repaired."""

    OK = "ok"
    TRUNCATED = "truncated"
    FILTERED = "filtered"
    EMPTY = "empty"
    UNPARSABLE = "unparsable"
    WRONG_SPEAKERS = "wrong_speakers"
    BETA_HAS_RUNS = "single_step_has_runs"
    GAMMA_HAS_NONE = "step_by_step_has_no_runs"
    TOO_FEW_MESSAGES = "too_few_messages"
    LOST_CONTENT = "lost_content"
    INVENTED_CONTENT = "invented_content"
    THEME_LENGTH = "theme_length"
    TRAITS_MISSING = "traits_missing"
    REFUSED = "refused"
    SCORE_MISSING = "score_missing"
    SCORE_NOT_A_NUMBER = "score_not_a_number"
    SCORE_OUT_OF_RANGE = "score_out_of_range"
    REASON_MISSING = "reason_missing"


class ParseError(ValueError):
    """A reply that is not what was asked for."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail


class ThemeReply(NamedTuple):
    theme: str
    traits_1: tuple[str, ...]
    traits_2: tuple[str, ...]


class PairReply(NamedTuple):
    beta: Transcript
    gamma: Transcript


class RewriteReply(NamedTuple):
    stephanie: Transcript
    fidelity: Fidelity


def finish_reason_problem(finish_reason: str | None) -> Outcome | None:
    """The outcome a finish reason stands for by itself, or None if the reply should be read."""
    reason = (finish_reason or "").casefold()
    if reason in {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}:
        return Outcome.TRUNCATED
    if reason in {"content_filter", "safety", "prohibited_content", "blocklist", "recitation", "spii", "sensitive"}:
        return Outcome.FILTERED
    return Outcome.REFUSED if reason == "refusal" else None


def parse_theme(reply: str, *, traits_wanted: Collection[Speaker] = (), notes: list[str] | None = None) -> ThemeReply:
    """The theme of a dialogue (50–100 whitespace words) and traits for speakers that had none.

    `traits_wanted` names the speakers whose traits the reply must have; at most six of each are kept.
    """
    return last_that_fits(reply, lambda value: _theme(value, traits_wanted), notes)


def parse_pair(reply: str, *, notes: list[str] | None = None) -> PairReply:
    """β (one message a turn) and γ (several messages in at least one turn), from one reply."""

    def read(value: Any) -> PairReply:
        if not isinstance(value, dict):
            raise unparsable("expected an object with the keys single_step and step_by_step.")
        beta = _dialogue(field(value, "single_step"), "single-step")
        gamma = _dialogue(field(value, "step_by_step"), "step-by-step")
        _check_single_step(beta)
        _check_step_by_step(gamma)
        return PairReply(beta, gamma)

    return last_that_fits(reply, read, notes)


def parse_further_split(
    reply: str, gamma: Transcript, keep_share: float, *, notes: list[str] | None = None
) -> RewriteReply:
    """The rewrite of γ, and how faithful it is.

    At least `keep_share` (0–1) of γ's words must be there in order and with their speaker, and at least that share
    of the rewrite's words must come from γ.
    """

    def read(value: Any) -> RewriteReply:
        rewrite = _dialogue(_rewrite_list(value), "rewritten")
        _check_step_by_step(rewrite)
        return RewriteReply(rewrite, _checked_fidelity(gamma, rewrite, keep_share))

    return last_that_fits(reply, read, notes)


def last_that_fits(reply: str, read: Callable[[Any], T], notes: list[str] | None = None) -> T:
    """The last JSON value that can be read, because a model that corrects its draft repeats it further down.

    If none can, raises the problem of the value that came nearest. `notes` gets a sentence if a reply holds several
    answers.
    """
    if not reply.strip():
        raise ParseError(Outcome.EMPTY, "it is empty.")
    problem: ParseError | None = None
    for values in json_readings(reply):
        found = _fitting(values, read)
        if found.values:
            if notes is not None:
                notes.extend(_in_words(found))
            return found.values[-1]
        problem = problem or found.problem
    raise problem or _without_json(reply)


@dataclass(slots=True)
class _Found(Generic[T]):
    """What the values of one reading are: those that fit, the problem of one behind them, and the nearest problem."""

    values: list[T] = dataclass_field(default_factory=list)
    behind: ParseError | None = None
    problem: ParseError | None = None


def _fitting(values: Iterator[Any], read: Callable[[Any], T]) -> _Found[T]:
    found: _Found[T] = _Found()
    for value in values:
        try:
            found.values.append(read(value))
            found.behind = None
        except ParseError as error:
            if error.outcome is not Outcome.UNPARSABLE:
                found.behind = found.problem = error
            found.problem = found.problem or error
    return found


def _in_words(found: _Found[Any]) -> Iterator[str]:
    if len(found.values) > 1:
        yield f"The reply holds {len(found.values)} answers of the form asked for; the last one is taken."
    if found.behind is not None:
        yield f"The reply holds a later answer that does not fit: {found.behind.detail} The one before it is taken."


def _without_json(reply: str) -> ParseError:
    answer = answer_in(reply)
    if declines(answer):
        return refusal(answer)
    if not answer:
        return unparsable("it ends with its reasoning; the answer is missing.")
    return unparsable("no complete JSON object was found in it.")


def refusal(words: str) -> ParseError:
    """The model says no, in these words."""
    return ParseError(Outcome.REFUSED, f"it declines to answer: “{' '.join(words.split())[:REFUSAL_SHOWN]}”")


def _theme(value: Any, traits_wanted: Collection[Speaker]) -> ThemeReply:
    theme = field(value, "theme") if isinstance(value, dict) else None
    if not isinstance(theme, str):
        raise unparsable("expected an object with the key theme, a text.")
    theme = clean(theme, "the theme")
    words = len(theme.split())
    if words not in THEME_WORDS:
        wanted = f"{THEME_WORDS.start} to {THEME_WORDS.stop - 1}"
        raise ParseError(Outcome.THEME_LENGTH, f"the theme has {words} words; it must have {wanted}.")
    traits: dict[Speaker, tuple[str, ...]] = {1: _traits(value, 1), 2: _traits(value, 2)}
    for speaker in traits_wanted:
        if not traits[speaker]:
            raise ParseError(Outcome.TRAITS_MISSING, f"traits_{speaker} is empty; about four were asked for.")
    return ThemeReply(theme, traits[1], traits[2])


def _traits(value: dict[str, Any], speaker: Speaker) -> tuple[str, ...]:
    found = field(value, f"traits_{speaker}")
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(trait, str) for trait in found):
        raise unparsable(f"traits_{speaker} must be a list of texts.")
    traits = [clean(trait, f"a trait of person {speaker}") for trait in found]
    return tuple(trait for trait in traits if trait)[:TRAITS_KEPT]


def clean(text: str, what: str) -> str:
    """The text on one line; ParseError if a database could not hold it."""
    problem = text_problem(text)
    if problem:
        raise unparsable(f"{what} cannot be stored: {problem}.")
    return " ".join(text.split())


def _rewrite_list(value: Any) -> Any:
    """The rewrite under its key, under any single other key, or as a bare array."""
    if not isinstance(value, dict):
        return value
    found = field(value, "step_by_step")
    if found is not None:
        return found
    lists = [item for item in value.values() if isinstance(item, list)]
    return lists[0] if len(lists) == 1 else None


def _dialogue(value: Any, name: str) -> Transcript:
    """A list of message objects → Transcript with both speakers and enough turns."""
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        value = lists[0] if len(lists) == 1 else None
    if not isinstance(value, list):
        raise unparsable(f"the {name} dialogue is missing or not a list of messages.")
    pairs = list(_messages(value, name))
    if len(pairs) > MOST_MESSAGES:
        raise unparsable(f"the {name} dialogue has more than {MOST_MESSAGES} messages.")
    try:
        transcript = Transcript.of(pairs) if pairs else None
    except TranscriptError as error:
        raise unparsable(f"the {name} dialogue, {error}.") from error
    _check_enough(transcript, name)
    assert transcript is not None
    return transcript


def _messages(entries: Sequence[Any], name: str) -> Iterator[tuple[Speaker, Any]]:
    for number, entry in enumerate(entries, 1):
        label, texts = entry_of(entry)
        if texts is None:
            raise unparsable(f"entry {number} of the {name} dialogue has no speaker and text.")
        speaker = speaker_of(label)
        if speaker is None:
            shown = repr(label[:40]) if isinstance(label, str) else "a number" if isinstance(label, int) else "nobody"
            detail = f"entry {number} of the {name} dialogue is by {shown}; the speakers are 1 and 2."
            raise ParseError(Outcome.WRONG_SPEAKERS, detail)
        for text in texts if isinstance(texts, list) else [texts]:
            yield speaker, text


def _check_enough(transcript: Transcript | None, name: str) -> None:
    if transcript is None:
        raise ParseError(Outcome.TOO_FEW_MESSAGES, f"the {name} dialogue has no messages.")
    if len({message.speaker for message in transcript}) < 2:
        raise ParseError(Outcome.WRONG_SPEAKERS, f"only one person speaks in the {name} dialogue.")
    turns = len(transcript.turns())
    if turns < LEAST_TURNS:
        detail = f"the {name} dialogue has {turns} turns; at least {LEAST_TURNS} are needed."
        raise ParseError(Outcome.TOO_FEW_MESSAGES, detail)


def _check_single_step(beta: Transcript) -> None:
    for number, (before, after) in enumerate(pairwise(beta), 1):
        if before.speaker == after.speaker:
            detail = (
                f"in the single-step dialogue messages {number} and {number + 1} are both by person {before.speaker}; "
                "there each person must send exactly one message a turn."
            )
            raise ParseError(Outcome.BETA_HAS_RUNS, detail)


def _check_step_by_step(transcript: Transcript) -> None:
    if len(transcript.turns()) == len(transcript):
        detail = "in the step-by-step dialogue nobody sends two messages in a row; several turns must have two or more."
        raise ParseError(Outcome.GAMMA_HAS_NONE, detail)


def _checked_fidelity(gamma: Transcript, rewrite: Transcript, keep_share: float) -> Fidelity:
    share = fidelity(gamma, rewrite)
    if share.kept < keep_share:
        detail = (
            f"only {share.kept:.0%} of the words of the given dialogue are there, in order and by the same person; "
            f"at least {keep_share:.0%} must be."
        )
        raise ParseError(Outcome.LOST_CONTENT, detail)
    if share.invented > 1 - keep_share:
        detail = (
            f"{share.invented:.0%} of the words are not in the given dialogue; at most {1 - keep_share:.0%} may be new."
        )
        raise ParseError(Outcome.INVENTED_CONTENT, detail)
    return share


def unparsable(detail: str) -> ParseError:
    return ParseError(Outcome.UNPARSABLE, detail)
