"""A database trigger that refuses changes to a rubric by which people have scored.

The model refuses first, with a better message; the trigger also covers writes that bypass it. A used rubric cannot be
deleted either, because its study protects it.
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
