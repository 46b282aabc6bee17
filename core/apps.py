from django.apps import AppConfig
from django.conf import settings


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        if "postgresql" in settings.DATABASES["default"]["ENGINE"]:
            send_whole_numbers_as_text()


def send_whole_numbers_as_text() -> None:
    """Let PostgreSQL refuse a number that its column cannot hold.

    psycopg's binary form keeps the lowest 16 or 32 bits without a word: 7331605 arrived as -8427. This can go once
    psycopg raises an error instead.
    """
    from psycopg import adapters
    from psycopg.types.numeric import Int2, Int2Dumper, Int4, Int4Dumper, IntDumper

    # Plain numbers too: a statement takes the form for all its small numbers from the first.
    adapters.register_dumper(int, IntDumper)
    adapters.register_dumper(Int2, Int2Dumper)
    adapters.register_dumper(Int4, Int4Dumper)
