"""Planning a run, before it costs anything: its dialogues, stages and models, and what they will take."""
