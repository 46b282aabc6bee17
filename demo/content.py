"""What the demo shows: people, a corpus, a run through the demo model and its judgements, studies, a chat.

There is a finished and an open study of scores, and a finished study of chats. Every step first checks whether it was
done, so the next start completes one that was interrupted.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from annotation.chats.beginning import NewChat, begin
from annotation.chats.plan import ChatPlan
from annotation.design import drafting, launch
from annotation.design.chat_systems import SystemChoice
from annotation.design.plan import AnalysisPlan
from annotation.models import Chat, Item, Profile, Restructuring, Study
from annotation.monitoring import states
from annotation.people import memberships
from annotation.restructuring import drafts, seeds
from annotation.restructuring.proposals import RULES, proposal
from demo import simulation
from demo.model.completions import UNTUNED
from dialogues import importing
from dialogues.models import Corpus, Dialogue, Rubric, Version
from generation import example_sets
from generation.engine import lifecycle, loops
from generation.engine.runner import CallRunner, Plan
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.selection import Wanted
from generation.models import Endpoint, Run
from generation.plans.run_plan import Choice, create_run
from generation.stages import ORDER
from generation.training import delimiter

CORPUS = "Stephanie sample"
ENDPOINT = "Demo model"
RUN = "Demo run"
JUDGE_RUN = "Demo judge run"
FINISHED_STUDY = "Demo study (simulated ratings)"
RATERS, REPEATS = 3, 2
OPEN_STUDY = "Try rating"
PLAN = AnalysisPlan(
    question="Do people find dialogues in several short messages more natural and engaging than single-step ones?",
    metrics=("natural", "engaging"),
    contrasts=(("beta", "stephanie"),),
    raters=RATERS,
    margin=0.5,
    not_worse=(("gamma", "stephanie"),),
)
SAMPLE = settings.BASE_DIR / "dialogues" / "samples" / "stephanie-sample.jsonl"
SEED = 2407
VERSIONS = ("alpha", "beta", "gamma", "stephanie")
RESTRUCTURINGS = 3
CHAT = "Try a chat"
CHAT_STUDY = "Demo chat study (simulated)"
CHATTED = 3
INSTRUCTIONS = """\
Cut each message where a person would press send: after a reaction, before a question, when the thought moves on.
Keep the words and their order; reword only what sounds wrong once it stands alone.
"""


def load(passwords: Mapping[str, str], model_url: str) -> None:
    """Make what is missing; `model_url` is the demo model's address this time."""
    people = {role: _account(role, password) for role, password in passwords.items()}
    researcher = people["researcher"]
    corpus = _corpus(researcher)
    example_sets.load_all()
    _run(corpus, _endpoint(model_url, researcher), researcher)
    _judged(corpus, _endpoint(model_url, researcher), researcher)
    _finished_study(corpus, researcher)
    _open_study(corpus, researcher, people["rater"])
    _chat_to_try(_endpoint(model_url, researcher), researcher)
    _chat_study(corpus, _endpoint(model_url, researcher), _untuned(model_url, researcher), researcher)
    _restructurings(corpus, researcher, people["rater"])


@transaction.atomic
def _account(role: str, password: str) -> User:
    user, created = User.objects.get_or_create(username=role)
    if created:
        user.set_password(password)
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=role))
    Profile.objects.get_or_create(user=user, defaults={"pseudonym": f"demo-{role}"})
    return user


def _corpus(by: User) -> Corpus:
    corpus = Corpus.objects.filter(name=CORPUS).first()
    if corpus is None:
        description = "Invented for this project: two strangers meet and chat. No evidence about how people talk."
        options = importing.Options(description=description, licence="CC0-1.0")
        corpus = importing.import_file(
            importing.Source(SAMPLE, SAMPLE.name), name=CORPUS, by=by, options=options
        ).corpus
    return corpus


def _endpoint(url: str, by: User) -> Endpoint:
    values = {"base_url": url, "model": "demo-rules", "is_demo": True, "created_by": by}
    endpoint, _ = Endpoint.objects.update_or_create(name=ENDPOINT, defaults=values)
    return endpoint


def _untuned(url: str, by: User) -> Endpoint:
    values = {"base_url": url, "model": UNTUNED, "is_demo": True, "created_by": by}
    return Endpoint.objects.update_or_create(name=f"{ENDPOINT}, untuned", defaults=values)[0]


def _run(corpus: Corpus, endpoint: Endpoint, by: User) -> None:
    run = Run.objects.filter(name=RUN).first()
    if run is None:
        run = create_run(
            Choice(name=RUN, corpus=corpus, endpoints={stage: [endpoint] for stage in ORDER}, seed=SEED), by=by
        )
    _finish(run, by)


