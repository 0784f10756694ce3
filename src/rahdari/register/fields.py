"""A `cidr` column that speaks `ipaddress` networks, and a column of what runs at one."""

import ipaddress
from typing import TYPE_CHECKING, Any

from django.db import models

from rahdari.address import MOST_PARTS, Part, format_parts, parse_parts

Block = ipaddress.IPv4Network | ipaddress.IPv6Network

if TYPE_CHECKING:  # Django's classes take type arguments in the stubs only
    AnyField = models.Field[Any, Any]
    AnyLookup = models.Lookup[Any]
    AnyText = models.Field[Any, Any]
else:
    AnyField = models.Field
    AnyText = models.CharField
    AnyLookup = models.Lookup


class BlockField(AnyField):
    """A host or prefix in PostgreSQL's `cidr` type; its Python value is an IPv4Network or IPv6Network."""

    description = "address block"

    def db_type(self, connection: Any) -> str:
        return "cidr"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Block | None:
        return self.to_python(value)

    def to_python(self, value: Any) -> Block | None:
        if value is None or isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
            return value
        return ipaddress.ip_network(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(self.to_python(value))


class PartsField(AnyText):
    """Protocols and ports as `udp 500, udp 4500, esp`; its Python value is a tuple of `Part`, in their one order."""

    description = "protocols and ports"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MOST_PARTS * len("udp 65535, "))
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> tuple[Part, ...] | None:
        return self.to_python(value)

    def to_python(self, value: Any) -> tuple[Part, ...] | None:
        return parse_parts(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else format_parts(value)


class _Operator(AnyLookup):
    operator = ""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left}::inet {self.operator} {right}::inet", [*left_params, *right_params]


@BlockField.register_lookup
class Overlaps(_Operator):
    """Blocks that share an address with the given one (`&&`)."""

    lookup_name = "overlaps"
    operator = "&&"


@BlockField.register_lookup
class Covers(_Operator):
    """Blocks that hold the whole of the given one (`>>=`)."""

    lookup_name = "covers"
    operator = ">>="
