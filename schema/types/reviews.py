"""What customers think of products, and what they would like to have."""

from typing import Any, ClassVar

import django_filters
import graphene
from django.db.models import QuerySet

from schema import viewers
from schema.base import PublicNode, ShopNode
from schema.engine.connections import ComputedField, ConnectionField, RelatedField
from schema.engine.filters import BooleanFilter, EnumListFilter, TextFilter, ValueFilter
from schema.engine.keyset import SortField
from schema.engine.nodes import to_global_id
from schema.permissions import SIGNED_IN, require
from schema.types import customers
from schema.types.catalog import products
from shop import models
from shop.models.slugs import key_by_slug

_VIEW = "shop.view_review"

ReviewStatus = graphene.Enum.from_enum(
    models.ReviewStatus,
    name="ReviewStatus",
    description=lambda member: {
        None: "Whether a review is shown.",
        "PENDING": "It waits for staff; only they and its author see it.",
        "APPROVED": "It is shown, and counts in the rating of its product.",
        "REJECTED": "It is not shown; only staff and its author see it.",
    }[member and member.name],
)


class ReviewFilterSet(django_filters.FilterSet):
    """Conditions on reviews; all of them must be met."""

    operator_descriptions = {"rating": "the rating", "status": "whether it is shown"}

    product = TextFilter("Slug of the product, present or former.", method="of_product")
    rating__in = ValueFilter(
        graphene.List(graphene.NonNull(graphene.Int)),
        "Any of these, such as [4, 5].",
        field_name="rating",
        lookup_expr="in",
    )
    status__in = EnumListFilter(
        ReviewStatus,
        "Any of these; products list what is APPROVED only.",
        field_name="status",
        lookup_expr="in",
    )
    verified = BooleanFilter("Whether the author had bought the product.", field_name="is_verified")

    def of_product(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(product=key_by_slug(models.Product, value))


class Review(PublicNode):
    """What a customer thinks of a product. Those that wait for staff only their authors see."""

    rating = graphene.Int(required=True, description="1 to 5; 5 is best.")
    title = graphene.String(required=True, description="Plain text in one line, or empty.")
    body = graphene.String(
        required=True, description="Plain text, perhaps with line breaks, or empty."
    )
    author = graphene.String(
        required=True, description="The name that the author wants to be shown, or empty."
    )
    is_verified = graphene.Boolean(
        required=True, description="Whether the author had bought the product when they wrote."
    )
    # Tells strangers nothing: they see what is approved only.
    status = graphene.Field(ReviewStatus, required=True, description="Whether it is shown.")
    item_reviewed = RelatedField(
        lambda: products.Product,
        column="product_id",
        description="The product that it is about; null while that is not published.",
    )
    user = RelatedField(
        lambda: customers.User,
        column="user_id",
        description="Who wrote it; null unless that is you, or you have the permission "
        "`shop.view_user`.",
    )
    created_at = graphene.DateTime(required=True, description="When it was first written.")
    updated_at = graphene.DateTime(required=True, description="When its author last wrote it.")

    class Meta:
        model = models.Review
        filterset = ReviewFilterSet
        orderings = {"CREATED": SortField("created_at", "By the time when it was first written.")}
        default_order = ("CREATED", "desc")

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        # Everyone who is signed in sees their own besides.
        return _VIEW if context.user.has_perm(_VIEW) else viewers.class_of(context)

    @classmethod
    def all(cls, context: Any) -> QuerySet:
        """The rows of the root connection. Raises Unauthenticated or Forbidden."""
        require(context.user, _VIEW)
        return cls.rows(context)


class WishlistItem(ShopNode):
    """A variant that somebody would like to have. Everyone sees their own, nobody others'."""

    permission = SIGNED_IN

    variant = RelatedField(
        lambda: products.Variant,
        column="variant_id",
        description="What they would like to have; null while it is not on sale.",
    )
    variant_id = ComputedField(
        graphene.ID,
        columns=("variant_id",),
        compute=lambda request, key: to_global_id("Variant", key),
        required=True,
        description="Global id of the variant, on sale or not: by it the item can be removed.",
    )
    created_at = graphene.DateTime(required=True, description="When it was put on the list.")

    class Meta:
        model = models.WishlistItem
        orderings = {"CREATED": SortField("created_at", "By the time when it was put there.")}
        default_order = ("CREATED", "desc")

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        return viewers.class_of(context)


class ReviewsQuery(graphene.ObjectType):
    """What customers think of products."""

    # The list is for staff; shoppers find reviews at the products.
    field_permissions: ClassVar[dict[str, str]] = {"reviews": _VIEW}

    reviews = ConnectionField(
        Review, rows=Review.all, description="All reviews, also those that wait for you."
    )
