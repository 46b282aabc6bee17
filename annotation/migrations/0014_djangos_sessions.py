from django.db import migrations
from django.utils import timezone


def _move(apps, source, target):
    """Living sessions only, with their keys, so that nobody has to log in again."""
    old, new = apps.get_model(source, "Session"), apps.get_model(target, "Session")
    # What stands in the other table is of another time: somebody may have logged out since.
    new.objects.all().delete()
    living = old.objects.filter(expire_date__gt=timezone.now()).values("session_key", "session_data", "expire_date")
    new.objects.bulk_create((new(**row) for row in living.iterator()), batch_size=1000)


def to_django(apps, schema_editor):
    _move(apps, "annotation", "sessions")


def from_django(apps, schema_editor):
    """Without the account beside them: the signed text names it, too."""
    _move(apps, "sessions", "annotation")


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0013_study_sources"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(to_django, from_django),
        migrations.DeleteModel(name="Session"),
    ]
