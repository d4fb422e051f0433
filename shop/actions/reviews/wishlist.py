"""What somebody would like to have: variants, each once."""

from django.db import transaction

from shop.actions import audit
from shop.actions.customers.holding import hold
from shop.errors import Invalid, NotFound
from shop.models import User, Variant, WishlistItem

# For each user: room for everybody, and for no flood.
MAX_ITEMS = 500


@transaction.atomic
def add(user: User, variant: Variant) -> WishlistItem:
    """Puts `variant`, which `user` may see, on their wishlist; once more changes nothing.

    Raises:
        Invalid: there are MAX_ITEMS on it already.
        NotFound: the account has just been erased.
    """
    hold(user)
    items = WishlistItem.objects.filter(user=user.pk)
    item = items.filter(variant=variant.pk).first()
    if item is not None:
        return item
    if items.count() >= MAX_ITEMS:
        raise Invalid(f"A wishlist has at most {MAX_ITEMS} items. Remove one first.")
    item = WishlistItem.objects.create(user_id=user.pk, variant_id=variant.pk)
    audit.created("wishlist_item.create", item)
    return item


@transaction.atomic
def remove(user: User, variant_id: int) -> int | None:
    """Takes a variant off the wishlist of `user`, also one that is not on sale any more.

    What is not on it need not be removed: that is fine, as long as they may see the variant.

    Returns:
        The primary key that the item had; None when there was none.

    Raises:
        NotFound: there is no such variant on the list, nor for them to see.
    """
    items = WishlistItem.objects.filter(user=user.pk, variant=variant_id)
    item = items.first()
    if item is None:
        if not Variant.objects.visible_to(user).filter(pk=variant_id).exists():
            raise NotFound("There is no such Variant.", field=["variant"])
        return None
    with audit.changing("wishlist_item.delete", [item]):
        items.delete()
    return item.pk
