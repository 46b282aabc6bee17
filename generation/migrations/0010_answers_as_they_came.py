"""Answers without a known text are kept whole, readings carry a note, and a stage remembers where it was answered."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def note_addresses(apps, schema_editor):
    """Stages that have started get the address that their endpoint has now: what it had then was not written down."""
    stages, endpoints = apps.get_model("generation", "RunStage"), apps.get_model("generation", "Endpoint")
    addresses = endpoints.objects.filter(pk=OuterRef("endpoint")).values("base_url")[:1]
    stages.objects.exclude(run__state="draft").update(address=Subquery(addresses))


class Migration(migrations.Migration):
    dependencies = [("generation", "0009_trials")]

    operations = [
        migrations.AddField("call", "raw_body", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddField(
            "call",
            "note",
            models.TextField(blank=True, default="", help_text="What to know about how the reply was read."),
            preserve_default=False,
        ),
        migrations.AddField("runner", "calls", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "runstage", "address", models.CharField(blank=True, default="", max_length=300), preserve_default=False
        ),
        migrations.RunPython(note_addresses, migrations.RunPython.noop),
    ]
