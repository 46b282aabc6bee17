from django.db import migrations
from django.utils import timezone


def move_to_django(apps, schema_editor):
    """Keep everybody logged in.

    Django's own table may still hold rows from before `0010_sessions`; whoever logged out since must stay out.
    """
    theirs = apps.get_model("sessions", "Session")
    theirs.objects.all().delete()
    ours = apps.get_model("annotation", "Session").objects.filter(expire_date__gt=timezone.now())
    theirs.objects.bulk_create(
        (
            theirs(session_key=one.session_key, session_data=one.session_data, expire_date=one.expire_date)
            for one in ours.iterator()
        ),
        batch_size=1000,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0013_study_sources"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        # Back there, people log in again.
        migrations.RunPython(move_to_django, migrations.RunPython.noop),
        migrations.DeleteModel(name="Session"),
    ]
