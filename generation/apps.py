from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class GenerationConfig(AppConfig):
    name = "generation"

    def ready(self) -> None:
        from generation import families, triggers

        pre_migrate.connect(triggers.TRIGGERS.remove, sender=self, dispatch_uid="generation.triggers")
        post_migrate.connect(triggers.TRIGGERS.install, sender=self, dispatch_uid="generation.triggers")
        families.offer_facets()
