"""The verbs of `manage.py training`."""
