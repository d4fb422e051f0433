"""Reviews and wishlists. Everyone keeps their own; staff decide which reviews are shown."""

import datetime
from typing import Any

import graphene

from schema.authentication import address_of
from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id, to_global_id
from schema.inputs import load
from schema.permissions import SIGNED_IN
from schema.types.catalog.products import Product, Variant
from schema.types.reviews import Review, WishlistItem
from shop import models
from shop.actions import reviews
from shop.actions.reviews import wishlist
from shop.input_errors import InputErrors

ReviewDecision = graphene.Enum(
    "ReviewDecision",
    [(name, models.ReviewStatus[name].value) for name in ("APPROVED", "REJECTED")],
    description=lambda member: {
        None: "What staff decide about a review.",
        "APPROVED": "It is shown, and counts in the rating of its product.",
        "REJECTED": "It is not shown, or no longer.",
    }[member and member.name],
)


class ReviewSubmit(Mutation):
    """Writes what you think of a product, in place of what you wrote of it before.

    It waits for staff; until they approve it, it is not shown and does not count, nor does what it
    replaces. Texts are plain, without HTML. Tries are counted.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND", "ILLEGAL_MOVE")
    owns_transaction = True

    class Input:
        product = graphene.ID(required=True, description="Global id of the product.")
        rating = graphene.Int(required=True, description="1 to 5; 5 is best.")
        title = graphene.String(
            description=f"One line of at most {reviews.TITLE_LENGTH} characters."
        )
        body = graphene.String(description=f"At most {reviews.BODY_LENGTH} characters.")
        author = graphene.String(
            description="The name to show, of at most "
            f"{reviews.AUTHOR_LENGTH} characters; none when left out."
        )

    review = ObjectField(Review, description="Your review as it is now.")

    @classmethod
    def perform(
        cls, info: graphene.ResolveInfo, product: str, rating: int, **texts: str | None
    ) -> Any:
        errors, row = InputErrors(), None
        with errors.collect():
            row = load(info, Product, product, "product")
        given = {name: text or "" for name, text in texts.items()}
        with errors.collect():
            reviews.checked(rating=rating, **given)
        errors.raise_any()
        review = reviews.submit(
            info.context.user, row, rating=rating, address=address_of(info.context), **given
        )
        return cls(review=review)


class ReviewDelete(Mutation):
    """Deletes a review of your own. The rating of the product follows."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        id = graphene.ID(required=True, description="Global id of the review.")

    deleted_id = graphene.ID(description="Global id of what was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        # Not even those who see the reviews of others delete them here.
        reviews.delete(reviews.own(info.context.user, decode_id(info.schema, id, "Review")[1]))
        return cls(deleted_id=id)


class ReviewModerate(Mutation):
    """Decides whether a review is shown. The rating of the product follows."""

    permission = "shop.change_review"
    codes = ("NOT_FOUND", "ILLEGAL_MOVE")

    class Input:
        id = graphene.ID(required=True, description="Global id of the review.")
        status = graphene.InputField(ReviewDecision, required=True, description="The decision.")
        updated_at = graphene.DateTime(
            description="`updatedAt` of the review as you read it: when its author has changed it "
            "since, nothing is decided and the code is ILLEGAL_MOVE. Not looked at when left out."
        )

    review = ObjectField(Review, description="The review as it is now.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        id: str,  # noqa: A002
        status: Any,
        updated_at: datetime.datetime | None = None,
    ) -> Any:
        review = load(info, Review, id)
        return cls(review=reviews.moderate(review, status.value, written_at=updated_at))


class WishlistAdd(Mutation):
    """Puts a variant on your wishlist. What is on it already stays; there can be 500."""

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        variant = graphene.ID(required=True, description="Global id of the variant.")

    wishlist_item = ObjectField(WishlistItem, description="Its place on the wishlist.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str) -> Any:
        row = load(info, Variant, variant, "variant")
        return cls(wishlist_item=wishlist.add(info.context.user, row))


class WishlistRemove(Mutation):
    """Takes a variant off your wishlist, also one that is not on sale any more.

    What is not on it need not be removed: that is no error.
    """

    permission = SIGNED_IN
    codes = ("NOT_FOUND",)

    class Input:
        variant = graphene.ID(required=True, description="Global id of the variant.")

    deleted_id = graphene.ID(
        description="Global id of the item that was removed; null when there was none."
    )

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, variant: str) -> Any:
        key = decode_id(info.schema, variant, "Variant")[1]
        removed = wishlist.remove(info.context.user, key)
        return cls(deleted_id=removed and to_global_id("WishlistItem", removed))


class ReviewsMutation(graphene.ObjectType):
    """Reviews and wishlists."""

    review_submit = ReviewSubmit.Field()
    review_delete = ReviewDelete.Field()
    review_moderate = ReviewModerate.Field()
    wishlist_add = WishlistAdd.Field()
    wishlist_remove = WishlistRemove.Field()
