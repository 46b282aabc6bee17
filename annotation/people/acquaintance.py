"""Raters who know the material: they may open it as researchers, or were asked to restructure some of it.

Such a person does not rate blind. They are refused, unless somebody gives a reason, which is recorded with the study.
"""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from annotation.models import Item, Membership, Restructuring, Study
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.families import in_families

OPENS_DIALOGUES = "dialogues.view_corpus"


class AcquaintedError(ValueError):
    """Somebody who knows the material and for whom no reason was given; the text says who and what to do."""


def why_acquainted(study: Study, rater: User) -> str:
    """How somebody knows what they would rate, to end a sentence that begins with their name; "" where they do not."""
    if rater.has_perm(OPENS_DIALOGUES):
        return "may open its dialogues, with their versions, as a researcher or admin"
    if _restructured(study, rater).exists():
        return "was asked to restructure dialogues of its backgrounds"
    return ""


def must_not_know(study: Study, rater: User, *, reason: str) -> str:
    """How the rater knows the material, "" where they do not; raises AcquaintedError where they do without a reason."""
    how = why_acquainted(study, rater)
    if how and not reason.strip():
        raise AcquaintedError(
            f"{rater.get_username()} was not added: {rater.get_username()} {how}. To add them all the same, say why "
            "under “Somebody who knows the material”; the study’s page and its methods text then tell."
        )
    return how


def raters_of(dialogues: Iterable[int], people: Sequence[User]) -> list[Membership]:
    """Where these people rate, in studies that are not closed, versions of the backgrounds of these dialogues."""
    rows = Dialogue.objects.filter(pk__in=list(dialogues))
    backgrounds = rows.values_list(Coalesce("origin", "pk"))
    shown = Item.objects.filter(background__in=backgrounds).values("study")
    # What a draft will show is not known yet: anything of its corpus.
    drafts = Q(study__state=Study.State.DRAFT, study__corpus__in=rows.values("corpus"))
    members = Membership.objects.filter(rater__in=people, withdrawn_at__isnull=True)
    members = members.exclude(study__state=Study.State.CLOSED).filter(Q(study__in=shown) | drafts)
    return list(members.select_related("study", "rater").order_by("pk"))


def record(member: Membership, *, how: str, reason: str, by: User | None) -> None:
    """Keep that somebody who knows the material rates it all the same; call it inside the transaction of the change."""
    AuditEvent.record(
        by, AuditVerb.ACQUAINTANCE_ACCEPTED, member.study, member=member.pk, how=how, reason=reason.strip()
    )


def accepted(study: Study) -> QuerySet[AuditEvent]:
    """What was recorded of a study's raters, the oldest first."""
    found = AuditEvent.objects.filter(subject=f"study:{study.pk}", verb=AuditVerb.ACQUAINTANCE_ACCEPTED)
    return found.select_related("actor").order_by("pk")


def _restructured(study: Study, rater: User) -> QuerySet[Restructuring]:
    rows = Restructuring.objects.of(rater)
    if study.is_draft:
        return rows.filter(original__corpus=study.corpus_id)
    return rows.filter(in_families(study.items.values("background"), "original"))
