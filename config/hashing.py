"""Password hashing tuned for a small server."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id at OWASP's 19 MiB setting: Django's default of 100 MiB lets 32 log-ins queue for seconds."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
