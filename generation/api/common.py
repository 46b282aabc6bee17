"""What all addresses of the API share: permission, rate limit, reading queries and bodies, pages of rows."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.decorators import api_view, throttle_classes
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle

from core.permissions import requires

P = ParamSpec("P")
ApiView = Callable[..., HttpResponseBase]
S = TypeVar("S", bound=serializers.Serializer[Any])


class Pace(UserRateThrottle):
    """Far more than a person or a patient script needs; stops a loop that forgot to wait."""

    scope = "api"
    rate = "600/min"


class Pages(CursorPagination):
    """Newest first; every page costs the same, and new rows do not shift the pages."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "-pk"


def endpoint(
    *methods: str, may: str, to: str
) -> Callable[[Callable[Concatenate[Request, P], HttpResponseBase]], ApiView]:
    """An address for those with the permission `may`; `to` completes the sentence that refuses the others."""

    def decorate(view: Callable[Concatenate[Request, P], HttpResponseBase]) -> ApiView:
        inside: Any = never_cache(requires(may, to)(view))
        view_of_api: ApiView = api_view(list(methods))(throttle_classes([Pace])(inside))
        return view_of_api

    return decorate


def asked(request: Request, serializer: type[S]) -> dict[str, Any]:
    """The query string as plain values; raises ValidationError, for unknown names too."""
    given = {name: value for name, value in request.query_params.items() if name not in ("cursor", "page_size")}
    return read(serializer, given)


def read(serializer: type[S], data: Any) -> dict[str, Any]:
    """The body as plain values; raises ValidationError with a reason for each field."""
    found = serializer(data=data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def paged(request: Request, rows: QuerySet[Any], serializer: type[S]) -> Response:
    """One page of rows with the addresses of its neighbours."""
    pages = Pages()
    page = pages.paginate_queryset(rows, request)
    return pages.get_paginated_response(serializer(page, many=True).data)


def page_of(serializer: type[S], name: str) -> serializers.Serializer[Any]:
    """What `paged` answers, for the schema."""
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": serializer(many=True),
    }
    return inline_serializer(f"PageOf{name}", fields)
