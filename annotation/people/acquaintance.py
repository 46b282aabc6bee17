"""Raters who know the material: researchers, who can open it, and people who were asked to restructure some of it.

Such a person would not rate blind. They are refused unless somebody gives a reason, which is recorded with the study.
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
    """Somebody knows the material and no reason was given; the text says who and what to do."""


def why_acquainted(study: Study, rater: User) -> str:
    """How somebody knows what they would rate, as the rest of a sentence after their name; "" if they do not."""
    if rater.has_perm(OPENS_DIALOGUES):
        return "may open its dialogues, with their versions, as a researcher or admin"
    if _restructured(study, rater).exists():
        return "was asked to restructure dialogues of its backgrounds"
    return ""


def must_not_know(study: Study, rater: User, *, reason: str) -> str:
    """How the rater knows the material, "" if they do not; raises AcquaintedError if they do and `reason` is empty."""
    how = why_acquainted(study, rater)
    if how and not reason.strip():
        raise AcquaintedError(
            f"{rater.get_username()} was not added: {rater.get_username()} {how}. To add them anyway, say why "
            "under “A rater who knows the material”; the study’s page and its methods text then say so."
        )
    return how


def raters_of(dialogues: Iterable[int], people: Sequence[User]) -> list[Membership]:
    """These people's memberships of unclosed studies that show versions of these dialogues' backgrounds."""
    rows = Dialogue.objects.filter(pk__in=list(dialogues))
    backgrounds = rows.values_list(Coalesce("origin", "pk"))
    shown = Item.objects.filter(background__in=backgrounds).values("study")
    # A draft may show anything of its corpus.
    drafts = Q(study__state=Study.State.DRAFT, study__corpus__in=rows.values("corpus"))
    members = Membership.objects.filter(rater__in=people, withdrawn_at__isnull=True)
    members = members.exclude(study__state=Study.State.CLOSED).filter(Q(study__in=shown) | drafts)
    return list(members.select_related("study", "rater").order_by("pk"))


def record(member: Membership, *, how: str, reason: str, by: User | None) -> None:
    """Record that somebody who knows the material rates it anyway; call it in the transaction of the change."""
    AuditEvent.record(
        by, AuditVerb.ACQUAINTANCE_ACCEPTED, member.study, member=member.pk, how=how, reason=reason.strip()
    )


def accepted(study: Study) -> QuerySet[AuditEvent]:
    """The study's recorded acquaintances, the oldest first."""
    found = AuditEvent.objects.filter(subject=f"study:{study.pk}", verb=AuditVerb.ACQUAINTANCE_ACCEPTED)
    return found.select_related("actor").order_by("pk")


def _restructured(study: Study, rater: User) -> QuerySet[Restructuring]:
    rows = Restructuring.objects.of(rater)
    if study.is_draft:
        return rows.filter(original__corpus=study.corpus_id)
    return rows.filter(in_families(study.items.values("background"), "original"))
