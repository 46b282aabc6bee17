"""The database's own refusal to change questions that people have scored by.

The model refuses first, with a better sentence; this holds where rows are written past it. A used rubric cannot be
deleted either: its study protects it.
"""

from core.database.triggers import Rule, Triggers, differs

TABLE = "dialogues_rubric"
COLUMNS = ("id", "slug", "name", "metrics", "scale_low", "scale_high", "frozen_at")
TRIGGERS = Triggers(
    "annotation",
    "People have scored by these questions, so they never change. Make a copy and change that.",
    {TABLE: COLUMNS},
    (Rule("frozen_rubric_update", TABLE, "UPDATE", f"OLD.frozen_at IS NOT NULL AND ({differs(COLUMNS)})"),),
)
