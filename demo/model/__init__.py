"""An OpenAI-compatible model that answers by rules: for the demo, for tests and for benchmarks."""
