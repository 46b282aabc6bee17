"""`manage.py api_token …`: tokens for scripts, made where there is no browser."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from annotation.models import ApiToken
from annotation.people import api_tokens
from core import commands


class Command(commands.Command):
    help = "Make, list and revoke the API tokens of an account. A token is printed once and has its person's rights."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        create = _action(actions, "create", "make a token and print it, once")
        create.add_argument("--name", required=True, help="what will use it")
        create.add_argument("--days", type=int, default=api_tokens.DAYS, help="until it runs out (%(default)s)")
        _action(actions, "list", "the account's tokens, without their texts")
        revoke = _action(actions, "revoke", "close a token for good")
        revoke.add_argument("--name", required=True, help="the token's name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']!r}. `manage.py people invite` makes one.")
        getattr(self, f"_{options['action']}")(user, options)

    def _create(self, user: User, options: dict[str, Any]) -> None:
        try:
            token, text = api_tokens.issue(user=user, name=options["name"], days=options["days"], by=None)
        except api_tokens.ApiTokenError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            commands.print_json(self, {**as_json(token), "token": text})
        else:
            self.stdout.write(text)
            self.stderr.write(f"Speaks as {user.get_username()} for {options['days']} days. It is not shown again.")

    def _list(self, user: User, options: dict[str, Any]) -> None:
        tokens = [as_json(token) for token in user.api_tokens.kept()]
        if options["json"]:
            commands.print_json(self, {"tokens": tokens})
        for token in [] if options["json"] else tokens:
            used = token["last_used_at"] or "never used"
            self.stdout.write(f"{token['name']}: runs out {token['expires_at']}, last used {used}")

    def _revoke(self, user: User, options: dict[str, Any]) -> None:
        token = user.api_tokens.kept().filter(name=options["name"]).first()
        if token is None:
            known = ", ".join(str(token) for token in user.api_tokens.kept()) or "none"
            raise CommandError(f"{user.get_username()} has no token {options['name']!r}. Available: {known}.")
        api_tokens.revoke(token=token, by=None)
        if options["json"]:
            commands.print_json(self, {**as_json(token), "revoked": True})
        else:
            self.stdout.write(f"The token {token.name!r} is revoked.")


def _action(actions: Any, name: str, words: str) -> ArgumentParser:
    parser = commands.add_action(actions, name, words)
    parser.add_argument("username", metavar="USERNAME", help="whose token")
    return parser


def as_json(token: ApiToken) -> dict[str, Any]:
    used = token.last_used_at and token.last_used_at.isoformat(timespec="seconds")
    return {
        "name": token.name,
        "username": token.user.get_username(),
        "created_at": token.created_at.isoformat(timespec="seconds"),
        "expires_at": token.expires_at.isoformat(timespec="seconds"),
        "last_used_at": used,
    }
