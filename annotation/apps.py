from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.roles import sync

        post_migrate.connect(sync, sender=self, dispatch_uid="annotation.roles")
