"""Vouchers as staff set them up."""

from typing import Any

from django.db import transaction

from shop.actions import audit, checks
from shop.actions.promotions.terms import set_terms
from shop.actions.rows import hold
from shop.errors import DuplicateCode, InUse, Invalid, Required
from shop.input_errors import InputErrors
from shop.models import Redemption, Voucher, VoucherKind
from shop.models.promotions import CODE_LENGTH
from shop.text import normalize_code

# What the value of a kind is called, by actions and by the API.
_VALUES = {
    VoucherKind.PERCENT: ("basis_points", "basisPoints"),
    VoucherKind.FIXED: ("amount", "amount"),
}


@transaction.atomic
@audit.recorded("voucher.create")
def create(**fields: Any) -> Voucher:
    """A new voucher.

    Args:
        fields: code and kind (required), basis_points (of a PERCENT, which must have it), amount
            (of a FIXED, likewise; minor units of the shop's currency), minimum_subtotal (minor
            units), starts_at, ends_at (aware), usage_limit, customer_limit (at least 1; None is
            no limit), is_active.

    Raises:
        Required, Invalid, InvalidPrice: what is wrong with which field.
        DuplicateCode: another voucher has the code, in whatever case.
    """
    voucher, errors = Voucher(), InputErrors()
    _set_fields(voucher, {"code": "", "kind": None, **fields}, errors)
    errors.raise_any()
    voucher.save()
    return voucher


@transaction.atomic
@audit.recorded("voucher.update")
def update(voucher: Voucher, **changes: Any) -> Voucher:
    """Changes the given fields of a voucher. Orders keep what it took off.

    Fields and errors as for `create`; another kind needs its value.

    Raises:
        NotFound: it has been deleted.
        Invalid: the limit would lie below the orders that have used it.
        CurrencyMismatch: it is in a currency that the shop had before.
    """
    hold(voucher)
    errors = InputErrors()
    with errors.collect():
        checks.currency(voucher, changes, ("amount", "minimum_subtotal"))
    _set_fields(voucher, changes, errors)
    errors.raise_any()
    # Not `used`: it belongs to orders.
    voucher.save(update_fields=[field.name for field in _own_columns()])
    return voucher


@transaction.atomic
@audit.recorded("voucher.delete")
def delete(voucher: Voucher) -> None:
    """Removes a voucher that no order has. Carts that have it lose it.

    Raises:
        InUse: orders have it: deactivate it instead.
    """
    hold(voucher)
    # An order that redeems it at this moment either comes before, and is found, or finds it off.
    unused = Voucher.objects.filter(pk=voucher.pk, used=0).update(is_active=False)
    if not unused or Redemption.objects.filter(voucher=voucher.pk).exists():
        raise InUse("Orders have used it. Deactivate it instead.")
    voucher.delete()


def _own_columns() -> list[Any]:
    return [f for f in Voucher._meta.concrete_fields if f.editable and not f.primary_key]


def _set_fields(voucher: Voucher, fields: dict[str, Any], errors: InputErrors) -> None:
    """Sets fields and adds what is wrong with them to `errors`."""
    if "code" in fields:
        with errors.collect():
            voucher.code = _free_code(voucher, fields["code"])
    with errors.collect():
        _set_value(voucher, fields)
    for name, public in (("usage_limit", "usageLimit"), ("customer_limit", "customerLimit")):
        if name in fields:
            with errors.collect():
                checks.whole(fields[name], public, least=1)
            setattr(voucher, name, fields[name])
    if voucher.usage_limit is not None and voucher.usage_limit < voucher.used:
        message = f"{voucher.used} orders have used it already."
        errors.add(Invalid(message, field=["usageLimit"]))
    set_terms(voucher, fields, errors)


def _free_code(voucher: Voucher, given: str | None) -> str:
    code = _clean_code(given)
    if Voucher.objects.filter(code=code).exclude(pk=voucher.pk).exists():
        raise DuplicateCode(field=["code"])
    return code


def _clean_code(given: str | None) -> str:
    code = normalize_code(given or "")
    if not code:
        raise Required(field=["code"])
    if len(code) > CODE_LENGTH:
        raise Invalid(f"A code has at most {CODE_LENGTH} characters.", field=["code"])
    if " " in code or not code.isprintable():
        raise Invalid("A code has letters, digits and signs only, and no spaces.", field=["code"])
    return code


def _set_value(voucher: Voucher, fields: dict[str, Any]) -> None:
    """Sets the kind, and the one value that it has."""
    before = voucher.kind
    if "kind" in fields:
        if fields["kind"] is None:
            raise Required(field=["kind"])
        voucher.kind = fields["kind"]
    if voucher.kind not in VoucherKind.values:
        raise Invalid("There is no such kind of voucher.", field=["kind"])
    errors = InputErrors()
    for kind, (name, public) in _VALUES.items():
        given = fields.get(name)
        with errors.collect():
            if kind != voucher.kind:
                if given is not None:
                    raise Invalid("A voucher of this kind has no such value.", field=[public])
            elif given is not None:
                _check_value(voucher.kind, given, public)
                voucher.value = given
            elif voucher.kind != before or name in fields:
                raise Required(field=[public])
    errors.raise_any()
    if voucher.kind not in _VALUES:
        voucher.value = 0


def _check_value(kind: str, value: int, field: str) -> None:
    if kind == VoucherKind.PERCENT:
        checks.basis_points(value, field, least=1)
        return
    checks.amount(value, field)
    if not value:
        raise Invalid("A voucher takes something off.", field=[field])
