"""Column types that behave alike on SQLite, PostgreSQL and MariaDB."""

from typing import Any

from django.db import models
from django.db.models.expressions import Col
from django.db.models.fields.related import ForeignObject
from django.db.models.functions import Concat
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.db.models.query_utils import PathInfo
from django.db.models.sql.where import AND, WhereNode

from shop.text import SORT_KEY_LENGTH

_BINARY_COLLATION = {"postgresql": "C", "sqlite": "BINARY", "mysql": "utf8mb4_bin"}


class ExactCharField(models.CharField):
    """Text that compares and sorts by code point on every engine.

    The engines' default collations differ (MariaDB's ignores case and accents, PostgreSQL's
    follows the locale), so unique keys, tree paths and sort keys would mean something else on each.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        return super().db_parameters(connection) | {
            "collation": _BINARY_COLLATION.get(connection.vendor)
        }


class VerbatimCharField(ExactCharField):
    """Text that compares byte for byte on every engine, trailing spaces included.

    MariaDB's binary collation pads: there "A" and "A " are one value of a unique key.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            is_mariadb = connection.mysql_is_mariadb
            parameters["collation"] = "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"
        return parameters

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"strip": False, **kwargs})


class SortKeyField(ExactCharField):
    """The stored, indexed sort key of a name; kept by the model's `save` and by bulk writers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = SORT_KEY_LENGTH
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)


class PathRelation(ForeignObject):
    """A virtual many-to-many between the nodes of a tree, by materialised path.

    It has no column: the join condition is `top.path <= node.path < top.path || '~'`, a range that
    an index on `path` serves on every engine. A node counts as its own ancestor and descendant.

    Args:
        to_descendants: relates a node to what lies below it, instead of what lies above.
    """

    many_to_many = True
    many_to_one = False
    one_to_many = False
    requires_unique_target = False

    def __init__(self, *, to_descendants: bool = False) -> None:
        self._to_descendants = to_descendants
        super().__init__(
            "self",
            on_delete=models.DO_NOTHING,
            from_fields=["id"],
            to_fields=["id"],
            related_name="+",
            null=True,
            editable=False,
        )

    def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
        # Private: no column, no migration.
        super().contribute_to_class(cls, name, private_only=True, **kwargs)

    def get_joining_fields(self, reverse_join: bool = False) -> tuple:
        return ()

    def get_joining_columns(self, reverse_join: bool = False) -> tuple:
        return ()

    def get_extra_restriction(self, alias: str, related_alias: Any) -> Any:
        path: Any = self.model._meta.get_field("path")
        node, top = Col(related_alias, path), Col(alias, path)
        if self._to_descendants:
            node, top = top, node
        end = Concat(top, models.Value(PATH_END), output_field=path)
        conditions: list[Any] = [GreaterThanOrEqual(node, top), LessThan(node, end)]
        return WhereNode(conditions, AND)

    def get_path_info(self, filtered_relation: Any = None) -> list[PathInfo]:
        # An indirect path keeps Django from trimming the join, which it would take for id = id.
        (info,) = super().get_path_info(filtered_relation)
        return [info._replace(m2m=True, direct=False)]


# Sorts after every character of a path, so [path, path + PATH_END) is the subtree.
PATH_END = "~"
