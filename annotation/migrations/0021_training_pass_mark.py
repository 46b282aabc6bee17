from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0020_hidden_repeats'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='failed_training',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='study',
            name='least_passed',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(
                condition=Q(
                    ('failed_training', False),
                    Q(('screened_out_at__isnull', False), ('trained_at__isnull', True)),
                    _connector='OR',
                ),
                name='failed_training_screens_out',
            ),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(
                condition=Q(
                    ('least_passed__isnull', True),
                    Q(('is_imported', False), ('least_passed__gte', 1), ~Q(('kind', 'chats'))),
                    _connector='OR',
                ),
                name='pass_mark_of_written_dialogues',
            ),
        ),
    ]
