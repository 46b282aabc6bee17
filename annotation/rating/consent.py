"""What a rater agrees to, and what is left of one who does not: nothing."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Membership
from annotation.rating import rater_stage
from annotation.rating.queue import QueueError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


@transaction.atomic
def agree(*, membership: Membership, fingerprint: str, now: datetime) -> None:
    """Keep when the rater agreed, and to which text; agreeing again changes nothing.

    `fingerprint` is that of the text they were shown: raises QueueError where the study asks another one by now.
    """
    locked = (
        Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("study").get(pk=membership.pk)
    )
    if not rater_stage.must_agree(locked):
        return
    if fingerprint != rater_stage.consent_fingerprint(locked.study):
        raise QueueError(_("The text has changed since you opened the page. Please read it again."))
    locked.consented_at, locked.consent_sha256 = now, fingerprint
    locked.save(update_fields=["consented_at", "consent_sha256"])
    # By the member, not the account: who withdraws is named by nothing that stays.
    AuditEvent.record(None, AuditVerb.CONSENT_GIVEN, locked.study, member=locked.pk, text=fingerprint)


@transaction.atomic
def decline(*, membership: Membership) -> None:
    """Forget that this person was asked; only that somebody declined is noted, and not who.

    Before they agree a rater holds no place and has no rating, so that nothing of the study goes with them.
    """
    locked = Membership.objects.select_for_update(of=("self",)).select_related("study").get(pk=membership.pk)
    if not rater_stage.must_agree(locked) or locked.assignments.filter(slot__isnull=False).exists():
        raise QueueError(_("You have agreed before. You can still withdraw from the study."))
    AuditEvent.record(None, AuditVerb.CONSENT_DECLINED, locked.study)
    locked.delete()
