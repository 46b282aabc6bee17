from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation import triggers
        from annotation.reports.training_filters import offer_filters
        from annotation.roles import sync

        post_migrate.connect(sync, sender=self, dispatch_uid="annotation.roles")
        pre_migrate.connect(triggers.TRIGGERS.remove, sender=self, dispatch_uid="annotation.triggers")
        post_migrate.connect(triggers.TRIGGERS.install, sender=self, dispatch_uid="annotation.triggers")
        offer_filters()
