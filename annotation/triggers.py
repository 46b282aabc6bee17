"""The database's own refusal to change questions that people have scored by, and systems that they chat with.

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
LAUNCHED = "The systems of a launched study never change. Make its next version instead."
# {row} is NEW or OLD.
OF_LAUNCHED = "EXISTS (SELECT 1 FROM annotation_study WHERE id = {row}.study_id AND state <> 'draft')"
TRIGGERS = Triggers(
    "annotation",
    "People have scored by these questions, so they never change. Make a copy and change that.",
    {RUBRICS: RUBRIC_COLUMNS, SYSTEMS: SYSTEM_COLUMNS, STUDIES: ("id", "state")},
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
    ),
)
