from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DialoguesConfig(AppConfig):
    name = "dialogues"

    def ready(self) -> None:
        from dialogues.reference import sync

        post_migrate.connect(sync, sender=self, dispatch_uid="dialogues.reference")
