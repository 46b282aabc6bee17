"""Three roles, as groups, and the permissions of each."""

from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db.models import Q

# The backend that knows permissions; log-ins without a password check name it.
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Role(StrEnum):
    RATER = "rater"
    RESEARCHER = "researcher"
    ADMIN = "admin"


# Reports and statistics that take longer than a page may.
_COMPUTATIONS = {"core.view_computation", "core.change_computation"}
_CORPORA = {"dialogues.view_corpus", "dialogues.add_corpus", "dialogues.change_corpus"}
_GENERATION_MODELS = ("endpoint", "exampleset", "run", "trainingset", "trainingrun")
_GENERATION = {
    *(f"generation.{verb}_{model}" for verb in ("view", "add", "change") for model in _GENERATION_MODELS),
    "generation.view_call",
}
# Not for raters: no script may rate for them.
_SCRIPTS = {"annotation.add_apitoken"}
_STUDIES = {
    *(f"annotation.{verb}_study" for verb in ("view", "add", "change")),
    "annotation.add_invitation",
    # To export ratings, with pseudonyms and once a study may be unblinded.
    "annotation.view_rating",
}
# Asking people to restructure dialogues, and reviewing the results.
_RESTRUCTURING = {f"annotation.{verb}_restructuring" for verb in ("view", "add", "change")}
_CHATS = {"annotation.add_chat"}
# Rating, and restructuring when asked to.
_RATER = {"annotation.add_rating", "annotation.add_operation"}
_ADMIN = {
    "dialogues.delete_corpus",
    "dialogues.view_auditevent",
    "annotation.view_profile",
    "annotation.change_profile",
}

_RESEARCH = _COMPUTATIONS | _CORPORA | _GENERATION | _STUDIES | _SCRIPTS | _RESTRUCTURING | _CHATS

PERMISSIONS: dict[Role, set[str]] = {
    Role.RATER: _RATER,
    Role.RESEARCHER: _RESEARCH | _RATER,
    Role.ADMIN: _RESEARCH | _ADMIN | _RATER,
}


def sync(**kwargs: Any) -> None:
    """Give the groups exactly these permissions; runs after every migration."""
    for role, names in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role.value)
        wanted = Q()
        for name in names:
            app, codename = name.split(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group.permissions.set(Permission.objects.filter(wanted))


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """The user's highest role; None without one."""
    if not isinstance(user, User):
        return None
    names = {Role.ADMIN.value} if user.is_superuser else {group.name for group in user.groups.all()}
    return next((role for role in reversed(Role) if role.value in names), None)
