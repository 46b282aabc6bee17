"""A run with several writers as the ledger holds it after its end, written by hand so that every figure is known."""

from django.utils import timezone

from dialogues.models import Corpus, Dialogue
from generation import example_sets
from generation.models import Background, Call, Endpoint, Output, Prompt, Run, RunDialogue, RunStage, Stage
from generation.stages import SPECS
from tests.dialogues.rows import add_dialogue

BETA = [[1, "hello there"], [2, "hi how are you"], [1, "fine"], [2, "good"]]
GAMMA = [[1, "hello"], [1, "there"], [2, "hi"], [2, "how are you"], [1, "fine"], [2, "good"]]
STEPHANIE = [[1, "hello"], [1, "there"], [2, "hi"], [2, "how"], [2, "are you"], [1, "fine"], [2, "good"]]
PARAMETERS = {"max_tokens": 4096}  # as a plan has them that says nothing of them
TEXTS = {"beta": BETA, "gamma": GAMMA, "stephanie": STEPHANIE}


def written_run(corpus: Corpus, *writers: Endpoint, name: str = "Written", kept: float = 1.0) -> Run:
    """Every α of the corpus through all stages, once for each writer; nothing failed."""
    example_sets.load_all()
    alphas = list(corpus.dialogues.originals().order_by("pk"))
    run = Run.objects.create(
        name=name, corpus=corpus, stages=["theme", "pair", "further_split"], state=Run.State.FINISHED,
        dialogue_count=len(alphas), started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    RunDialogue.objects.bulk_create(RunDialogue(run=run, dialogue=alpha) for alpha in alphas)
    theme = run_stage(run, "theme", 0, writers[0])
    pairs = [run_stage(run, "pair", branch, writer) for branch, writer in enumerate(writers)]
    splits = [run_stage(run, "further_split", branch, writer) for branch, writer in enumerate(writers)]
    for alpha in alphas:
        call = answered(theme, alpha, alpha)
        Background.objects.create(run=run, dialogue=alpha, call=call, theme="Two strangers talk about a walk.")
        for pair, split in zip(pairs, splits, strict=True):
            call = answered(pair, alpha, alpha)
            write(call, "beta")
            gamma = write(call, "gamma")
            write(answered(split, gamma, alpha), "stephanie", kept=kept, invented=0.0)
    return run


def run_stage(run: Run, stage: str, branch: int, endpoint: Endpoint) -> RunStage:
    prompt = Prompt.objects.filter(stage=stage).latest("version")
    row: RunStage = RunStage.objects.create(
        run=run, stage=stage, branch=branch, endpoint=endpoint, model=endpoint.model, prompt=prompt,
        parameters=PARAMETERS,
    )  # fmt: skip
    newest = example_sets.newest_sets()
    row.example_sets.set(newest[kind] for kind in SPECS[Stage(stage)].kinds)
    return row


def answered(row: RunStage, dialogue: Dialogue, alpha: Dialogue, **fields: object) -> Call:
    now = timezone.now()
    values = {
        "state": "done", "outcome": "ok", "raw_reply": "{}", "attempt": 1, "sent_at": now, "settled_at": now, **fields
    }  # fmt: skip
    call: Call = Call.objects.create(
        run=row.run, run_stage=row, stage=row.stage, depth=row.run.stages.index(row.stage), dialogue=dialogue,
        alpha=alpha, not_before=now, **values,
    )  # fmt: skip
    return call


def write(call: Call, version: str, **fidelity: float) -> Dialogue:
    """The dialogue that a call wrote."""
    dialogue = add_dialogue(
        call.run.corpus, f"{call.alpha.key}.{version}.{call.pk}", TEXTS[version], version, origin=call.alpha,
        parent=call.dialogue if version == "stephanie" else None, written_by=call.run_stage.model,
    )  # fmt: skip
    Output.objects.create(dialogue=dialogue, call=call, version_id=version, **fidelity)
    return dialogue
