"""The database refuses to change frozen example sets and prompts, and built training sets.

Content never changes; who made a set (a user may be deleted) and what it was cloned from may be forgotten.
"""

from core.database.triggers import Rule, Triggers, differs

FROZEN = "This is frozen, so it never changes. Make a new version instead."
SET, EXAMPLE, PROMPT = "generation_exampleset", "generation_example", "generation_prompt"
SET_COLUMNS = ("id", "name", "kind", "version", "note", "snapshot_of_id", "revision", "created_at", "frozen_at")
TRAINING_SET, TRAINING_ITEM = "generation_trainingset", "generation_trainingitem"
TRAINING_SET_COLUMNS = ("id", "name", "version", "corpus_id", "recipe", "counts", "sha256", "created_at", "built_at")
PROMPT_COLUMNS = ("id", "stage", "version", "is_trial", "system", "user", "sha256", "created_at", "frozen_at")


def _changed(columns: tuple[str, ...]) -> str:
    return f"OLD.frozen_at IS NOT NULL AND ({differs(columns)})"


def _in_frozen_set(key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {SET} WHERE id = {key} AND frozen_at IS NOT NULL)"  # noqa: S608 - names of ours


def _in_built_set(key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {TRAINING_SET} WHERE id = {key} AND state = 'built')"  # noqa: S608 - names of ours


_INTO_BUILT, _OUT_OF_BUILT = _in_built_set("NEW.training_set_id"), _in_built_set("OLD.training_set_id")
_INTO, _OUT_OF = _in_frozen_set("NEW.example_set_id"), _in_frozen_set("OLD.example_set_id")

TRIGGERS = Triggers(
    "generation",
    FROZEN,
    {
        SET: SET_COLUMNS,
        PROMPT: PROMPT_COLUMNS,
        EXAMPLE: (),
        TRAINING_SET: (*TRAINING_SET_COLUMNS, "state"),
        TRAINING_ITEM: ("training_set_id",),
    },
    (
        Rule("frozen_set_update", SET, "UPDATE", _changed(SET_COLUMNS)),
        Rule("frozen_set_delete", SET, "DELETE", "OLD.frozen_at IS NOT NULL"),
        Rule("frozen_prompt_update", PROMPT, "UPDATE", _changed(PROMPT_COLUMNS)),
        Rule("frozen_prompt_delete", PROMPT, "DELETE", "OLD.frozen_at IS NOT NULL"),
        Rule("frozen_example_insert", EXAMPLE, "INSERT", _INTO),
        Rule("frozen_example_update", EXAMPLE, "UPDATE", f"{_INTO} OR {_OUT_OF}"),
        Rule("frozen_example_delete", EXAMPLE, "DELETE", _OUT_OF),
        # Deletion refuses the set first, which lets its items go; a set never comes back from there.
        Rule(
            "built_set_update",
            TRAINING_SET,
            "UPDATE",
            f"OLD.state = 'built' AND (NEW.state = 'building' OR {differs(TRAINING_SET_COLUMNS)})"
            " OR OLD.state = 'refused' AND NEW.state <> 'refused'",
        ),
        Rule("built_item_insert", TRAINING_ITEM, "INSERT", _INTO_BUILT),
        Rule("built_item_update", TRAINING_ITEM, "UPDATE", f"{_INTO_BUILT} OR {_OUT_OF_BUILT}"),
        Rule("built_item_delete", TRAINING_ITEM, "DELETE", _OUT_OF_BUILT),
    ),
)
