from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import Exists, OuterRef

# Over on every clock: the lease of a place that nobody holds.
NO_LEASE = datetime(2000, 1, 1, tzinfo=UTC)
BATCH = 1000


def give_up_places(apps, schema_editor):
    """Who was screened out counts no more: as after an exclusion, their ratings stay and their places are free."""
    assignments = apps.get_model("annotation", "Assignment").objects
    ratings = apps.get_model("annotation", "Rating").objects.filter(assignment=OuterRef("pk"))
    held = assignments.filter(membership__screened_out_at__isnull=False, slot__isnull=False)
    places = list(held.annotate(is_rated=Exists(ratings)))
    kept = assignments.filter(pk__in=[place.pk for place in places if place.is_rated])
    kept.filter(state="open").update(state="skipped", skip_reason="left")
    kept.update(slot=None)
    assignments.filter(pk__in=[place.pk for place in places if not place.is_rated]).delete()
    assignments.bulk_create(
        (
            assignments.model(
                study_id=place.study_id,
                item_id=place.item_id,
                slot=place.slot,
                position=place.position,
                condition=place.condition,
                lease_until=NO_LEASE,
            )
            for place in places
        ),
        batch_size=BATCH,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0010_sessions"),
    ]

    operations = [
        migrations.RemoveField(model_name="membership", name="replaced_by"),
        migrations.AddField(
            model_name="study",
            name="counts_screened_out",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(give_up_places, migrations.RunPython.noop),
    ]
