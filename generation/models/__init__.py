"""Endpoints, the examples and prompts shown to models, runs, and the ledger of every paid call."""

from generation.models.calls import NEVER_ANSWERED, Background, Call, CallQuerySet, Output, Runner
from generation.models.endpoints import Endpoint
from generation.models.material import Example, ExampleKind, ExampleSet, Freezable, FrozenError, Prompt, Stage
from generation.models.runs import Run, RunDialogue

__all__ = [
    "NEVER_ANSWERED",
    "Background",
    "Call",
    "CallQuerySet",
    "Endpoint",
    "Example",
    "ExampleKind",
    "ExampleSet",
    "Freezable",
    "FrozenError",
    "Output",
    "Prompt",
    "Run",
    "RunDialogue",
    "Runner",
    "Stage",
]
