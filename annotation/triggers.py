"""The database's own refusal to change what a launch froze: questions, systems to chat with, plans of the analysis.

The models refuse first, with a better sentence; this holds where rows are written past them. A used rubric cannot be
deleted either: its study protects it.
"""

from core.database.triggers import Rule, Triggers, differs

RUBRICS = "dialogues_rubric"
RUBRIC_COLUMNS = ("id", "slug", "name", "metrics", "scale_low", "scale_high", "frozen_at")
SYSTEMS = "annotation_chatsystem"
SYSTEM_COLUMNS = (
    "id", "study_id", "version_id", "endpoint_id", "mode", "delimiter", "temperature", "longest_reply", "position",
)  # fmt: skip
STUDIES = "annotation_study"
PLAN_COLUMNS = ("analysis_plan", "plan_sha256")
PLANNED = "The analysis plan of a launched study never changes. Make its next version instead."
LAUNCHED = "The systems of a launched study never change. Make its next version instead."
# {row} is NEW or OLD.
OF_LAUNCHED = "EXISTS (SELECT 1 FROM annotation_study WHERE id = {row}.study_id AND state <> 'draft')"
TRIGGERS = Triggers(
    "annotation",
    "People have scored by these questions, so they never change. Make a copy and change that.",
    {RUBRICS: RUBRIC_COLUMNS, SYSTEMS: SYSTEM_COLUMNS, STUDIES: ("id", "state", *PLAN_COLUMNS)},
    (
        Rule("frozen_rubric_update", RUBRICS, "UPDATE", f"OLD.frozen_at IS NOT NULL AND ({differs(RUBRIC_COLUMNS)})"),
        Rule("launched_system_insert", SYSTEMS, "INSERT", OF_LAUNCHED.format(row="NEW"), LAUNCHED),
        Rule(
            "launched_system_update",
            SYSTEMS,
            "UPDATE",
            f"{OF_LAUNCHED.format(row='OLD')} AND ({differs(SYSTEM_COLUMNS)})",
            LAUNCHED,
        ),
        Rule("launched_plan_update", STUDIES, "UPDATE", f"OLD.state <> 'draft' AND ({differs(PLAN_COLUMNS)})", PLANNED),
    ),
)
