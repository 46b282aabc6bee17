"""Querysets whose SQL is written once: only for what every request of a rater asks (the claim, their own item).

Writing the SQL of a join of five tables costs Python more time than PostgreSQL takes to answer it: with plain querysets
in its place, `tests.benchmarks.rating` with 32 raters kept 41 % of its pairs a second. It can go once Django caches
compiled queries, or they keep 85 %.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import add
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import ModelIterable

Row = TypeVar("Row", bound=models.Model)
# A stand-in for each type of value while the SQL is written, so that it can be found among the parameters.
STAND_INS: dict[type, Callable[[int], Any]] = {
    # Django compares a number that its column cannot hold with nothing; the smallest columns hold 32,767.
    int: lambda number: 31_987 + number,
    str: lambda number: f"\x01stand-in {number}\x01",
    datetime: lambda number: datetime(1987, 6, 5, 4, 3, number, 210_987, UTC),
}


@dataclass(frozen=True, slots=True)
class _Name:
    """The position of a named value among the parameters."""

    name: str


@dataclass(frozen=True, slots=True)
class _Written:
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]


class _FixedQuery:
    """The part of a query that reading rows uses."""

    def __init__(self, compiler: Any) -> None:
        self._compiler = compiler

    def get_compiler(self, using: str) -> Any:
        return self._compiler


class Prepared(Generic[Row]):
    """A queryset with named values, given by their types: `Prepared(build, token=str, user=int)`.

    `build` is called once a process, with stand-ins for the values. It may only pass them on, so that they become
    parameters of the SQL. None is not allowed as a value.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]], **kinds: type) -> None:
        self._build = build
        self._stand_ins = {name: STAND_INS[kind](number) for number, (name, kind) in enumerate(kinds.items())}
        self._once: _Written | None = None

    def rows(self, **values: Any) -> list[Row]:
        """The rows for these values, as the queryset would give them."""
        written = self._written()
        with connection.cursor() as cursor:
            cursor.execute(written.sql, _filled(written, values))
            found = cursor.fetchall()
        # A copy: a compiler keeps its connection, which belongs to one thread.
        compiler = copy(written.compiler)
        compiler.connection = connection
        compiler.execute_sql = lambda **_: [found]
        compiler.get_converters = lambda _: written.converters
        model = written.compiler.query.model
        return list(ModelIterable(models.QuerySet(model, query=_FixedQuery(compiler))))  # type: ignore[arg-type]

    def first(self, **values: Any) -> Row | None:
        """The first row or None; `build` limits how many are read."""
        return next(iter(self.rows(**values)), None)

    def sql(self, **values: Any) -> tuple[str, list[Any]]:
        """The SQL and its parameters, for use in another statement."""
        written = self._written()
        return written.sql, _filled(written, values)

    def _written(self) -> _Written:
        if self._once is None:
            compiler = self._build(**self._stand_ins).query.get_compiler(connection=connection)
            sql, params = compiler.as_sql()
            names = {_sent(value): _Name(name) for name, value in self._stand_ins.items()}
            kinds = tuple(STAND_INS)
            marked = tuple(names.get(param, param) if isinstance(param, kinds) else param for param in params)
            if lost := {name.name for name in names.values()} - {one.name for one in marked if isinstance(one, _Name)}:
                raise ValueError(f"The values {sorted(lost)} are no parameters of this query.")
            converters = compiler.get_converters([column[0] for column in compiler.select])
            self._once = _Written(compiler, *_with_what_is_fixed(sql, marked), converters)
        return self._once


def _with_what_is_fixed(sql: str, params: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """On PostgreSQL only named values stay parameters; all others become literals, so that a generic plan knows them.

    It must know them to use a partial index and to estimate how many rows match.
    """
    if connection.vendor != "postgresql":
        return sql, params
    parts = sql.split("%s")
    shown = ["%s" if isinstance(param, _Name) else _literal(param) for param in params]
    return parts[0] + "".join(map(add, shown, parts[1:])), tuple(one for one in params if isinstance(one, _Name))


def _literal(value: Any) -> str:
    postgresql: Any = connection.ops
    written: str = postgresql.compose_sql("%s", [value])
    return written.replace("%", "%%")


def _filled(written: _Written, values: dict[str, Any]) -> list[Any]:
    return [_sent(values[param.name]) if isinstance(param, _Name) else param for param in written.params]


def _sent(value: Any) -> Any:
    """A value as it goes to the database."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
