"""Row 2: calls that take three times as long as the broker waits before it hands a message out again."""

from tests.faults import engine
from tests.faults.processes import working_crew
from tests.faults.site import Report, Site
from tests.waiting import until

PATIENCE = 300


def row(site: Site) -> Report:
    visibility, size = (1, 8) if site.short else (10, 60)
    report = Report(f"{size} dialogues, calls of {3 * visibility} s, visibility timeout {visibility} s")
    # One at a time in the short form: the run outlasts many of the broker's looks for messages to hand out again.
    fields = {"max_in_flight": 1 if site.short else 20, "timeout_seconds": 60}
    run = engine.started(
        site, "visibility", size, behaviour=f"good-{3 * visibility}", endpoint=fields, stages=["theme"]
    )
    hurried = {"FAULTS_VISIBILITY_SECONDS": str(visibility), "FAULTS_SWEEP_SECONDS": "2" if site.short else "15"}
    with working_crew(site, 2, app="tests.faults.worker_app", **hurried):
        until(lambda: engine.finished(run), "the run finishes", PATIENCE, pause=0.3)
    counted = site.model.count("visibility")
    notes = site.folder / "came-again"
    # Without one, nothing would have been tried.
    report.at_least("messages handed out again", len(notes.read_text().split()) if notes.exists() else 0, 1)
    report.exactly("calls asked", counted["requests"], size)
    report.exactly("second calls", counted["repeated"], 0)
    return report