def _judged(corpus: Corpus, endpoint: Endpoint, by: User) -> None:
    run = Run.objects.filter(name=JUDGE_RUN).first()
    if run is None:
        wanted = Wanted(corpus, versions=VERSIONS, sample=8, seed=SEED)
        rubric = Rubric.objects.get(slug="paper-six")
        run = create_judge_run(
            JudgeChoice(name=JUDGE_RUN, wanted=wanted, judges=[endpoint], rubric=rubric, repeats=2), by=by
        )
    _finish(run, by)


def _finish(run: Run, by: User) -> None:
    if run.state != Run.State.FINISHED:
        lifecycle.start(run, by=by)
        loops.run(CallRunner(Plan(runs=(run.pk,))).run())


def _finished_study(corpus: Corpus, by: User) -> None:
    if Study.objects.filter(name=FINISHED_STUDY, state=Study.State.CLOSED).exists():
        return
    plan = replace(PLAN, backgrounds=corpus.dialogues.filter(version="alpha").count())
    study = _study(FINISHED_STUDY, corpus, by, is_simulated=True, hidden_repeats=REPEATS, analysis_plan=plan.as_json())
    simulation.simulate(study=study, raters=RATERS, seed=SEED)
    states.close(study=study, by=by)


def _open_study(corpus: Corpus, by: User, rater: User) -> None:
    study = _study(OPEN_STUDY, corpus, by, background_count=5)
    memberships.join(study=study, rater=rater, by=by)


def _chat_to_try(endpoint: Endpoint, by: User) -> None:
    if not Chat.objects.of(by).exists():
        begin(NewChat(endpoint, CHAT, theme="Two people meet on a train.", traits_of_model=("I bake bread.",)), by=by)


def _chat_study(corpus: Corpus, tuned: Endpoint, untuned: Endpoint, by: User) -> None:
    study = Study.objects.filter(name=CHAT_STUDY).first()
    if study is None:
        systems = [
            SystemChoice(name="In steps", endpoint=tuned, mode="trained", delimiter=delimiter.DEFAULT),
            SystemChoice(name="In one piece", endpoint=untuned, mode="plain"),
        ]
        study = drafting.create_study(
            by=by,
            systems=systems,
            kind=Study.Kind.CHATS,
            name=CHAT_STUDY,
            corpus=corpus,
            rubric=Rubric.objects.get(slug="chat-four"),
            chat_plan=ChatPlan(pace="none", silence=0.0, least_turns=3, practice=False).as_json(),
            raters_per_item=2,
            background_count=CHATTED,
            seed=SEED,
            is_simulated=True,
        )
    if study.is_draft:
        study = launch.launch(study=study, by=by)
    if study.is_open:
        simulation.simulate(study=study, raters=4, seed=SEED)
        states.close(study=study, by=by)


def _study(name: str, corpus: Corpus, by: User, **design: Any) -> Study:
    """The study of this name, launched."""
    study = Study.objects.filter(name=name).first() or drafting.create_study(
        by=by,
        versions=Version.objects.filter(slug__in=VERSIONS),
        name=name,
        corpus=corpus,
        rubric=Rubric.objects.get(slug="paper-six"),
        seed=SEED,
        **design,
    )
    return launch.launch(study=study, by=by) if study.is_draft else study


def _restructurings(corpus: Corpus, researcher: User, rater: User) -> None:
    """Ask the rater to restructure the first γ, and do one of them by the rules' proposals; once only."""
    if Restructuring.objects.exists():
        return
    # Nobody restructures what they rate.
    rated = Item.objects.filter(study__memberships__rater=rater).values("background")
    gammas = Dialogue.objects.filter(corpus=corpus, version="gamma").exclude(origin__in=rated)
    dialogues = list(gammas.order_by("pk")[:RESTRUCTURINGS])
    seeds.ask(dialogues=[row.pk for row in dialogues], people=[rater], instructions=INSTRUCTIONS, by=researcher)
    first = Restructuring.objects.order_by("pk").first()
    if first is not None:
        _hand_in(first, rater)


def _hand_in(row: Restructuring, by: User) -> None:
    """Accept every second proposal, the last first, so that the places of the others do not shift."""
    proposed = [(at, texts) for at, texts in enumerate(proposal(row.original, RULES, by)) if len(texts) > 1]
    bodies = [{"op": "accept", "at": at, "texts": texts, "by": RULES} for at, texts in reversed(proposed[::2])]
    now = timezone.now()
    sent = [drafts.Sent(uuid.uuid4(), body) for body in bodies]
    if sent:
        kept = drafts.save_operations(by, row.token, version=0, operations=sent, now=now)
        drafts.submit(by, row.token, version=kept.version, now=now)
