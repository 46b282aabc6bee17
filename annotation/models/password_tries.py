"""How often passwords were tried."""

from django.db import models


class PasswordTries(models.Model):
    """The recent tries of one name's password from one place.

    A place is a browser or a network from which this password has been right once; the row of the empty place counts
    for everywhere else together. Neither cookie nor address can be read from it.
    """

    # As it was typed: an unknown name is counted like a known one.
    username = models.CharField(max_length=150)
    place = models.CharField(max_length=64, blank=True)
    count = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "password tries"
        constraints = [models.UniqueConstraint(fields=["username", "place"], name="password_tries_once_a_place")]

    def __str__(self) -> str:
        return f"{self.count} from {'a known place' if self.place else 'elsewhere'}"
