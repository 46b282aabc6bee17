"""Training data made of dialogues, and models fine-tuned on it (paper §3.3)."""
