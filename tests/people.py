"""Accounts for tests, one line each."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

from annotation.models import Membership
from annotation.roles import Role

PASSWORD = "a long walk by the sea"


def make_user(role: Role | str, name: str = "") -> User:
    """A user in one role, named after it unless told otherwise; the password is `PASSWORD`."""
    user = User.objects.create_user(name or f"the-{role}", password=PASSWORD)
    user.groups.add(Group.objects.get(name=str(role)))
    return user


def logged_in(role: Role | str, name: str = "", **options: Any) -> Client:
    """A client in which a new person of this role is logged in."""
    return client_of(make_user(role, name), **options)


def client_of(person: User | Membership, **options: Any) -> Client:
    """A client in which they are logged in; the options are those of Django's `Client`."""
    client = Client(**options)
    client.force_login(person.rater if isinstance(person, Membership) else person)
    return client


def session_of(person: User | Membership) -> str:
    """The cookie of a browser in which they are logged in."""
    return str(client_of(person).cookies[settings.SESSION_COOKIE_NAME].value)
