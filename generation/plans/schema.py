"""What a person may decide about a run, once: name, limits, usual value and words of every field.

The pages' forms, the API's serializers and the commands' options are made from these fields. A limit or a name is
changed here and nowhere else; a form or an option says only what differs there.
"""

from argparse import ArgumentParser, ArgumentTypeError
from argparse import _ArgumentGroup as ArgumentGroup
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation.models import Run

LARGEST = 2**53  # the largest whole number that JSON readers keep exact


def dollars(text: str) -> Decimal:
    """For an option; raises ArgumentTypeError."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is not an amount of money") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanField:
    """One decision, on every face. Keyword arguments of its three methods replace what is said here.

    `option` is its option's name where that is not the field's own, `option_help` the option's words where they are
    not the API's. `may_be_empty`: nothing may stand in it, on the page as an empty field and in the API as null.
    """

    name: str
    label: str | None = None
    page_help: str = ""
    api_help: str = ""
    option: str = ""
    option_help: str = ""
    metavar: str = "N"
    usual: Any = None
    may_be_empty: bool = False
    least: Any = None
    most: Any = None
    letters: int | None = None
    choices: Sequence[tuple[str, str]] = ()

    def add_option(self, parser: ArgumentParser | ArgumentGroup, *, usual: Any = None, **changes: Any) -> None:
        """Give a command the option; left out, it is the usual value, or `usual`."""
        default = self.usual if usual is None else usual
        asked = {"type": self._option_type(), "metavar": self.metavar, "help": self._option_help(default)}
        parser.add_argument(self._option_name(), dest=self.name, default=default, **{**asked, **changes})

    def _option_type(self) -> Callable[[str], Any]:
        return str

    def _option_name(self) -> str:
        return f"--{self.option or self.name.replace('_', '-')}"

    def _option_help(self, default: Any = None) -> str:
        words = self.option_help or self.api_help.rstrip(".")
        told = (words[:1].lower() + words[1:], "" if default is None else f"default: {default}")
        return "; ".join(filter(None, told))

    def _page(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        limits = {"min_value": self.least, "max_value": self.most, "max_length": self.letters}
        asked = {"label": self.label, "help_text": self.page_help, "initial": self.usual}
        return {**asked, "required": not self.may_be_empty, **_given(limits), **changes}

    def _api(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        limits = {"min_value": self.least, "max_value": self.most, "max_length": self.letters}
        nothing = {"allow_null": True} if self.may_be_empty else {}
        words = {"help_text": self.api_help} if self.api_help else {}
        return {"required": False, **nothing, **_given(limits), **words, **changes}


def _given(limits: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in limits.items() if value is not None}


class WholeNumber(PlanField):
    __slots__ = ()

    def _option_type(self) -> Callable[[str], Any]:
        return int

    def form_field(self, **changes: Any) -> forms.IntegerField:
        return forms.IntegerField(**self._page(changes))

    def api_field(self, **changes: Any) -> serializers.IntegerField:
        return serializers.IntegerField(**self._api(changes))


class Number(PlanField):
    __slots__ = ()

    def _option_type(self) -> Callable[[str], Any]:
        return float

    def form_field(self, **changes: Any) -> forms.FloatField:
        return forms.FloatField(**self._page(changes))

    def api_field(self, **changes: Any) -> serializers.FloatField:
        return serializers.FloatField(**self._api(changes))


class Dollars(PlanField):
    """To a hundredth of a cent. A page asks for a cent at least; a script may say 0."""

    __slots__ = ()

    def _option_type(self) -> Callable[[str], Any]:
        return dollars

    def form_field(self, **changes: Any) -> forms.DecimalField:
        return forms.DecimalField(max_digits=12, decimal_places=4, **self._page(changes))

    def api_field(self, **changes: Any) -> serializers.DecimalField:
        return serializers.DecimalField(12, 4, **self._api({"min_value": 0, **changes}))


class Text(PlanField):
    """Empty in the API where it may be empty on the page."""

    __slots__ = ()

    def form_field(self, **changes: Any) -> forms.CharField:
        return forms.CharField(**self._page(changes))

    def api_field(self, **changes: Any) -> serializers.CharField:
        asked = self._api(changes)
        if asked.pop("allow_null", False):
            asked["allow_blank"] = True
        return serializers.CharField(**asked)


class Switch(PlanField):
    __slots__ = ()

    def add_option(self, parser: ArgumentParser | ArgumentGroup, *, usual: Any = None, **changes: Any) -> None:
        """False where it is left out."""
        asked = {"action": "store_true", "help": self._option_help(), **changes}
        parser.add_argument(self._option_name(), dest=self.name, **asked)

    def form_field(self, **changes: Any) -> forms.BooleanField:
        return forms.BooleanField(**{**self._page({}), "required": False, **changes})

    def api_field(self, **changes: Any) -> serializers.BooleanField:
        return serializers.BooleanField(**self._api(changes))


class OneOf(PlanField):
    """`page_help` is the page's first choice: nothing said."""

    __slots__ = ()

    def add_option(self, parser: ArgumentParser | ArgumentGroup, *, usual: Any = None, **changes: Any) -> None:
        names = [name for name, _ in self.choices]
        asked = {"choices": names, "help": self._option_help(), **changes}
        parser.add_argument(self._option_name(), dest=self.name, **asked)

    def form_field(self, **changes: Any) -> forms.ChoiceField:
        choices = [("", self.page_help), *self.choices]
        return forms.ChoiceField(**{"label": self.label, "required": False, "choices": choices, **changes})

    def api_field(self, **changes: Any) -> serializers.ChoiceField:
        return serializers.ChoiceField(self.choices, **self._api(changes))


