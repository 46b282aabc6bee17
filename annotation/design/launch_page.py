"""What stands on a draft's own page: its check-list, what raters will see, and the button that launches it."""

from typing import Any

from annotation.design.checklist import Problem, musts, shoulds
from annotation.design.forms import MemberForm
from annotation.design.preview import examples
from annotation.design.selection import select
from annotation.design.steps import BY_SLUG, standings
from annotation.models import Item, Study

SHOWN = 25


def launch_page(study: Study) -> dict[str, Any]:
    selection = select(study)
    must, should = musts(study, selection), shoulds(study)
    kept = study.items.exclude(purpose=Item.Purpose.RATED).values_list("purpose", flat=True)
    return {
        "study": study,
        "steps": standings(study, must, should, "launch"),
        "musts": _named(must),
        "shoulds": _named(should),
        "versions": study.versions.all(),
        "selection": selection,
        "sample": examples(selection),
        "checks": [(purpose.label, list(kept).count(purpose)) for purpose in Item.Purpose if purpose != "rated"],
        "raters": study.memberships.select_related("rater")[:SHOWN],
        "more_raters": max(0, study.memberships.count() - SHOWN),
        "member_form": MemberForm(),
    }


def _named(problems: list[Problem]) -> list[tuple[str, str, str]]:
    """Each sentence with the step that mends it: its slug and its title."""
    return [(problem.text, problem.step, BY_SLUG[problem.step].title) for problem in problems]
