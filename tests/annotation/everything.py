"""One of everything that has a page, and the addresses of all pages, for tests that look at every page."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from annotation.chats import beginning
from annotation.design import drafting, rubrics
from annotation.models import ApiToken, Assignment, Chat, Invitation, Membership, Remark, Restructuring, Study
from annotation.models.people import profile_of
from annotation.people import api_tokens, invitations, resets
from annotation.rating import queue
from annotation.rating.answers import Answer
from annotation.recruitment import open_links
from annotation.reports import unblinding
from annotation.restructuring import review
from annotation.roles import Role
from core.models import Computation
from dialogues.models import ColumnMap, Corpus, Dialogue, ImportJob, Rubric
from dialogues.rubric import PAPER_SIX, Scale
from generation.curation import versions
from generation.curation.content import Content
from generation.curation.editing import change_example
from generation.models import (
    BatchJob,
    Call,
    Endpoint,
    Example,
    ExampleSet,
    Prompt,
    Run,
    TrainingExport,
    TrainingRun,
    TrainingSet,
    Trial,
)
from tests.annotation import chat_studies, handed_in, restructured, setting
from tests.generation import judged, runs, training_runs, trials
from tests.generation.runs import NOWHERE
from tests.generation.training_sets import built_set
from tests.people import session_of

# Nothing listens on the discard port: a check of this endpoint fails at once.


def someone(role: Role) -> User:
    """An account that never logs in with a password, so that none is hashed."""
    user = User.objects.create(username=f"some-{role}")
    user.groups.add(Group.objects.get(name=role.value))
    return user


@dataclass
class Everything:
    """A corpus, runs, studies and people; nobody in `people` is in a study."""

    people: dict[Role, User]
    sessions: dict[Role, str]
    study: Study
    draft: Study
    membership: Membership
    assignment: Assignment
    endpoint: Endpoint
    run: Run
    call: Call
    example: Example
    token: str
    restructuring: Restructuring
    handed_in: Restructuring
    guest: Membership
    client: Client = field(default_factory=Client)

    @classmethod
    def make(cls) -> "Everything":
        people = {role: someone(role) for role in Role}
        corpus = setting.corpus()
        study = setting.study(of=corpus, name="Launched")
        draft = _designed(corpus)
        membership = setting.member(study, "owner")
        assignment = _rated(membership)
        study, guest = _with_an_open_link(study, people[Role.ADMIN])
        endpoint = runs.endpoint_at(NOWHERE)
        run = runs.started(corpus, endpoint)
        call = run.calls.order_by("pk").first()
        assert call is not None
        Call.objects.filter(pk=call.pk).update(raw_reply="a reply", error="an error")
        run.run_stages.filter(pk=call.run_stage_id).update(use_batch=True)
        BatchJob.objects.create(run_stage=call.run_stage, state=BatchJob.State.DONE, provider_id="b", problem="why")
        failed = run.calls.exclude(pk=call.pk).order_by("pk")[:1]
        Call.objects.filter(pk__in=failed).update(
            state=Call.State.FAILED, outcome="unparsable", raw_reply="a bad reply"
        )
        judged.judge(judged.judge_run(corpus, "a judge"), call.dialogue, 60)
        tuned_on = built_set(corpus, corpus.dialogues.of_version("gamma"))
        training_runs.tell(training_runs.training_run(tuned_on), training_runs.story())
        Computation.objects.create(key="a key", task="annotation.compute_report", seconds=10, asked_at=timezone.now())
        ImportJob.objects.create(token="of-a-large-file", plan={"name": "Large"}, total_bytes=1)
        gamma = corpus.dialogues.of_version("gamma").first()
        assert gamma is not None
        trials.asked(endpoint, [gamma], prompt=trials.wording("further_split", "Be brief."))
        invitations.issue(role=Role.RATER, by=people[Role.ADMIN], study=study, email="guest@example.org")
        _chatted()
        beginning.begin(beginning.NewChat(endpoint, "Somebody's chat"), by=setting.user("chatter"))
        ColumnMap.objects.create(name="a log", columns={"dialogue_id": "conv", "speaker": "who", "text": "said"})
        example = _draft_example(people[Role.RESEARCHER])
        (token,) = invitations.issue(role=Role.RATER, by=None)
        profile_of(people[Role.RATER])
        api_tokens.issue(user=people[Role.ADMIN], name="a script", by=None)
        # Not of all targets, for which the page asks.
        TrainingExport.objects.create(training_set=TrainingSet.objects.get(), target="openai", total=1)
        sessions = {role: session_of(user) for role, user in people.items()}
        gamma = corpus.dialogues.filter(version="gamma").first()
        restructuring = restructured.asked("annotator", gamma, instructions="What to do.", review="What to mend.")
        waiting = _handed_in(corpus.dialogues.of_version("gamma")[1], membership.rater, people[Role.ADMIN])
        of_people = (restructuring, waiting)
        return cls(
            people,
            sessions,
            study,
            draft,
            membership,
            assignment,
            endpoint,
            run,
            call,
            example,
            token,
            *of_people,
            guest,
        )

    def browser_of(self, role: Role | None) -> Client:
        """A browser with no other cookie than the session of the role's person."""
        # One client for all, because each new one loads the middleware anew.
        self.client.cookies.clear()
        if role is not None:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return self.client

    def arguments(self, of: str) -> dict[str, Any]:
        """What goes into an address of a page about `of`."""
        known: dict[str, dict[str, Any]] = {
            "": {},
            "upload": {"token": "no-such-upload-at-all"},
            "saved columns": {"token": "no-such-upload-at-all", "pk": ColumnMap.objects.get().pk},
            "invitation link": {"token": self.token},
            "reset link": _reset_link(self.people[Role.RATER]),
            "invitation": {"pk": Invitation.objects.filter(study=self.study).get().pk},
            "API token": {"pk": ApiToken.objects.get().pk},
            "person": {"pk": self.people[Role.RATER].pk},
            "computation": {"pk": Computation.objects.get().pk},
            "corpus": {"pk": self.study.corpus_id},
            "import": {"pk": ImportJob.objects.get().pk},
            "corpus table": {"pk": self.study.corpus_id, "slug": "lengths", "form": "csv"},
            "judgement table": {"pk": self.study.corpus_id, "table": "published-1", "form": "csv"},
            "corpus figure": {"pk": self.study.corpus_id, "slug": "consecutive", "form": "svg"},
            "dialogue": {"pk": self.call.dialogue_id},
            "endpoint": {"pk": self.endpoint.pk},
            "example set": {"pk": self.run.sets_used[0].pk},
            "prompt": {"pk": Prompt.objects.get(is_trial=True).pk},
            "trial": {"pk": Trial.objects.get().pk},
            "draft set": {"pk": self.example.example_set_id},
            "draft set dialogue": {"pk": self.example.example_set_id, "dialogue": self.call.alpha_id},
            "example": {"pk": self.example.pk},
            "run": {"pk": self.run.pk},
            "run dialogue": {"pk": self.run.pk, "dialogue": self.call.alpha_id},
            "training export": {"pk": TrainingExport.objects.get().pk},
            "training run": {"pk": TrainingRun.objects.get().pk},
            "training run table": {"pk": TrainingRun.objects.get().pk, "slug": "check", "form": "csv"},
            "training run figure": {"pk": TrainingRun.objects.get().pk, "slug": "loss", "form": "svg"},
            "run batch": {"pk": self.run.pk, "batch": BatchJob.objects.get().pk},
            "run table": {"pk": self.run.pk, "slug": "outcomes", "form": "csv"},
            "comparison table": {"slug": "lengths", "form": "csv"},
            "call": {"pk": self.call.pk},
            "training set": {"pk": TrainingSet.objects.get().pk},
            "study": {"pk": self.study.pk},
            "draft": {"pk": self.draft.pk},
            "managed study": {"pk": self.study.pk, "action": "pause"},
            "study rater": {"pk": self.study.pk, "member": self.membership.pk},
            "study guest": {"pk": self.study.pk, "member": self.guest.pk},
            "study item": {"pk": self.study.pk, "number": self.assignment.item.position + 1},
            "door": {"token": self.study.door_token},
            "return link": {"token": open_links.return_token(self.guest)},
            "draft plan": {"pk": self.draft.pk, "form": "osf"},
            "draft step": {"pk": self.draft.pk, "step": "basics"},
            "draft dialogue": {"pk": self.draft.pk, "dialogue": self.call.dialogue_id},
            "check": {"pk": self.draft.pk, "item": self.draft.items.get().pk},
            "rubric": {"pk": Rubric.objects.get(slug="a-rubric").pk},
            "study table": {"pk": self.study.pk, "table": "table-3"},
            "power table": {"table": "half-width", "form": "csv"},
            "study figure": {"pk": self.study.pk, "figure": "means", "form": "svg"},
            "study flow": {"pk": self.study.pk, "form": "csv"},
            "study checklists": {"pk": self.study.pk, "form": "markdown"},
            "chat": {"token": Chat.objects.get(assignment=None).token},
            "sign in a chat": {"token": Chat.objects.get(assignment=None).token, "sign": "typing"},
            "study of chats": {"pk": Study.objects.get(kind=Study.Kind.CHATS).pk},
            "chat of a study": _chat_of_a_study(),
            "membership": {"token": self.membership.token},
            "item": {"token": self.assignment.token},
            "restructuring": {"token": self.restructuring.token},
            "handed-in restructuring": {"token": self.handed_in.token},
            "remark": {"token": self.handed_in.token, "pk": Remark.objects.get().pk},
            "restructured dialogue": {"pk": self.handed_in.original_id},
            "pairs table": {"pk": self.handed_in.original_id, "form": "csv"},
            "agreement table": {"form": "csv"},
        }
        return known[of]


