"""Compilers of SQL that keep what they made.

Of the processor time of a page, half goes into the text of its queries, and most of that into the list of columns and
the order, which are the same each time. They are kept by the shape of the query: everything that goes into the text but
the conditions, which are made anew each time, with their values.

A shape is kept when its text falls apart into what stands before the conditions, these, and what stands behind.
The first time it serves it is compared with what Django makes; one that differs serves no more, and the log says so.
What has a shape of its own kind (unions, groups, annotations, `extra`) is left to Django.
"""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.backends.postgresql.compiler import (
    SQLAggregateCompiler,
    SQLDeleteCompiler,
    SQLInsertCompiler,
    SQLUpdateCompiler,
)
from django.db.backends.postgresql.compiler import SQLCompiler as Compiler
from django.db.models import Count, F, Value
from django.db.models.expressions import Col, OrderBy, Star
from django.db.models.sql import Query

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

log = logging.getLogger("rahdari.db")

# Shapes of one process. Each page of a long list has one.
AT_MOST = 5000
_kept: dict[Hashable, "Kept"] = {}


@dataclass
class Kept:
    """The text of a query of one shape, and what its rows are read by."""

    before: str
    after: str
    # Values that stand before the conditions; they belong to the shape.
    values: tuple[Any, ...]
    select: Any
    klass_info: Any
    annotation_col_map: Any
    col_count: int
    has_extra_select: bool
    # Whatever is in the shape by its identity, so that nothing else gets the same.
    query: Any
    converters: Any = None
    compared: int = 0
    differs: bool = False


@dataclass(frozen=True)
class Told:
    """The whole text of a query with its values, for whoever keeps both (`db.asked`)."""

    sql: str
    values: tuple[Any, ...]
    kept: Kept

    def with_values(self, values: tuple[Any, ...]) -> "Told":
        return Told(self.sql, values, self.kept)


def learned(query: Any, connection: Any) -> Told:
    """What Django makes of a query."""
    made = query.clone().get_compiler(connection=connection)
    sql, values = Compiler.as_sql(made)
    kept = Kept(
        sql, "", (), made.select, made.klass_info, made.annotation_col_map, made.col_count, made.has_extra_select, query
    )
    return Told(sql, values, kept)


def same(one: Told, other: Told) -> bool:
    return one.sql == other.sql and _alike(one.values, other.values)


class SQLCompiler(Compiler):
    query: Any
    elide_empty: bool
    select: Any
    col_count: Any
    # How often a kept text is compared with Django's before it is believed; whether a difference is an error.
    compared = 1
    strict = False
    _kept: Kept | None = None

    def as_sql(self, with_limits: bool = True, with_col_aliases: bool = False) -> tuple[str, tuple[Any, ...]]:
        self._kept = None
        told: Told | None = getattr(self.query, "told", None)
        # To lock outside a transaction is an error, which Django says.
        if told is not None and not (self.query.select_for_update and self.connection.get_autocommit()):
            self._take(told.kept)
            return told.sql, told.values
        shape = shape_of(self.query) if with_limits and self.elide_empty and not with_col_aliases else None
        if shape is None:
            return super().as_sql(with_limits, with_col_aliases)
        conditions = self._conditions()
        if conditions is None:
            return super().as_sql()
        shape = (*shape, not conditions[0])
        kept = _kept.get(shape)
        if kept is None:
            sql, values = super().as_sql()
            self._keep(shape, sql, values, *conditions)
            return sql, values
        if kept.differs or (self.query.select_for_update and self.connection.get_autocommit()):
            # The second is an error, which Django says.
            return super().as_sql()
        sql, values = f"{kept.before}{conditions[0]}{kept.after}", (*kept.values, *conditions[1])
        if kept.compared < self.compared:
            made = super().as_sql()
            kept.compared += 1
            if made[0] != sql or not _alike(made[1], values):
                kept.differs = True
                log.error("The text that was kept of a query is not what it is: %s", sql)
                if self.strict:
                    raise AssertionError(f"kept {sql!r}\nmade {made[0]!r}")
                return made
        self._take(kept)
        return sql, values

    def _take(self, kept: Kept) -> None:
        self.select, self.klass_info, self.annotation_col_map = kept.select, kept.klass_info, kept.annotation_col_map
        self.col_count, self.has_extra_select = kept.col_count, kept.has_extra_select
        self._kept = kept

    def _conditions(self) -> tuple[str, tuple[Any, ...]] | None:
        """What stands behind WHERE, and its values; empty where nothing does. None for what only Django can make, and
        where nothing can be found."""
        where = self.query.where
        if where.contains_aggregate or where.contains_over_clause:
            return None
        try:
            sql, values = self.compile(where)
        except FullResultSet:
            return "", ()
        except EmptyResultSet:
            return None
        return f" WHERE {sql}", tuple(values)

    def _keep(self, shape: Hashable, sql: str, values: tuple[Any, ...], where: str, asked: tuple[Any, ...]) -> None:
        before, found, after = sql.partition(where) if where else (sql, "", "")
        first = before.count("%s")
        if found != where or not _alike(values[first:], asked) or after.count("%s"):
            return
        if len(_kept) >= AT_MOST:
            _kept.clear()
        _kept[shape] = Kept(
            before, after, values[:first], self.select, self.klass_info, self.annotation_col_map, self.col_count,
            self.has_extra_select, self.query,
        )  # fmt: skip

    def get_converters(self, expressions: Any) -> Any:
        # Of a whole row, for which it is given a list; not of an aggregate, which has a view of it.
        if self._kept is None or not isinstance(expressions, list):
            return super().get_converters(expressions)
        if self._kept.converters is None:
            self._kept.converters = super().get_converters(expressions)
        return self._kept.converters


