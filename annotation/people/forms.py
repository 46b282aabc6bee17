"""Forms for inviting people, accepting, finding and changing accounts, API tokens, and adding raters to a study."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from annotation.models import Study
from annotation.people.invitations import MOST_AT_ONCE, roles_to_offer, studies_to_join
from annotation.people.members import SHOWN
from annotation.roles import Role

ROLE_LABELS = {
    Role.RATER: "Rater: scores dialogues in the studies they are in",
    Role.RESEARCHER: "Researcher: corpora, runs, studies and reports",
    Role.ADMIN: "Admin: the same, and people and exports",
}


class InviteForm(forms.Form):
    """Whom to invite. With `study` the form asks for neither role nor study: it invites raters to that one."""

    role = forms.ChoiceField(widget=forms.RadioSelect)
    study = forms.ModelChoiceField(
        Study.objects.none(), required=False, empty_label="No study yet", help_text="They join it when they accept."
    )
    count = forms.IntegerField(
        label="How many links",
        min_value=1,
        max_value=MOST_AT_ONCE,
        initial=1,
        help_text=f"Each makes one account; up to {MOST_AT_ONCE} at once, for a class of raters.",
    )
    email = forms.EmailField(label="E-mail address", required=False)

    def __init__(self, *args: Any, by: User, study: Study | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.fixed_study = by, study
        roles = roles_to_offer(by)
        role_field = cast(forms.ChoiceField, self.fields["role"])
        role_field.choices = [(role.value, ROLE_LABELS[role]) for role in roles]
        role_field.initial = Role.RATER.value
        if study is not None or len(roles) < 2:
            del self.fields["role"]
        if study is not None:
            del self.fields["study"]
        else:
            cast("forms.ModelChoiceField[Study]", self.fields["study"]).queryset = studies_to_join()
        self.fields["email"].help_text = (
            "The link is sent there, and shown here as well."
            if settings.EMAIL_CONFIG
            else "A note of whom the link is for. This server sends no mail: pass the link on yourself."
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("email") and data.get("count", 1) > 1:
            self.add_error("email", "An address can go with one link only. Leave it empty, or make one link.")
        return data

    @property
    def chosen_role(self) -> Role:
        return Role(self.cleaned_data.get("role") or Role.RATER)

    @property
    def chosen_study(self) -> Study | None:
        return self.fixed_study or self.cleaned_data.get("study")


class AccountForm(UserCreationForm[User]):
    """The name and password of a new account; `invitations.accept_with_new_account` saves it."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _(
            "You log in with it. Whoever runs your studies can see it; exports name you by a pseudonym."
        )
        self.fields["password2"].help_text = ""


class SearchForm(forms.Form):
    q = forms.CharField(label="Search", required=False, max_length=150)
    show = forms.ChoiceField(label="Show", required=False, choices=list(SHOWN.items()))


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label="What this person may do",
        widget=forms.RadioSelect,
        choices=[(role.value, ROLE_LABELS[role]) for role in Role],
    )


class ApiTokenForm(forms.Form):
    """A new token's name and lifetime."""

    name = forms.CharField(max_length=80, help_text="What will use it, like “cluster job”.")
    days = forms.TypedChoiceField(
        label="Runs out after",
        coerce=int,
        initial=90,
        choices=[(7, "a week"), (30, "30 days"), (90, "90 days"), (365, "a year")],
    )


class MemberForm(forms.Form):
    """Add somebody who has an account to a study as a rater."""

    username = forms.CharField(max_length=150)
    knows_because = forms.CharField(max_length=300, required=False, label="Why they may rate it anyway")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        self.rater = User.objects.filter(username=name, is_active=True).first()
        if self.rater is None:
            raise forms.ValidationError("No account has this username. Invite the person by a link instead.")
        return name
