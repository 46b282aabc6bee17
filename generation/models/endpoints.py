"""Where models answer, at what price and within which limits."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints import addresses, keys

LOWERED = 0.75  # of the calls in flight, after a 429
MILLION = Decimal(1_000_000)


class Endpoint(models.Model):
    """An OpenAI-compatible address, its price and its limits."""

    class LengthParameter(models.TextChoices):
        MAX_TOKENS = "max_tokens", "max_tokens"
        MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"

    class StructuredOutput(models.TextChoices):
        UNKNOWN = "unknown", "Not checked"
        NONE = "none", "Not honoured"
        JSON_SCHEMA = "json_schema", "OpenAI's json_schema"
        VLLM = "structured_outputs", "vLLM's structured_outputs"
        LLAMA_CPP = "flat_schema", "llama.cpp's flat schema"

    class ReplyMode(models.TextChoices):
        """What a reply is, to whoever shows it as messages."""

        PLAIN = "plain", "One message a reply"
        AS_TRAINED = "as_trained", "As trained: messages with the delimiter between"

    name = models.CharField(max_length=120, unique=True)
    base_url = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    # Fernet text under FIELD_ENCRYPTION_KEYS; written, never shown.
    encrypted_key = models.TextField(blank=True, editable=False)
    # The scheme, host and port the key was given for; it is sent nowhere else.
    key_origin = models.CharField(max_length=300, blank=True, editable=False)
    # US dollars a million tokens; both 0 means free, and free calls may be sent again without asking.
    price_in = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    price_out = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    max_in_flight = models.PositiveIntegerField(default=16)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    timeout_seconds = models.PositiveIntegerField(
        default=120, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    # The endpoint's name for the limit of a reply's length; the check finds out.
    length_parameter = models.CharField(
        max_length=30, choices=LengthParameter, default=LengthParameter.MAX_TOKENS, editable=False
    )
    # Whether, and in which form, replies can be held to a JSON schema; the check finds out.
    structured_output = models.CharField(
        max_length=20, choices=StructuredOutput, default=StructuredOutput.UNKNOWN, editable=False
    )
    supports_batch = models.BooleanField(default=False, editable=False)
    # The price of a call in a batch, as a share of the price of a single call.
    batch_price_share = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal("0.5"), validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    # Calls in flight allowed now, lowered by rate limits; empty while max_in_flight holds.
    in_flight_limit = models.PositiveIntegerField(null=True, blank=True, editable=False)
    limit_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # A 429 holds every worker back until then.
    blocked_until = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_result = models.CharField(max_length=500, blank=True)
    check_passed = models.BooleanField(default=False, editable=False)
    is_demo = models.BooleanField(default=False, help_text="Answers by the demo model's rules, as the check found.")
    # Of the training set, for a model fine-tuned here; empty: none.
    delimiter = models.CharField(max_length=40, blank=True, editable=False)
    reply_mode = models.CharField(max_length=12, choices=ReplyMode, default=ReplyMode.PLAIN, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(reply_mode="as_trained") | ~Q(delimiter=""), name="endpoint_as_trained_has_a_delimiter"
            ),
            models.CheckConstraint(
                condition=Q(batch_price_share__gte=0) & Q(batch_price_share__lte=1),
                name="endpoint_batch_price_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(price_in__gte=0) & Q(price_out__gte=0), name="endpoint_price_not_negative"
            ),
            models.CheckConstraint(condition=Q(max_in_flight__gte=1), name="endpoint_allows_a_call"),
            models.CheckConstraint(
                condition=Q(in_flight_limit__isnull=True) | Q(in_flight_limit__gte=1),
                name="endpoint_limit_allows_a_call",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("generation:endpoint", args=[self.pk])

    def clean(self) -> None:
        problem = addresses.problem(self.base_url, settings.ENDPOINT_ALLOWED_HOSTS)
        if problem:
            raise ValidationError({"base_url": problem})

    @property
    def is_free(self) -> bool:
        return not (self.price_in or self.price_out)

    def price(self, prompt_tokens: int, completion_tokens: int, share: Decimal = Decimal(1)) -> Decimal:
        """US dollars, to the millionth; `share` is the share of the price that is charged."""
        exact = (self.price_in * prompt_tokens + self.price_out * completion_tokens) * share
        return (exact / MILLION).quantize(Decimal("0.000001"))

    @property
    def calls_at_once(self) -> int:
        """How many calls may be in flight now."""
        return min(self.max_in_flight, self.in_flight_limit or self.max_in_flight)

    def is_blocked(self, now: datetime) -> bool:
        return self.blocked_until is not None and self.blocked_until > now

    @property
    def has_key(self) -> bool:
        """Whether a key is stored that may be sent to the address as it is now."""
        return bool(self.encrypted_key) and self.key_origin == addresses.origin(self.base_url)

    def set_key(self, key: str) -> None:
        """Encrypt and remember for this address only; raises keys.KeysMissingError. Saving is the caller's."""
        self.encrypted_key = keys.encrypt(key) if key else ""
        self.key_origin = addresses.origin(self.base_url) if key else ""

    def api_key(self) -> str:
        """The key to send, or "" if there is none for this address; raises keys.KeysMissingError."""
        return keys.decrypt(self.encrypted_key) if self.has_key else ""

    def lower_limit(self, sent_at: datetime, now: datetime) -> bool:
        """After a 429, lower the limit by a quarter, unless the refused call was sent before the last lowering.

        So a burst of refusals counts once. Returns whether it changed. The caller holds the endpoint's lock.
        """
        row = Endpoint.objects.get(pk=self.pk)
        if row.limit_changed_at is not None and sent_at <= row.limit_changed_at:
            return False
        row.in_flight_limit = max(1, int(row.calls_at_once * LOWERED))
        row.limit_changed_at = now
        row.save(update_fields=["in_flight_limit", "limit_changed_at"])
        return True

    def raise_limit(self, more: int) -> None:
        """Raise a lowered limit by `more`, up to what a person set."""
        raised = models.F("in_flight_limit") + more
        lowered = Endpoint.objects.filter(pk=self.pk, in_flight_limit__isnull=False)
        lowered.update(in_flight_limit=models.Case(models.When(max_in_flight__lte=raised, then=None), default=raised))

    def block_until(self, when: datetime) -> None:
        """Hold every worker back; never shortens a longer block."""
        Endpoint.objects.filter(pk=self.pk).exclude(blocked_until__gt=when).update(blocked_until=when)


