"""Fixtures of the annotation tests: one researcher by name, a dialogue to restructure, a world of everything."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from dialogues.models import Dialogue
from tests.annotation import setting
from tests.annotation.everything import Everything
from tests.people import client_of


@pytest.fixture
def rey(db: None) -> User:
    return setting.user("rey", "researcher")


@pytest.fixture
def browser(rey: User) -> Client:
    """A client in which Rey is logged in."""
    return client_of(rey)


@pytest.fixture
def gamma(db: None) -> Dialogue:
    return setting.corpus(1).dialogues.of_version("gamma")[0]


@pytest.fixture(scope="module")
def everything(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Everything]:
    """Made once for all cells of a module, each of which undoes what it changed."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Everything.make()
        transaction.set_rollback(True)
