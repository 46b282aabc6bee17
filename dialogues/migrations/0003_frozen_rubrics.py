from django.db import migrations, models
from django.utils import timezone


def freeze_presets(apps, schema_editor):
    rubrics = apps.get_model("dialogues", "Rubric").objects.filter(slug__in=["paper-six", "chat-four"])
    rubrics.update(frozen_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("dialogues", "0002_scratch_corpora"),
    ]

    operations = [
        migrations.AddField(
            model_name="rubric",
            name="frozen_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(freeze_presets, migrations.RunPython.noop),
    ]