class Shutdown(models.Model):
    """The day on which a model will be gone, as its endpoint said when it was last checked."""

    # A base address. Not the endpoint: that may get another address and another model later.
    address = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    day = models.DateField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "model"], name="shutdown_once_a_model")]

    def __str__(self) -> str:
        return f"{self.model} is shut down on {self.day}"


@transaction.atomic
def rotate_keys() -> tuple[list[str], list[str]]:
    """Encrypt every stored API key under the newest encryption key, so that an older one can be removed.

    Returns the names of the endpoints done, and of those whose key cannot be decrypted: they stay as they are, so that
    the key that wrote them can be put back. Raises KeysMissingError if there is no usable encryption key at all.
    """
    keys.must_be_usable()
    rotated, unopened = [], []
    # Locked, so that a key entered meanwhile is not overwritten with the old one.
    for endpoint in Endpoint.objects.select_for_update().exclude(encrypted_key="").order_by("name"):
        try:
            endpoint.encrypted_key = keys.rotate(endpoint.encrypted_key)
        except keys.KeysMissingError:
            unopened.append(endpoint.name)
            continue
        endpoint.save(update_fields=["encrypted_key"])
        AuditEvent.record(None, AuditVerb.ENDPOINT_KEY_ROTATED, endpoint)
        rotated.append(endpoint.name)
    return rotated, unopened
