"""The trainer: fine-tunes a model on an exported training set, in an environment of its own.

`FINETUNE_PYTHON -m generation.training.finetune DATA_DIR --base MODEL --out DIR` knows neither Django nor the
database, so it runs on any machine with the exported folder. `__main__` refuses what it can before torch is loaded;
`session` loads the rest, proves what will be trained, trains, and checks the result.

`DIR` then holds `events.jsonl` (generation.training.events), `choices.json`, `checkpoints/`, `model/` (an adapter, or a
whole model), and where asked for `base/` (made from configuration) and `merged/`.
"""
