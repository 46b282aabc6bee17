"""How dialogues and scores that the demo model made are known and labelled, wherever they appear."""

DEMO_MODEL = "demo-rules"  # the model it answers as
DEMO_LABEL = "demo rules, not a language model"
