from django.db import migrations
from django.db.models import Case, Value, When

NEW = {
    "imported corpus": "corpus.imported",
    "deleted corpus": "corpus.deleted",
    "split baseline": "baseline.split",
    "endpoint.key_rotated": "endpoint_key.rotated",
    "run.budget": "run_budget.changed",
    "run.keep_share": "keep_share.changed",
    "create study": "study.created",
    "change study": "study.changed",
    "make next version": "study_version.created",
    "launch study": "study.launched",
    "extend study": "study.extended",
    "pause study": "study.paused",
    "resume study": "study.resumed",
    "close study": "study.closed",
    "unblind study": "study.unblinded",
    "add items": "items.added",
    "add check": "check.added",
    "change check": "check.changed",
    "remove check": "check.removed",
    "make rubric": "rubric.created",
    "change rubric": "rubric.changed",
    "copy rubric": "rubric.copied",
    "delete rubric": "rubric.deleted",
    "open door": "open_link.opened",
    "change door": "open_link.changed",
    "shut door": "open_link.closed",
    "join study": "study.joined",
    "consent": "consent.given",
    "decline consent": "consent.declined",
    "accept acquaintance": "acquaintance.accepted",
    "exclude rater": "rater.excluded",
    "reinstate rater": "rater.reinstated",
    "replace rater": "rater.replaced",
    "screen out rater": "rater.screened_out",
    "withdraw rater": "rater.withdrawn",
    "remind raters": "raters.reminded",
    "show return link": "return_link.shown",
    "adjudicate": "rating.adjudicated",
    "exported ratings": "ratings.exported",
    "simulate ratings": "ratings.simulated",
    "exported adjudications": "adjudications.exported",
    "ask to restructure": "restructurings.requested",
    "approve restructuring": "restructuring.approved",
    "send back restructuring": "restructuring.sent_back",
    "take back restructuring": "restructuring.taken_back",
    "give back restructuring": "restructuring.given_back",
    "exported restructurings": "restructurings.exported",
    "remark on restructuring": "remark.added",
    "settle remark": "remark.settled",
    "invite": "invitation.created",
    "invite list": "invitations.created",
    "revoke invitation": "invitation.revoked",
    "accept invitation": "invitation.accepted",
    "change role": "role.changed",
    "deactivate": "account.deactivated",
    "reactivate": "account.reactivated",
    "make reset link": "reset_link.created",
    "reset password": "password.reset",
    "make API token": "api_token.created",
    "revoke API token": "api_token.revoked",
    "revoke API tokens": "api_tokens.revoked",
}


def rename(apps, verbs):
    """One UPDATE for all verbs: the table may be large."""
    cases = [When(verb=before, then=Value(after)) for before, after in verbs.items()]
    apps.get_model("dialogues", "AuditEvent").objects.filter(verb__in=verbs).update(verb=Case(*cases))


def to_one_grammar(apps, schema_editor):
    rename(apps, NEW)


def to_former_words(apps, schema_editor):
    rename(apps, {after: before for before, after in NEW.items()})


class Migration(migrations.Migration):
    dependencies = [
        ("dialogues", "0003_frozen_rubrics"),
        # It looks for events by their former verbs.
        ("annotation", "0009_departures"),
    ]

    operations = [
        migrations.RunPython(to_one_grammar, to_former_words),
    ]
