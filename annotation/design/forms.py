"""Adding somebody who has an account to a study."""

from django import forms
from django.contrib.auth.models import User


class MemberForm(forms.Form):
    """Make somebody who has an account a rater."""

    username = forms.CharField(max_length=150)
    knows_because = forms.CharField(max_length=300, required=False, label="Why they may rate it all the same")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        self.rater = User.objects.filter(username=name, is_active=True).first()
        if self.rater is None:
            raise forms.ValidationError("Nobody with an account has this username. Invite them by a link instead.")
        return name
