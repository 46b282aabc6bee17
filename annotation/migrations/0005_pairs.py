from django.db import migrations, models
from django.utils import timezone


def freeze_used_rubrics(apps, schema_editor):
    launched = apps.get_model("annotation", "Study").objects.exclude(state="draft").values("rubric")
    rubrics = apps.get_model("dialogues", "Rubric").objects.filter(pk__in=launched, frozen_at__isnull=True)
    rubrics.update(frozen_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0004_study_design"),
        ("dialogues", "0003_frozen_rubrics"),
    ]

    operations = [
        migrations.AddField(
            model_name="study",
            name="pairs",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunPython(freeze_used_rubrics, migrations.RunPython.noop),
    ]
