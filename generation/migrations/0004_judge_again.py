from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0003_asked_runs")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="judge_again",
            field=models.BooleanField(default=False, help_text="Also where the same judge has answered before."),
        ),
    ]
