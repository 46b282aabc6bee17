"""A rater's answer about one item: read from a form or JSON, checked, and turned to the sides that it is stored in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from annotation.chats.places import conversation_at
from annotation.models import Assignment, Study
from annotation.rating.arithmetic import turned_places, turned_scores
from dialogues.rubric import Metric, Scale
from dialogues.transcript import text_problem

FLAGS = {
    "unreadable": gettext_noop("Cannot be read or makes no sense"),
    "offensive": gettext_noop("Offensive or upsetting"),
    "seen-before": gettext_noop("I have seen this dialogue before"),
}
# In a study of pairs: the first is better, neither, the second is better.
PAIR_SCALE = Scale(-1, 1)
DAMAGED = gettext_lazy("The form was damaged on its way. Reload the page and choose again.")
LONGEST_COMMENT = 5000
LONGEST_NOTE = 2000
NOTHING: Mapping[str, Any] = {}


class AnswerError(ValueError):
    """An answer that cannot be stored; the text is for the rater."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores by metric key, with a comment and a flag. A draft may lack scores, a submission may not.

    `comments` and `evidence` belong to single metrics: a note, and the places, from 0, of the messages that led to the
    score. In a pair the second dialogue's places continue the first's.
    """

    scores: dict[str, int] = field(default_factory=dict)
    comment: str = ""
    flag: str = ""
    comments: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, scores: Mapping[str, Any], comment: Any, flag: Any, asked: Sequence[Metric], scale: Scale) -> Self:
        """Check every part against the item's questions; raises AnswerError."""
        return cls(_scores(scores, asked, scale), _text(comment, _("comment"), LONGEST_COMMENT), _flag(flag))

    def noted(
        self, comments: Mapping[str, Any], evidence: Mapping[str, Any], asked: Sequence[Metric], messages: int
    ) -> Self:
        """Add the notes and evidence of single metrics; `messages` is the item's length. Raises AnswerError."""
        return replace(self, comments=_comments(comments, asked), evidence=_evidence(evidence, asked, messages))

    @classmethod
    def from_draft(cls, draft: Mapping[str, Any]) -> Self:
        given = {name: draft[name] for name in ("scores", "comment", "flag", "comments", "evidence") if name in draft}
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def require_complete(self, asked: Sequence[Metric]) -> None:
        """Raise AnswerError naming the questions without a score."""
        missing = [metric.name for metric in asked if metric.key not in self.scores]
        if missing:
            raise AnswerError(_("Choose a point for %(names)s.") % {"names": ", ".join(missing)})


def scale_of(study: Study) -> Scale:
    """The points that a rater chooses from: the rubric's, or −1, 0 and 1 in a study of pairs."""
    return PAIR_SCALE if study.compares else study.rubric.scale


def _scores(raw: Mapping[str, Any], asked: Sequence[Metric], scale: Scale) -> dict[str, int]:
    known = _known(raw, asked)
    for key, value in raw.items():
        if value not in scale:
            points = {"name": known[key], "low": scale.low, "high": scale.high}
            raise AnswerError(_("%(name)s: choose a point from %(low)s to %(high)s.") % points)
    return {key: raw[key] for key in known if key in raw}


def _comments(raw: Mapping[str, Any], asked: Sequence[Metric]) -> dict[str, str]:
    known = _known(raw, asked)
    texts = {
        key: _text(raw[key], _("note on %(name)s") % {"name": known[key]}, LONGEST_NOTE) for key in known if key in raw
    }
    return {key: text for key, text in texts.items() if text}


def _evidence(raw: Mapping[str, Any], asked: Sequence[Metric], messages: int) -> dict[str, list[int]]:
    known = _known(raw, asked)
    found = {}
    for key in [key for key in known if raw.get(key)]:
        places = raw[key]
        if not isinstance(places, list) or not all(type(place) is int and 0 <= place < messages for place in places):
            reason = _("%(name)s: the messages of this item have the numbers 1 to %(last)s.")
            raise AnswerError(reason % {"name": known[key], "last": messages})
        found[key] = sorted(set(places))
    return found


def _known(raw: Mapping[str, Any], asked: Sequence[Metric]) -> dict[str, str]:
    """The questions' names by key; raises AnswerError for an unknown key."""
    known = {metric.key: metric.name for metric in asked}
    if unknown := sorted(set(map(str, raw)) - known.keys()):
        raise AnswerError(_("Nothing called %(name)s is asked here.") % {"name": repr(unknown[0][:40])})
    return known


def _text(raw: Any, name: str, longest: int) -> str:
    if not isinstance(raw, str):
        raise AnswerError(_("A %(what)s is text.") % {"what": name})
    # Browsers end lines with CR LF.
    text = raw.replace("\r\n", "\n").strip()
    if len(text) > longest:
        sizes = {"what": name, "length": f"{len(text):,}", "most": f"{longest:,}"}
        raise AnswerError(_("The %(what)s has %(length)s characters; at most %(most)s fit.") % sizes)
    if problem := text_problem(text):
        raise AnswerError(_("The %(what)s cannot be kept: its %(problem)s.") % {"what": name, "problem": _(problem)})
    return text


def _flag(raw: Any) -> str:
    if raw and raw not in FLAGS:
        raise AnswerError(_("Choose one of the reasons for the flag."))
    return raw or ""


def read_answer(assignment: Assignment, sent: Mapping[str, Any]) -> Answer:
    """The stored form of what a rater sent: scores, comment and flag, perhaps comments and evidence.

    Raises AnswerError.
    """
    study = assignment.study
    asked = assignment.item.asked(study.rubric)
    answer = Answer.read(sent["scores"], sent["comment"], sent["flag"], asked, scale_of(study))
    comments, evidence = sent.get("comments", NOTHING), sent.get("evidence", NOTHING)
    if comments or evidence:
        answer = answer.noted(comments, evidence, asked, sum(_lengths(assignment)))
    left, right = _lengths(assignment) if assignment.is_flipped and answer.evidence else (0, 0)
    return _turned(answer, right, left) if assignment.is_flipped else answer


def shown_answer(assignment: Assignment, answer: Answer) -> Answer:
    """A stored answer as the rater gave it, relative to the sides that they saw."""
    if not assignment.is_flipped:
        return answer
    first, second = _lengths(assignment) if answer.evidence else (0, 0)
    return _turned(answer, first, second)


def _turned(answer: Answer, before: int, after: int) -> Answer:
    evidence = turned_places(answer.evidence, before, after)
    return replace(answer, scores=turned_scores(answer.scores), evidence=evidence)


def _lengths(assignment: Assignment) -> tuple[int, int]:
    """The number of messages in the item's dialogue and in the one it is compared with (0 without one)."""
    item = assignment.item
    if assignment.study.has_chats:
        return len(conversation_at(assignment).bubbles), 0
    return item.dialogue.message_count, item.other.message_count if item.other else 0
