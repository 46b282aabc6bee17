"""Who answers a stage, and what they are shown, moves from the run to one row a stage."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.models import F, OuterRef, Q, Subquery, Sum

STAGES = [
    ("theme", "Theme"), ("pair", "Pair (β and γ)"), ("further_split", "Further-split (Stephanie)"), ("judge", "Judge"),
]
SETS = {"pair": ("single_step_set_id", "step_by_step_set_id"), "further_split": ("further_split_set_id",)}
SET_OF_KIND = {
    "single_step": "single_step_set_id", "step_by_step": "step_by_step_set_id", "further_split": "further_split_set_id",
}
CAUSES = {"Paused by": "hand", "never answered": "decision", "budget": "budget", "quota": "quota", "API key": "auth"}


def to_stages(apps, schema_editor):
    """One row for each stage of each run, and each call to the row of its stage."""
    Run, RunStage, Call = (apps.get_model("generation", name) for name in ("Run", "RunStage", "Call"))
    for run in Run.objects.all():
        prompts = {prompt.stage: prompt for prompt in run.prompts.all()}
        for stage in run.stages:
            row = RunStage.objects.create(
                run=run, stage=stage, endpoint_id=run.endpoint_id, model=run.model, parameters=run.parameters,
                prompt=prompts[stage],
            )
            row.example_sets.set([getattr(run, name) for name in SETS.get(stage, ()) if getattr(run, name)])
        tokens = run.calls.aggregate(tokens=Sum(F("prompt_tokens") + F("completion_tokens"), default=0))["tokens"]
        cause = next((name for words, name in CAUSES.items() if words in run.state_reason), "provider")
        Run.objects.filter(pk=run.pk).update(tokens_spent=tokens, pause_cause=cause if run.state == "paused" else "")
    rows = RunStage.objects.filter(run=OuterRef("run"), stage=OuterRef("stage"))
    Call.objects.update(run_stage_id=Subquery(rows.values("pk")[:1]), tries=F("attempt"))
    # A table with rows that wait for their constraints cannot be altered.
    schema_editor.connection.check_constraints()


def to_runs(apps, schema_editor):
    """Back again, which calls of several writers, judges or editions at one place do not survive."""
    Run, RunStage, Call = (apps.get_model("generation", name) for name in ("Run", "RunStage", "Call"))
    if Call.objects.filter(Q(run_stage__branch__gt=0) | Q(run_stage__edition__gt=1)).exists():
        raise IrreversibleError("Some runs have several models, or calls tried again with other words: no way back.")
    for run in Run.objects.all():
        for row in RunStage.objects.filter(run=run, branch=0).order_by("-edition"):
            Run.objects.filter(pk=run.pk).update(
                endpoint_id=row.endpoint_id, model=row.model, parameters=row.parameters,
                **{SET_OF_KIND[chosen.kind]: chosen.pk for chosen in row.example_sets.all()},
            )
            run.prompts.add(row.prompt)
    rows = RunStage.objects.filter(pk=OuterRef("run_stage"))
    Call.objects.update(prompt_id=Subquery(rows.values("prompt_id")[:1]))
    schema_editor.connection.check_constraints()


class Migration(migrations.Migration):

    dependencies = [
        ('dialogues', '0001_initial'),
        ('generation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RunStage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=STAGES, max_length=20)),
                ('branch', models.PositiveSmallIntegerField(default=0)),
                ('edition', models.PositiveSmallIntegerField(default=1)),
                ('model', models.CharField(max_length=200)),
                ('parameters', models.JSONField(blank=True, default=dict, help_text='temperature, max_tokens, …')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='run_stages', to='generation.run')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='run_stages', to='generation.endpoint')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='run_stages', to='generation.prompt')),
                ('example_sets', models.ManyToManyField(blank=True, related_name='run_stages', to='generation.exampleset')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Judgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.SlugField(max_length=40)),
                ('score', models.FloatField()),
                ('reason', models.TextField(blank=True)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='generation.call')),
                ('dialogue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='dialogues.dialogue')),
            ],
        ),
        migrations.AddField(
            model_name='call',
            name='refusals',
            field=models.PositiveIntegerField(default=0, help_text='How often the endpoint said: too many, later (429).'),
        ),
        migrations.AddField(
            model_name='call',
            name='replaced',
            field=models.BooleanField(default=False, help_text='Failed, and a newer call took its place.'),
        ),
        migrations.AddField(
            model_name='call',
            name='reserved_tokens',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='call',
            name='tries',
            field=models.PositiveSmallIntegerField(default=0, help_text='Sendings that count against the most there may be.'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='in_flight_limit',
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='limit_changed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='structured_output',
            field=models.CharField(choices=[('unknown', 'Not checked'), ('none', 'Not honoured'), ('json_schema', "OpenAI's json_schema"), ('structured_outputs', "vLLM's structured_outputs"), ('flat_schema', "llama.cpp's flat schema")], default='unknown', editable=False, max_length=20),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='supports_batch',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='output',
            name='invented',
            field=models.FloatField(blank=True, help_text='Share of its words that are not from γ.', null=True),
        ),
        migrations.AddField(
            model_name='output',
            name='kept',
            field=models.FloatField(blank=True, help_text="Share of γ's words kept in order.", null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='pause_cause',
            field=models.CharField(blank=True, choices=[('hand', 'Paused by a person'), ('decision', 'Waiting for a decision'), ('budget', 'Budget used up'), ('quota', 'Account out of quota'), ('auth', 'API key not accepted'), ('provider', 'Endpoint failing')], editable=False, max_length=10),
        ),
        migrations.AddField(
            model_name='run',
            name='repeats',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='run',
            name='rubric',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='dialogues.rubric'),
        ),
        migrations.AddField(
            model_name='run',
            name='tidy_display',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='run',
            name='token_budget',
            field=models.PositiveBigIntegerField(blank=True, help_text='Tokens read and written.', null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='tokens_reserved',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='run',
            name='tokens_spent',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='rundialogue',
            name='background',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='used_by', to='generation.background'),
        ),
        migrations.AlterField(
            model_name='call',
            name='attempt',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='call',
            name='reserved',
            field=models.DecimalField(decimal_places=6, default=0, max_digits=12),
        ),
        migrations.AlterField(
            model_name='call',
            name='sample',
            field=models.PositiveSmallIntegerField(default=0, help_text='Which repetition, from 0.'),
        ),
        migrations.AlterField(
            model_name='call',
            name='stage',
            field=models.CharField(choices=STAGES, max_length=20),
        ),
        migrations.AlterField(
            model_name='prompt',
            name='stage',
            field=models.CharField(choices=STAGES, max_length=20),
        ),
        # What leaves the run and the call may be empty on the way, so that the way back is open.
        migrations.AddField(
            model_name='call',
            name='run_stage',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='generation.runstage'),
        ),
        migrations.AlterField(
            model_name='call',
            name='prompt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='generation.prompt'),
        ),
        migrations.AlterField(
            model_name='run',
            name='endpoint',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='generation.endpoint'),
        ),
        migrations.AlterField(
            model_name='run',
            name='model',
            field=models.CharField(default='', max_length=200),
        ),
        migrations.RemoveConstraint(
            model_name='call',
            name='call_once',
        ),
        migrations.RemoveIndex(
            model_name='call',
            name='call_waiting',
        ),
        migrations.RemoveIndex(
            model_name='call',
            name='call_run_progress',
        ),
        migrations.RunPython(to_stages, to_runs),
        migrations.AlterField(
            model_name='call',
            name='run_stage',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='generation.runstage'),
        ),
        migrations.RemoveField(
            model_name='call',
            name='prompt',
        ),
        migrations.RemoveField(
            model_name='run',
            name='endpoint',
        ),
        migrations.RemoveField(
            model_name='run',
            name='further_split_set',
        ),
        migrations.RemoveField(
            model_name='run',
            name='model',
        ),
        migrations.RemoveField(
            model_name='run',
            name='parameters',
        ),
        migrations.RemoveField(
            model_name='run',
            name='prompts',
        ),
        migrations.RemoveField(
            model_name='run',
            name='single_step_set',
        ),
        migrations.RemoveField(
            model_name='run',
            name='step_by_step_set',
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(('in_flight_limit__isnull', True), ('in_flight_limit__gte', 1), _connector='OR'), name='endpoint_limit_allows_a_call'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('repeats__gte', 1)), name='run_repeats_at_least_once'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(condition=models.Q(('state', 'todo')), fields=['run_stage', 'id'], name='call_waiting'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['run', 'run_stage', 'state', 'outcome'], name='call_run_progress'),
        ),
        migrations.AddIndex(
            model_name='call',
            index=models.Index(fields=['run', 'alpha'], name='call_journey'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.UniqueConstraint(fields=('run_stage', 'dialogue', 'sample', 'repair'), name='call_once'),
        ),
        migrations.AddConstraint(
            model_name='call',
            constraint=models.CheckConstraint(condition=models.Q(('replaced', False), ('state', 'failed'), _connector='OR'), name='only_a_failed_call_is_replaced'),
        ),
        migrations.AddConstraint(
            model_name='judgement',
            constraint=models.UniqueConstraint(fields=('call', 'metric'), name='judgement_once_a_call_and_metric'),
        ),
        migrations.AddConstraint(
            model_name='judgement',
            constraint=models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 100)), name='judgement_score_0_to_100'),
        ),
        migrations.AddConstraint(
            model_name='runstage',
            constraint=models.UniqueConstraint(fields=('run', 'stage', 'branch', 'edition'), name='run_stage_once'),
        ),
        migrations.AddConstraint(
            model_name='runstage',
            constraint=models.CheckConstraint(condition=models.Q(('edition__gte', 1)), name='run_stage_edition_from_one'),
        ),
    ]