def shape_of(query: Any) -> tuple[Hashable, ...] | None:
    """What the text of a query is made of, its conditions apart; None where that is more than is known here."""
    if (
        not _is(query, Query)
        or query.combinator
        or query.subquery
        or query.group_by is not None
        or query.extra
        or query.extra_tables
        or query.extra_order_by
        or query.explain_info
        or query.external_aliases
        or query._filtered_relations
    ):
        return None
    parts = _all(_column, query.select), _all(_annotation, query.annotations.items()), _all(_order, query.order_by)
    chosen = query.selected and tuple(query.selected.items())
    if None in parts or (chosen and not all(isinstance(where, int | str) for _, where in chosen)):
        return None
    return (
        query.model,
        *parts,
        chosen,
        tuple(query.values_select),
        None if query.annotation_select_mask is None else tuple(query.annotation_select_mask),
        query.default_cols,
        (frozenset(query.deferred_loading[0]), query.deferred_loading[1]),
        _frozen(query.select_related),
        _joins(query),
        query.alias_prefix,
        query.default_ordering,
        query.standard_ordering,
        query.low_mark,
        query.high_mark,
        query.distinct,
        query.distinct_fields,
        query.select_for_update
        and (
            query.select_for_update_nowait,
            query.select_for_update_skip_locked,
            query.select_for_update_of,
            query.select_for_no_key_update,
        ),
    )


def _alike(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether they are the same, as far as values can be compared: what is made of JSON has no equal but itself."""
    return len(values) == len(others) and all(
        one == other or (type(one) is type(other) and "__eq__" not in vars(type(one)))
        for one, other in zip(values, others, strict=True)
    )


def _is(made: Any, sort: type) -> bool:
    """Not of a class that inherits from it, which may make another text."""
    return type(made) is sort


def _all(part_of: Any, parts: Any) -> tuple[Hashable, ...] | None:
    found = tuple(map(part_of, parts)) if parts else ()
    return None if None in found else found


def _column(column: Any) -> Hashable | None:
    return (column.alias, id(column.target), id(column.output_field)) if _is(column, Col) else None


def _annotation(named: tuple[str, Any]) -> Hashable | None:
    """Those of `exists()` and `count()`."""
    name, made = named
    if _is(made, Value) and type(made.value) in {int, str}:
        return name, type(made.value), made.value
    is_count = _is(made, Count) and not (made.distinct or made.filter) and len(made.get_source_expressions()) == 3
    return (name, Count) if is_count and _is(made.get_source_expressions()[0], Star) else None


def _order(by: Any) -> Hashable | None:
    if isinstance(by, str):
        return by
    if _is(by, OrderBy) and _is(by.expression, F):
        return by.expression.name, by.descending, by.nulls_first, by.nulls_last
    return None


def _frozen(related: Any) -> Hashable:
    """`select_related`: a flag, or dictionaries in dictionaries."""
    return tuple((name, _frozen(below)) for name, below in related.items()) if isinstance(related, dict) else related


def _joins(query: Any) -> Hashable:
    """Tables by the names they have in the query. Those that nothing asks for count too: they decide on later names."""
    if len(query.alias_map) < 2:
        return tuple(query.alias_map)
    return tuple(
        (name, join.table_name, join.parent_alias, join.join_type, id(getattr(join, "join_field", None)), asked > 0)
        for name, join, asked in ((name, join, query.alias_refcount[name]) for name, join in query.alias_map.items())
    )
