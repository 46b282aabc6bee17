"""People with accounts, and what an admin can change about them."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation.people import members, resets
from annotation.people.forms import RoleForm, SearchForm
from annotation.people.invitations import open_invitations
from annotation.roles import Role, role_of
from core.permissions import act, person_of, requires
from dialogues.models import AuditEvent

PER_PAGE = 50
# How many audit events a person's page shows.
EVENTS = 20
_may_see = requires("annotation.view_profile", "see who has an account")
_may_change = requires("annotation.change_profile", "change people's accounts")


@require_GET
@_may_see
def people(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = members.people(asked.get("q", ""), asked.get("show", ""))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": [(person, role_of(person)) for person in page],
        "is_narrowed": any(asked.values()),
        "invitations": open_invitations(person_of(request)),
    }
    return render(request, "people/people.html", context)


@require_GET
@_may_see
def person(request: HttpRequest, pk: int) -> HttpResponse:
    return _person_page(request, _person(pk))


def _person_page(request: HttpRequest, person: User, form: RoleForm | None = None) -> HttpResponse:
    by, role = person_of(request), role_of(person)
    others = [other for other in Role if other != role]
    context = {
        "person": person,
        "role": role,
        "form": form or RoleForm(initial={"role": role}),
        "why_not_role": members.why_not_change_role(person=person, role=others[0], by=by),
        "why_not_deactivate": members.why_not_deactivate(person=person, by=by),
        "why_not_reset": resets.why_not_reset(person=person, by=by),
        "memberships": person.memberships.select_related("study"),
        "events": AuditEvent.objects.filter(subject=f"user:{person.pk}").select_related("actor")[:EVENTS],
    }
    return render(request, "people/person.html", context, status=422 if form and form.errors else 200)


@require_POST
@_may_change
def person_role(request: HttpRequest, pk: int) -> HttpResponse:
    person, form = _person(pk), RoleForm(request.POST)
    if not form.is_valid():
        return _person_page(request, person, form)
    role = Role(form.cleaned_data["role"])
    if role_of(person) == role:
        messages.info(request, f"{person.get_username()} already has this role.")
        return redirect("person", pk)
    said = f"{person.get_username()} is now in the role {role}."
    act(request, members.change_role, said, members.MemberError, person=person, role=role)
    return redirect("person", pk)


@require_POST
@_may_change
def person_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(pk)
    said = f"{person.get_username()} can no longer log in. Their ratings stay."
    act(request, members.deactivate, said, members.MemberError, person=person)
    return redirect("person", pk)


@require_POST
@_may_change
def person_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(pk)
    act(request, members.reactivate, f"{person.get_username()} can log in again.", person=person)
    return redirect("person", pk)


def _person(pk: int) -> User:
    return get_object_or_404(User.objects.select_related("profile"), pk=pk)
