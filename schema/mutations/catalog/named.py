"""Updates of objects that have a slug."""

from typing import Any

import graphene

from schema.updates import UpdateMutation
from shop.actions.catalog import slugs
from shop.input_errors import InputErrors


def release_slugs() -> graphene.List:
    """The input field of the former slugs to release."""
    return graphene.List(
        graphene.NonNull(graphene.String),
        description="Former slugs to release: they lead nowhere any more, and other objects may "
        "take them. Null releases none.",
    )


class NamedUpdate(UpdateMutation):
    """Base of the updates of objects that have a slug. A subclass declares `update` and `payload`.

    A changed slug becomes a former slug, which still leads to the object.
    """

    class Meta:
        abstract = True

    # The action, and the payload's field for the object.
    update: Any
    payload: str

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: Any, changes: dict[str, Any]) -> Any:
        errors = InputErrors()
        released = changes.pop("release_slugs", ())
        with errors.collect():
            row = cls.update(row, **changes)
        with errors.collect():
            slugs.release(row, released)
        errors.raise_any()
        return cls(**{cls.payload: row})
