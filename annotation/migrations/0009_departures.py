import django.db.models.deletion
from django.db import migrations, models

NAMED_RATERS = ("join study", "consent", "screen out rater")


def name_members(apps, schema_editor):
    """Events say which member, not which account: so they name nobody any more once the member has withdrawn."""
    members = apps.get_model("annotation", "Membership").objects
    events = apps.get_model("dialogues", "AuditEvent").objects.filter(verb__in=NAMED_RATERS)
    for event in events.filter(subject__startswith="study:").iterator():
        if "rater" not in event.detail:
            continue
        rater = event.detail.pop("rater")
        member = members.filter(study=event.subject.removeprefix("study:"), rater=rater).first()
        if member is not None:
            event.detail["member"] = member.pk
        if event.actor_id == rater:
            event.actor_id = None
        event.save(update_fields=["detail", "actor"])


class Migration(migrations.Migration):
    dependencies = [
        ("dialogues", "0003_frozen_rubrics"),
        ("annotation", "0008_fewer_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Departure",
            fields=[
                ("code", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="departures", to="annotation.study"
                    ),
                ),
            ],
        ),
        migrations.RunPython(name_members, migrations.RunPython.noop),
    ]