NAME = Text(name="name", letters=120, metavar="NAME", page_help="For you to find it again.")

# How models are asked, and what it may cost: of every kind of run.
SEED = WholeNumber(
    name="seed", least=0, most=LARGEST, usual=0, metavar="S",
    page_help="The same seed draws the same dialogues.",
)  # fmt: skip
TEMPERATURE = Number(
    name="temperature", least=0, most=2, may_be_empty=True, metavar="T", option_help="default: the model's own",
    page_help="Empty leaves it to the model.",
)  # fmt: skip
MAX_TOKENS = WholeNumber(
    name="max_tokens", least=16, most=200_000, usual=4096, label="Longest reply",
    page_help="In tokens; longer replies are cut off.", option_help="longest reply",
)  # fmt: skip
BUDGET = Dollars(
    name="budget", least=Decimal("0.01"), may_be_empty=True, metavar="USD", label="At most, in dollars",
    page_help="US dollars. The run pauses before it can cost more.", api_help="US dollars.",
    option_help="the run pauses before it can cost more",
)  # fmt: skip
TOKEN_BUDGET = WholeNumber(
    name="token_budget", least=1000, most=LARGEST, may_be_empty=True, label="At most, in tokens",
    page_help="Tokens read and written. The run pauses before it can use more.",
    option_help="the same in tokens read and written",
)  # fmt: skip
AMBIGUOUS_POLICY = OneOf(
    name="ambiguous_policy", choices=Run.AmbiguousPolicy.choices, label="A call that was sent but not answered",
    page_help="Send again where calls are free, else hold", option="ambiguous",
    option_help="calls sent but not answered; default: resend where all are free, else hold",
)  # fmt: skip
USE_BATCH = Switch(
    name="use_batch", option="batch", label="Send calls in batches where an endpoint offers it",
    page_help="At its Batch API’s price; replies may take a day.",
    api_help="Through the Batch API of every endpoint that offers one: cheaper, within a day.",
)  # fmt: skip

