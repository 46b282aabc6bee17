"""The actions of `manage.py run`, a module a kind.

Each module has `register(actions)`, which adds its parsers; a parser's `act` does the work and returns an exit code.
"""
