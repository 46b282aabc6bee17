"""A run before it costs anything: which dialogues, which stages and models, tokens and price."""