def _with_an_open_link(study: Study, by: User) -> tuple[Study, Membership]:
    """The study with an open link, a guest who joined by it, and its versions unblinded."""
    study = open_links.set_open_link(study=study, limit=None, completion_code="", screen_out_code="", by=by)
    guest = open_links.enter(study=study, recruit=open_links.Recruit(), name="A guest")
    unblinding.unblind(study=study, by=by, how="on purpose")
    return study, guest


def _designed(corpus: Corpus) -> Study:
    """A draft with a training item and an analysis plan, and a rubric that nobody has used."""
    draft = setting.draft(of=corpus, name="Not launched", consent_text="A consent text.", pay_note="A pay note.")
    drafting.change_study(
        study=draft, by=None, analysis_plan={"metrics": ["natural"], "contrasts": [["alpha", "beta"]]}
    )
    kept = corpus.dialogues.of_version("beta").first()
    assert kept is not None
    setting.check(draft, kept, note="A note.")
    rubrics.make_rubric(name="A rubric", metrics=PAPER_SIX, scale=Scale(1, 5), by=None)
    return draft


def _chatted() -> None:
    """A study of chats in which somebody chatted and scored, and somebody else is chatting."""
    study = chat_studies.chat_study(name="Study of chats")
    chat_studies.chatted(chat_studies.join(study, 0), "Tuned")
    held = chat_studies.hold(chat_studies.join(study, 1), "Plain")
    chat_studies.play(chat_studies.begin(held), chat_studies.exchange(0, ["hi"], ["hello"]))


