"""Rows as JSON, for the API and the command line: calls, example sets, prompts, a run's preview and estimate."""

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from dialogues.models import Dialogue
from generation.engine.requests import rebuild_messages, with_stages
from generation.models import Call, ExampleSet, Prompt, Run
from generation.plans import estimating, run_plan
from generation.plans.choosing import shown_in

# What calls are filtered by: the question or option, and its column.
COLUMNS = {
    "stage": "stage",
    "state": "state",
    "outcome": "outcome",
    "branch": "run_stage__branch",
    "edition": "run_stage__edition",
    "dialogue": "alpha__key",
}
# In the question as in the command's options; a note tells what to know about how a reply was read.
NOTED = {True: ~Q(note=""), False: Q(note=""), None: Q()}


class MessageSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.CharField()


class CallSerializer(serializers.ModelSerializer[Call]):
    dialogue = serializers.CharField(source="alpha.key", help_text="The key of the original.")
    branch = serializers.IntegerField(source="run_stage.branch")
    edition = serializers.IntegerField(source="run_stage.edition")
    model = serializers.CharField(source="run_stage.model")

    class Meta:
        model = Call
        fields = (
            "id", "run", "stage", "branch", "edition", "model", "dialogue", "sample", "repair", "state", "outcome",
            "error", "note", "tries", "refusals", "replaced", "prompt_tokens", "completion_tokens", "cost",
            "finish_reason", "is_demo", "sent_at", "settled_at",
        )  # fmt: skip


class CallDetailSerializer(CallSerializer):
    outputs = serializers.SlugRelatedField[Any](slug_field="dialogue_id", many=True, read_only=True)
    messages = MessageSerializer(many=True)
    parameters = serializers.DictField()
    proven = serializers.BooleanField(help_text="Whether these messages hash to what the ledger says was sent.")

    class Meta(CallSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *CallSerializer.Meta.fields, "reply_model", "raw_reply", "raw_body", "outputs", "messages", "parameters",
            "proven",
        )  # fmt: skip


def detailed(pk: int) -> Any:
    """The call with the messages and parameters that were or will be sent, rebuilt; None where there is none."""
    call: Any = Call.objects.select_related("alpha", "dialogue").prefetch_related("outputs").filter(pk=pk).first()
    if call is not None:
        with_stages([call])
        sent, call.proven = rebuild_messages(call)
        call.messages, call.parameters = sent.messages, sent.parameters
    return call


class ExampleSetSerializer(serializers.ModelSerializer[ExampleSet]):
    class Meta:
        model = ExampleSet
        fields = ("id", "name", "kind", "version", "note", "created_at", "frozen_at")


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    class Meta:
        model = Prompt
        fields = ("id", "stage", "version", "system", "user", "sha256", "created_at", "frozen_at")


class PreviewSerializer(serializers.Serializer[Any]):
    """What one stage would send for one dialogue; stand-ins take the place of what earlier stages will write."""

    stage = serializers.CharField()
    branch = serializers.IntegerField()
    endpoint = serializers.CharField()
    examples = serializers.ListField(child=serializers.CharField(), help_text="The sets that it shows.")
    messages = MessageSerializer(many=True)
    parameters = serializers.DictField()
    prompt_tokens = serializers.IntegerField(help_text="Estimated.")


def previewed(run: Run, dialogue: Dialogue | None) -> list[dict[str, Any]]:
    """What `PreviewSerializer` shows: the messages of every stage for one dialogue, or for the first."""
    return [
        {"stage": row.stage, "branch": row.branch, "endpoint": str(row.endpoint), "examples": row.set_names,
         "messages": sent.messages, "parameters": sent.parameters, "prompt_tokens": sent.prompt_tokens}
        for row, sent in estimating.preview(run, dialogue)
    ]  # fmt: skip


class EstimateRowSerializer(serializers.Serializer[Any]):
    stage = serializers.CharField()
    branch = serializers.IntegerField(source="row.branch")
    model = serializers.CharField(source="row.model")
    calls = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cost = serializers.DecimalField(14, 6, help_text="US dollars.")
    measured = serializers.IntegerField(help_text="How many real answers the means come from; 0: from usual replies.")


class EstimateSerializer(serializers.Serializer[Any]):
    """What the whole run takes, and what of it is there already."""

    rows = EstimateRowSerializer(many=True)
    calls = serializers.IntegerField()
    tokens = serializers.IntegerField()
    cost = serializers.DecimalField(14, 6)
    themes_reused = serializers.IntegerField(help_text="Taken from earlier runs and not paid for again.")
    judgements_reused = serializers.IntegerField(help_text="Given before by the same judge and not paid for again.")
    answered = serializers.IntegerField(help_text="Calls of this run that have their answer.")
    shown_as_examples = serializers.ListField(
        child=serializers.CharField(), help_text="Keys of its dialogues that are among the examples it shows."
    )


def estimate_of(run: Run) -> dict[str, Any]:
    """What `EstimateSerializer` shows."""
    rows, there = estimating.estimate(run), run_plan.already_there(run)
    return {
        "shown_as_examples": [dialogue.key for dialogue in shown_in(run)],
        "rows": rows,
        "calls": sum(row.calls for row in rows),
        "tokens": sum(row.prompt_tokens + row.completion_tokens for row in rows),
        "cost": sum(row.cost for row in rows),
        "themes_reused": there.themes,
        "judgements_reused": there.judgements,
        "answered": there.answered,
    }
