from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0019_preferences_and_chat_ratings'),
    ]

    operations = [
        migrations.AddField(
            model_name='study',
            name='hidden_repeats',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='membership',
            name='repeats_due',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='assignment',
            name='is_repeat',
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(
                condition=Q(('hidden_repeats', 0), Q(('is_imported', False), ~Q(('kind', 'chats'))), _connector='OR'),
                name='repeats_of_written_dialogues',
            ),
        ),
        migrations.RemoveConstraint(
            model_name='assignment',
            name='assignment_once_a_rater',
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(
                fields=('item', 'membership', 'is_repeat'), name='assignment_once_and_repeated_once'
            ),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(
                condition=Q(
                    ('is_repeat', False),
                    Q(('condition', 0), ('membership__isnull', False), ('slot__isnull', True)),
                    _connector='OR',
                ),
                name='assignment_repeat_is_no_place',
            ),
        ),
    ]
