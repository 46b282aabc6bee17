"""Accounts for tests, one line each."""

from django.contrib.auth.models import Group, User

from annotation.roles import Role

PASSWORD = "a long walk by the sea"


def make_user(role: Role | str, name: str = "") -> User:
    """A user in one role, named after it unless told otherwise; the password is `PASSWORD`."""
    user = User.objects.create_user(name or f"the-{role}", password=PASSWORD)
    user.groups.add(Group.objects.get(name=str(role)))
    return user
