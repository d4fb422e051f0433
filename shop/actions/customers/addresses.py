"""Addresses of customers: at most one is the default of a kind, and the first is that of both."""

from typing import Any

from django.db import transaction

from shop.actions import audit
from shop.actions.customers.address_rules import TEXTS, checked
from shop.actions.customers.holding import hold
from shop.errors import Invalid, NotFound
from shop.input_errors import InputErrors
from shop.models import Address, User

# For each user: room for everybody, and for no flood.
MAX_ADDRESSES = 50
_KEYS = ("default_shipping_key", "default_billing_key")


def own(user: User, pk: int, *, field: str = "id") -> Address:
    """The address of `user` with this key, also when they may see those of others.

    Args:
        field: of the input, where the key is.

    Raises:
        NotFound: it is another's, or there is none; the answer does not tell which.
    """
    address = Address.objects.filter(user=user.pk, pk=pk).first()
    if address is None:
        raise NotFound("There is no such Address.", field=[field])
    return address


def _facts(address: Address) -> dict[str, Any]:
    """What the audit tells of an address."""
    return {
        **audit.columns(address),
        "is_default_shipping": address.default_shipping_key is not None,
        "is_default_billing": address.default_billing_key is not None,
    }


@transaction.atomic
@audit.recorded("address.create", _facts)
def create(
    user: User, *, default_shipping: bool = False, default_billing: bool = False, **fields: Any
) -> Address:
    """Adds an address of `user`.

    Args:
        default_shipping, default_billing: whether it is to be the default, instead of another.
        fields: of the model, by name.

    Raises:
        Several: Required and Invalid, each at its field.
        Invalid: they have MAX_ADDRESSES of them.
    """
    errors, values = InputErrors(), {}
    with errors.collect():
        values = checked(fields)
    hold(user)
    count = Address.objects.filter(user=user.pk).count()
    if count >= MAX_ADDRESSES:
        message = f"An account has at most {MAX_ADDRESSES} addresses. Delete one first."
        errors.add(Invalid(message))
    errors.raise_any()
    address = Address.objects.create(user_id=user.pk, **values)
    wanted = (default_shipping, default_billing)
    _make_default(address, *(not count or one for one in wanted))
    return address


@transaction.atomic
@audit.recorded("address.update", _facts)
def update(
    address: Address,
    *,
    default_shipping: bool = False,
    default_billing: bool = False,
    **fields: Any,
) -> Address:
    """Changes the given fields of an address; the whole is checked anew. Raises as `create` does.

    Args:
        default_shipping, default_billing: true makes it the default. False changes nothing: a
            default ends when another address becomes it.
    """
    hold(address.user)
    audit.held(address)
    address = _fresh(address)
    values = checked(fields, stored={name: getattr(address, name) for name in TEXTS})
    for name, value in values.items():
        setattr(address, name, value)
    address.save(update_fields=list(values))
    _make_default(address, default_shipping, default_billing)
    return address


@transaction.atomic
@audit.recorded("address.delete", _facts)
def delete(address: Address) -> None:
    """Deletes an address. The newest of the others takes its place as a default.

    Raises:
        NotFound: it has been deleted meanwhile.
    """
    hold(address.user)
    audit.held(address)
    address = _fresh(address)
    was_default = [getattr(address, key) is not None for key in _KEYS]
    if not audit.is_somebody_acting():
        # No entry of the deletion will tell an erasure that this was an address of theirs.
        audit.scrub(object_ids={"Address": [address.pk]})
    address.delete()
    newest = Address.objects.filter(user=address.user_id).order_by("-created_at", "-pk").first()
    if newest is not None:
        _make_default(newest, *was_default)


def _make_default(address: Address, *wanted: bool) -> None:
    """The other default goes first: the keys are unique."""
    keys = [key for key, one in zip(_KEYS, wanted, strict=True) if one]
    if not keys:
        return
    rows = Address.objects.filter(user=address.user_id)
    with audit.changing("address.update", rows, _facts):
        for key in keys:
            rows.filter(**{key: address.user_id}).exclude(pk=address.pk).update(**{key: None})
            setattr(address, key, address.user_id)
        address.save(update_fields=keys)


def _fresh(address: Address) -> Address:
    """The row as it is now that nobody else changes it."""
    row = Address.objects.filter(pk=address.pk).first()
    if row is None:
        raise NotFound("There is no such Address.", field=["id"])
    return row
