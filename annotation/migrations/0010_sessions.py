import django.db.models.deletion
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone


def carry_over(apps, schema_editor):
    """So that nobody has to log in again."""
    accounts = set(apps.get_model("auth", "User").objects.values_list("pk", flat=True))
    kept = []
    for old in apps.get_model("sessions", "Session").objects.filter(expire_date__gt=timezone.now()).iterator():
        account = SessionStore().decode(old.session_data).get(SESSION_KEY)
        kept.append((old, int(account) if account and int(account) in accounts else None))
    session = apps.get_model("annotation", "Session")
    session.objects.bulk_create(
        session(
            session_key=old.session_key,
            session_data=old.session_data,
            expire_date=old.expire_date,
            account_id=account,
        )
        for old, account in kept
    )


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0009_departures"),
        ("sessions", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
    ]
