"""The OpenAPI schema is what the API does: every operation is tried with values that the schema allows and forbids.

`API_EXAMPLES=100` in the environment tries each operation with more of them.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi.checks import RejectedPositiveData

from annotation.people import api_tokens
from annotation.roles import Role
from generation import tasks
from generation.api.common import Pace
from generation.models import Call, ExampleSet, Run, TrainingRun
from tests.generation.judged import judge, judge_run
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus
from tests.generation.training_runs import dialogue_set, story, tell, training_run
from tests.people import make_user

EXAMPLES = int(os.environ.get("API_EXAMPLES", "3"))
# It bounds itself by the number of its examples; a machine with other work needs longer than for a usual test.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.timeout(1200)]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests end without closing the database connection, which here is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def api(one_connection: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The API's own schema over a database in which there is something to find, asked as an admin."""
    monkeypatch.setattr(Pace, "rate", "1000000/min")
    monkeypatch.setattr(tasks, "wake_workers", lambda: None)
    chats = small_corpus(2)
    draft(chats, endpoint_at(NOWHERE))
    judging = judge_run(chats, "judge", state=Run.State.FINISHED)
    tell(training_run(dialogue_set("Tuned")), story()[:4])
    judge(judging, chats.dialogues.first(), 50)  # type: ignore[arg-type]
    _, token = api_tokens.issue(user=make_user(Role.ADMIN), name="schema", by=None)
    headers = {"Authorization": f"Bearer {token}"}
    config = SchemathesisConfig()
    config.projects.default.headers = headers
    return schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application(), config=config, headers=headers)


def test_every_operation_answers_what_its_schema_says(api: Any) -> None:
    problems: dict[str, str] = {}
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        for mode in GenerationMode:
            try_out(operation, mode, problems)
    assert not problems, "\n\n".join(f"{key}\n{text}" for key, text in problems.items())


def try_out(operation: Any, mode: GenerationMode, problems: dict[str, str]) -> None:
    """Note what is wrong with the answers of an operation, each kind once."""

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def tried(case: schemathesis.Case) -> None:
        if case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters = {**case.path_parameters, "id": there(case.path)}
        with transaction.atomic():
            response = case.call()
            # Every case finds the same rows.
            transaction.set_rollback(True)
        try:
            case.validate_response(response)
        except FailureGroup as group:
            for failure in group.exceptions:
                if not (isinstance(failure, RejectedPositiveData) and names_nothing(response.text)):
                    shown = f"{failure}\n{case.as_curl_command()}\n{response.text[:500]}"
                    problems.setdefault(f"{operation.label}, {mode.value}: {failure.title}", shown)

    try:
        tried()
    except Unsatisfiable:
        # Nothing that this schema forbids can be sent to an operation that takes nothing.
        assert mode is GenerationMode.NEGATIVE


def names_nothing(reasons: str) -> bool:
    """Whether a request was refused for a corpus, endpoint, set or version that is not there.

    No schema can say which are.
    """
    return "There is" in reasons or "Available: " in reasons


def there(path: str) -> int:
    """The number of something that the address can be asked for."""
    if "example-sets" in path:
        return int(ExampleSet.objects.values_list("pk", flat=True)[0])
    if "training-runs" in path:
        return int(TrainingRun.objects.values_list("pk", flat=True)[0])
    if path.startswith("/api/calls"):
        return int(Call.objects.values_list("pk", flat=True)[0])
    return int(Run.objects.order_by("pk").values_list("pk", flat=True)[0])
