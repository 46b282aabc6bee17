"""Endpoints, the examples and prompts shown to models, runs, and the ledger of every paid call."""

from generation.models.batches import BatchJob
from generation.models.calls import NEVER_ANSWERED, Background, Call, CallQuerySet, Judgement, Output, Runner
from generation.models.endpoints import Endpoint, Shutdown
from generation.models.live import LiveBudget, LiveCall
from generation.models.material import (
    Example,
    ExampleKind,
    ExampleSet,
    ExampleSetQuerySet,
    Freezable,
    FrozenError,
    Prompt,
    Stage,
)
from generation.models.runs import AskedRun, Run, RunDialogue, RunQuerySet, RunStage
from generation.models.training import TrainingEvent, TrainingItem, TrainingRun, TrainingSet
from generation.models.training_exports import TrainingExport
from generation.models.trials import Trial, TrialArm, TrialSubject

__all__ = [
    "NEVER_ANSWERED",
    "AskedRun",
    "Background",
    "BatchJob",
    "Call",
    "CallQuerySet",
    "Endpoint",
    "Example",
    "ExampleKind",
    "ExampleSet",
    "ExampleSetQuerySet",
    "Freezable",
    "FrozenError",
    "Judgement",
    "LiveBudget",
    "LiveCall",
    "Output",
    "Prompt",
    "Run",
    "RunDialogue",
    "RunQuerySet",
    "RunStage",
    "Runner",
    "Shutdown",
    "Stage",
    "TrainingEvent",
    "TrainingExport",
    "TrainingItem",
    "TrainingRun",
    "TrainingSet",
    "Trial",
    "TrialArm",
    "TrialSubject",
]
