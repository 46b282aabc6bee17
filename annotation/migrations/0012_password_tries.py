"""Tries of passwords are counted in a table of our own; django-axes' went, with the addresses of links they held."""

from django.db import migrations, models

AXES = ("accessattemptexpiration", "accessattempt", "accessfailurelog", "accesslog")


class Migration(migrations.Migration):
    dependencies = [("annotation", "0011_screened_out")]

    operations = [
        migrations.CreateModel(
            name="PasswordTries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("username", models.CharField(max_length=150)),
                ("place", models.CharField(blank=True, max_length=64)),
                ("count", models.PositiveSmallIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "password tries",
                "constraints": [
                    models.UniqueConstraint(fields=("username", "place"), name="password_tries_once_a_place")
                ],
            },
        ),
        migrations.RunSQL(
            [f"DROP TABLE IF EXISTS axes_{name}" for name in AXES], migrations.RunSQL.noop, elidable=True
        ),
    ]
