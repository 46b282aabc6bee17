"""Forms of the generation pages."""

from decimal import Decimal
from typing import Any

from django import forms

from generation.endpoints import addresses
from generation.endpoints.addresses import base_of
from generation.endpoints.keys import KeysMissingError
from generation.models import Endpoint, Run


class EndpointForm(forms.ModelForm[Endpoint]):
    """An endpoint and its key, which is stored and never shown again."""

    api_key = forms.CharField(
        label="API key",
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Stored encrypted and never shown again. Leave empty if the server needs none.",
    )
    forget_key = forms.BooleanField(label="Forget the stored key", required=False)

    class Meta:
        model = Endpoint
        fields = (
            "name", "base_url", "model", "price_in", "price_out", "max_in_flight", "requests_per_minute",
            "tokens_per_minute", "timeout_seconds", "batch_price_share",
        )  # fmt: skip
        labels = {
            "base_url": "Address",
            "price_in": "Price of a million input tokens",
            "price_out": "Price of a million output tokens",
            "max_in_flight": "Calls at once",
            "requests_per_minute": "Requests a minute",
            "tokens_per_minute": "Tokens a minute",
            "timeout_seconds": "Seconds to wait for an answer",
            "batch_price_share": "Price in a batch",
        }
        help_texts = {
            "name": "What you call it here.",
            "base_url": "The OpenAI-compatible base address, often ending in /v1.",
            "model": "The model's name as the endpoint knows it.",
            "price_in": "US dollars; 0 if it is free.",
            "price_out": "US dollars; 0 if it is free.",
            "max_in_flight": "How many calls may be in flight at the same time, across all workers.",
            "requests_per_minute": "Your account's limit; empty for none.",
            "tokens_per_minute": "Your account's limit; empty for none.",
            "timeout_seconds": "At most 300.",
            "batch_price_share": "As a share of the normal price; 0.5 is half. Only if the endpoint offers batches.",
        }
        widgets = {"base_url": forms.URLInput(attrs={"placeholder": "https://api.example.org/v1"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for price in ("price_in", "price_out", "batch_price_share"):
            self.initial[price] = f"{Decimal(self.initial.get(price) or 0).normalize():f}"
        self.fields["batch_price_share"].required = False
        if self.instance.has_key:
            self.fields["api_key"].help_text = "A key is stored. Leave empty to keep it."
        else:
            del self.fields["forget_key"]

    def clean_base_url(self) -> str:
        return base_of(self.cleaned_data["base_url"])

    def clean_batch_price_share(self) -> Decimal:
        share: Decimal | None = self.cleaned_data["batch_price_share"]
        return self.instance.batch_price_share if share is None else share

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"]
        if any(not "!" <= letter <= "~" for letter in key):
            raise forms.ValidationError(
                "A key has plain letters, digits and signs, and no spaces. Was all of it copied?"
            )
        return key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        address = addresses.origin(cleaned.get("base_url", ""))
        moved = self.instance.encrypted_key and address != self.instance.key_origin
        if moved and not cleaned.get("api_key") and not cleaned.get("forget_key"):
            self.add_error(
                "api_key", "The address now leads to another host. Enter the key for it; the stored one stays unsent."
            )
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if {"base_url", "model"} & set(self.changed_data):
            # What the last check found was true of another server.
            self.instance.structured_output, self.instance.supports_batch = Endpoint.StructuredOutput.UNKNOWN, False
        key = self.cleaned_data.get("api_key")
        try:
            if key or self.cleaned_data.get("forget_key"):
                self.instance.set_key(key or "")
        except KeysMissingError as error:
            self.add_error("api_key", str(error))


class BudgetForm(forms.ModelForm[Run]):
    class Meta:
        model = Run
        fields = ("budget", "token_budget")
        help_texts = {"budget": "US dollars; empty for none.", "token_budget": "Empty for none."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial.get("budget") is not None:
            self.initial["budget"] = f"{Decimal(self.initial['budget']).normalize():f}"
