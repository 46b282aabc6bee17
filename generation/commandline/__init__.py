"""The actions of `manage.py run` and `manage.py trial`, one module per group.

Each module has `register(actions)`, which adds its parsers; a parser's `act` does the work and returns an exit code.
"""