def _chat_of_a_study() -> dict[str, Any]:
    chat = Chat.objects.exclude(dialogue=None).get()
    assert chat.assignment is not None
    return {"pk": chat.assignment.study_id, "number": chat.pk}


def _draft_example(by: User) -> Example:
    """The first of two examples of a clone, which differs from what it was cloned from."""
    source = ExampleSet.objects.filter(kind="step_by_step").earliest("pk")
    made = versions.clone(example_set=source, name="Mine", by=by)
    example = made.examples.earliest("position")
    changed = Content.of(made.kind, messages=[[1, "Some"], [1, "text"], [2, "and an answer"]], note="why")
    return change_example(example=example, seen=0, content=changed, by=by)


def _reset_link(user: User) -> dict[str, Any]:
    return {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": resets.TOKENS.make_token(user)}


def _rated(membership: Membership) -> Assignment:
    """The owner's second item; the first has their rating."""
    now = timezone.now()
    first = queue.next_assignment(membership, now=now)
    assert first is not None
    rubric = membership.study.rubric
    answer = Answer.read(setting.SCORES, "a comment", "", rubric.metric_list(), rubric.scale)
    queue.submit(membership.rater, first.token, submission_id=first.submission_id, answer=answer, now=now)
    second = queue.next_assignment(membership, now=now)
    assert second is not None
    return second


def _handed_in(original: Dialogue, annotator: User, reviewer: User) -> Restructuring:
    """One that waits for review, with a remark, beside another person's approved one."""
    handed_in.approved(original, setting.user("second-annotator"), reviewer)
    waiting = handed_in.submitted(original, annotator)
    review.add_remark(restructuring=waiting, version=waiting.version, place=0, text="a remark", by=reviewer)
    return waiting


def url_names() -> Iterator[str]:
    """Every address of the project, by its name; Django's own admin site is left out."""
    yield from _names(get_resolver().url_patterns, "")


def _names(patterns: list[Any], namespace: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from _names(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name or pattern.pattern}"
