import logging

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from annotation.people.secret_addresses import Record

        # For every logger of the process, those of the server and of libraries included.
        logging.setLogRecordFactory(Record)