# Which dialogues a run takes.
SAMPLE = WholeNumber(
    name="sample", least=1, may_be_empty=True, label="How many at most", option="dialogues",
    page_help="Drawn by the seed; empty takes all.", api_help="How many, by the seed.",
    option_help="how many, drawn by the seed from what fits",
)  # fmt: skip
SEARCH = Text(
    name="search", letters=200, may_be_empty=True, metavar="TEXT", label="With these words",
    page_help="In the name or in a message.", option_help="only those that contain this text",
)  # fmt: skip
FEWEST_MESSAGES = WholeNumber(name="fewest_messages", least=0, may_be_empty=True, label="Messages, at least")
MOST_MESSAGES = WholeNumber(name="most_messages", least=0, may_be_empty=True, label="Messages, at most")
WITHOUT = Text(
    name="without", may_be_empty=True, metavar="VERSION", label="Only those without",
    page_help="A version that need not be written again.",
    api_help="Leave out dialogues that have this version.",
    option_help="only those that lack this version, like stephanie",
)  # fmt: skip
WITHOUT_WRITER = Text(
    name="without_writer", may_be_empty=True, metavar="MODEL", label="… by this model",
    page_help="Empty: by any model.", api_help="… written by this model.",
    option_help="with --without: lack it from this model",
)  # fmt: skip
WITH_EXAMPLES = Switch(
    name="with_examples", label="Also those that are among the examples",
    page_help="Otherwise they are left out: a model would be tested on what it was shown.",
    api_help="Also dialogues that the run shows as examples, which are otherwise left out.",
)  # fmt: skip

# Of runs that write.
KEEP_SHARE = Number(
    name="keep_share", least=0, most=1, usual=0.8, metavar="P",
    label="Share of γ's words that a further-split must keep",
    option_help="of γ's words that a further-split must keep",
)  # fmt: skip
REUSE_THEMES = Switch(
    name="reuse_themes", label="Take themes that earlier runs wrote",
    option_help="take the themes that earlier runs wrote",
    page_help="Where the same model wrote one by the same prompt and settings, it is reused at no cost.",
)  # fmt: skip

# Of judge runs, and AGAIN of trials too.
BACKGROUNDS = WholeNumber(
    name="backgrounds", least=1, may_be_empty=True, label="How many backgrounds", api_help="By the seed.",
    page_help="A background is an original with its versions, which stay together. Drawn by the seed; empty: all.",
    option_help="how many, drawn by the seed; default: all",
)  # fmt: skip
INCOMPLETE = Switch(name="incomplete", api_help="Also backgrounds that lack a version or writer.")
MOST_REPEATS = 20
REPEATS = WholeNumber(
    name="repeats", least=1, most=MOST_REPEATS, usual=1,
    page_help="Judgements of a dialogue by each judge. From two on you see how far a judge agrees with itself.",
    api_help=f"Judgements of a dialogue by each judge, 1 to {MOST_REPEATS}.",
)  # fmt: skip
AGAIN = Switch(
    name="again", label="Ask again where the same judge has answered before",
    page_help="Otherwise those judgements count at no further cost.",
    api_help="Ask also where the same judge has answered before.",
)  # fmt: skip

SELECTION_FIELDS = (SAMPLE, SEARCH, FEWEST_MESSAGES, MOST_MESSAGES, WITHOUT, WITHOUT_WRITER, WITH_EXAMPLES)
ASKED_FIELDS = (TEMPERATURE, MAX_TOKENS, BUDGET, TOKEN_BUDGET)
PLANNED_FIELDS = (*ASKED_FIELDS, AMBIGUOUS_POLICY, USE_BATCH)
# The option's name by the field's, if it differs.
OPTION_NAMES = {field.name: field.option for field in (*PLANNED_FIELDS, *SELECTION_FIELDS) if field.option}


def names(fields: Iterable[PlanField]) -> tuple[str, ...]:
    return tuple(field.name for field in fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How models are asked and what it may cost. None: the model's own temperature; no limit on the cost."""

    temperature: float | None = TEMPERATURE.usual
    max_tokens: int = MAX_TOKENS.usual
    budget: Decimal | None = None
    token_budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Asked):
    """What is decided about a run besides. An empty `ambiguous_policy` means `run_plan.usual_policy`.

    `use_batch` sends the calls of every endpoint that offers a Batch API through it; the others one by one.
    """

    ambiguous_policy: str = ""
    use_batch: bool = False


class Strict(serializers.Serializer[Any]):
    """Refuses names it does not know: a misspelt limit must not count as no limit."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


def refuse_unknown(given: Any, known: Any) -> None:
    """Raises ValidationError."""
    unknown = [name for name in given if name not in known]
    if unknown:
        words = f"There is no such field. The fields are: {', '.join(known)}."
        raise ValidationError({str(name): [words] for name in unknown})
