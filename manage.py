#!/usr/bin/env python
"""Django's command line: `manage.py help` lists every command; `manage.py --demo COMMAND` runs one on the demo."""

import os
import sys

from config import environment
from demo import environment as demo


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    arguments = sys.argv
    if arguments[1:2] == ["--demo"]:
        demo.apply_or_exit()
        arguments = [arguments[0], *arguments[2:]]
    environment.check_or_exit()
    from django.core.management import execute_from_command_line

    from core.commands import output_may_be_cut

    with output_may_be_cut():
        execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
