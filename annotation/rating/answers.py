"""What a rater says about one item, read from a form or from JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from dialogues.models import Rubric
from dialogues.transcript import text_problem

FLAGS = {
    "unreadable": "Cannot be read or makes no sense",
    "offensive": "Offensive or upsetting",
    "seen-before": "I have seen this dialogue before",
}
LONGEST_COMMENT = 5000


class AnswerError(ValueError):
    """An answer that cannot be kept; the text is for the rater."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores by metric key, with a comment and a flag; a draft may lack scores, a submission may not."""

    scores: dict[str, int] = field(default_factory=dict)
    comment: str = ""
    flag: str = ""

    @classmethod
    def read(cls, scores: Mapping[str, Any], comment: Any, flag: Any, rubric: Rubric) -> Self:
        """Check every part against the rubric; raises AnswerError."""
        return cls(_scores(scores, rubric), _comment(comment), _flag(flag))

    @classmethod
    def from_draft(cls, draft: Mapping[str, Any]) -> Self:
        return cls(draft.get("scores", {}), draft.get("comment", ""), draft.get("flag", ""))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def require_complete(self, rubric: Rubric) -> None:
        """Raise AnswerError naming the metrics that have no score yet."""
        missing = [metric.name for metric in rubric.metric_list() if metric.key not in self.scores]
        if missing:
            raise AnswerError(f"Choose a point for {', '.join(missing)}.")


def _scores(raw: Mapping[str, Any], rubric: Rubric) -> dict[str, int]:
    known = {metric.key: metric.name for metric in rubric.metric_list()}
    if unknown := sorted(set(map(str, raw)) - known.keys()):
        raise AnswerError(f"This study has no metric called {unknown[0][:40]!r}.")
    for key, value in raw.items():
        if value not in rubric.scale:
            raise AnswerError(f"{known[key]}: choose a point from {rubric.scale_low} to {rubric.scale_high}.")
    return {key: raw[key] for key in known if key in raw}


def _comment(raw: Any) -> str:
    if not isinstance(raw, str):
        raise AnswerError("A comment is text.")
    # Browsers send line ends as CR LF.
    text = raw.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_COMMENT:
        raise AnswerError(f"The comment has {len(text):,} characters; at most {LONGEST_COMMENT:,} fit.")
    if problem := text_problem(text):
        raise AnswerError(f"The comment cannot be kept: its {problem}.")
    return text


def _flag(raw: Any) -> str:
    if raw and raw not in FLAGS:
        raise AnswerError("Choose one of the reasons for the flag.")
    return raw or ""
