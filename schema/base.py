"""Where the engine meets the shop: money, visibility, user errors, permissions, transactions."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import graphene
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Model, QuerySet
from graphene.types.mutation import MutationOptions
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from schema import viewers
from schema.authentication import address_of
from schema.engine import scalars
from schema.engine.connections import ComputedField, NodeType
from schema.engine.errors import Forbidden, RateLimited, Retry
from schema.engine.nodes import decode_id
from schema.inputs import load, load_any
from schema.opened import opened
from schema.permissions import ANYONE, require, sentence
from shop import errors, money
from shop.actions import audit
from shop.database import is_conflict, outage_of, report
from shop.models import AuditSource

Decimal = scalars.Decimal

_ERROR_CODES = {
    None: "What went wrong, in a form that a program can branch on.",
    "INVALID": "A value makes no sense here.",
    "REQUIRED": "A value is missing.",
    "NOT_FOUND": "There is no such object, or you may not see it.",
    "DUPLICATE_SLUG": "The slug is taken.",
    "SLUG_RESERVED": "The slug is a former slug of another object, where it still leads. Release "
    "it there first.",
    "DUPLICATE_SKU": "The SKU is taken by another variant.",
    "DUPLICATE_OPTIONS": "The product already has a variant with these options.",
    "INVALID_PRICE": "The price is not a valid amount of the shop's currency.",
    "COMPARE_AT_NOT_ABOVE_PRICE": "The compare-at price is not above the price.",
    "NOT_PUBLISHABLE": "The product has no variant with a price.",
    "CATEGORY_CYCLE": "The category would lie below itself.",
    "CATEGORY_TOO_DEEP": "The category tree would become too deep.",
    "CATEGORY_NOT_EMPTY": "The category still has subcategories or products.",
    "IN_USE": "Other objects still refer to this one.",
    "FILE_TOO_LARGE": "The file has too many bytes or pixels.",
    "FILE_TYPE_NOT_ALLOWED": "The file's content is not of an accepted type.",
    "INVALID_CREDENTIALS": "The e-mail address or the password is not right.",
    "INVALID_TOKEN": "The token is not valid any more.",
    "DUPLICATE_EMAIL": "Somebody else has this e-mail address.",
    "WEAK_PASSWORD": "The password is too easy to guess.",
    "OTP_REQUIRED": "The account asks for a one-time code besides the password.",
    "INVALID_OTP": "The one-time code is not right, or was used before.",
    "LAST_OWNER": "The shop would be left without an owner who can sign in.",
    "BEYOND_YOUR_PERMISSIONS": "It takes permissions that you do not have yourself.",
    "ALREADY_FINISHED": "What should be stopped has ended already.",
    "URL_NOT_ALLOWED": "The shop does not call such an address, or stores none such of a picture.",
    "INVALID_QUERY": "The GraphQL document cannot be run; the message says why.",
    "INVALID_QUANTITY": "The quantity cannot be had: zero, negative or too large.",
    "OUT_OF_STOCK": "There are not so many left.",
    "NOT_PURCHASABLE": "The variant is not published, or has no price.",
    "CART_EMPTY": "There is nothing in the cart.",
    "CART_CHANGED": "The cart has another version than the one given.",
    "CART_CLOSED": "The cart was ordered, or merged into another.",
    "CART_FULL": "The cart would have more lines than one cart may have.",
    "PAYMENT_PENDING": "The cart was ordered and the payment of its order is pending. Cancel the "
    "order (`orderCancel`, `orderCancelByToken`) to get the cart back, or send `checkoutComplete` "
    "with another `idempotencyKey` to pay another way. While the provider processes the payment, "
    "wait for its result.",
    "TOTAL_CHANGED": "The total is another than the one expected; nothing was charged.",
    "SHIPPING_NOT_OFFERED": "There is no shipping rate for this address, weight and total.",
    "INVALID_VOUCHER": "There is no such voucher, or it does not apply.",
    "CURRENCY_MISMATCH": "Amounts are in different currencies.",
    "AMOUNT_TOO_LARGE": "It comes to more than can be paid at once.",
    "AMOUNT_TOO_SMALL": "The total is below the minimum of the payment provider; the message tells "
    "the minimum. Choose another provider, or order more.",
    "PAYMENT_DECLINED": "The provider declined the payment; the cart is as it was. Also the answer "
    "to a request that comes again after its order was cancelled (the cart is open again) or "
    "expired (the cart stays closed).",
    "PAYMENT_NOT_OFFERED": "The shop does not offer this way to pay.",
    "PAYMENT_UNAVAILABLE": "The payment provider does not answer just now; nothing was written or "
    "charged. Try again in a minute, or another way to pay.",
    "PAYMENT_FAILED": "The payment provider refused what staff asked of it.",
    "IDEMPOTENCY_CONFLICT": "The idempotency key came before with another input.",
    "ILLEGAL_MOVE": "The state of the object does not allow it.",
    "LAST_UNIT": "No unit would be left in the order, or nothing to pay: cancel the order.",
    "TOTAL_WOULD_CHANGE": "Shipping or taxes differ at the new address, and the total of an order "
    "does not change: cancel it and place a new one.",
    "NOT_SHIPPABLE": "The line is not shipped: it is delivered once the order is paid.",
    "EXCEEDS_ORDER": "It is more than was bought, shipped or is left.",
    "EXCEEDS_PAYMENT": "It is more than was paid, not paid back yet and not taken by a dispute.",
    "INSUFFICIENT_STOCK": "The stock would fall below what is promised to orders.",
    "DUPLICATE_CODE": "The code is taken by another voucher.",
    "DUPLICATE_TAX_RATE": "There is a tax rate for this country, region and category already.",
}

ErrorCode = graphene.Enum.from_enum(
    errors.ErrorCode,
    description=lambda member: _ERROR_CODES[member.value if member else None],
)


class Money(graphene.ObjectType):
    """An amount of money in one currency."""

    shared = True

    amount = graphene.Field(
        Decimal,
        required=True,
        description='Decimal string with all places of the currency, such as "12.50" or "980".',
    )
    currency = graphene.String(required=True, description='ISO 4217 code, such as "EUR".')


class MoneyField(ComputedField):
    """A Money made of a column of minor units and the row's `currency`."""

    def __init__(self, column: str, *, description: str, required: bool = False) -> None:
        def compute(request: Any, minor: int | None, currency: str) -> money.Money | None:
            return None if minor is None else money.Money(minor, currency)

        super().__init__(
            Money,
            columns=(column, "currency"),
            compute=compute,
            required=required,
            description=description,
        )


class ShopNode(NodeType):
    """A node type whose rows know who may see them (`visible_to`)."""

    class Meta:
        abstract = True

    # What else than the account shows rows of this type: a model of which a secret opens rows.
    opened_model: type[Model] | None = None

    @classmethod
    def rows(cls, context: Any) -> QuerySet:
        return cls._meta.model.objects.visible_to(context.user)

    @classmethod
    def viewer_values(cls, context: Any) -> Sequence[Any]:
        return viewers.values_of(context, cls.opened_model)

    @classmethod
    def any_viewer(cls, context: Any) -> Any:
        return viewers.AnyViewer(context, cls.opened_model)


class PublicNode(ShopNode):
    """A node type that shows the same rows to all shoppers, and to all staff."""

    class Meta:
        abstract = True

    permission = ANYONE
    shared = True

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        return "staff" if context.user.is_staff else "shopper"


class OwnNode(ShopNode):
    """A node type of which everyone sees their own rows; the Django permission shows all.

    Attributes:
        opened_lookup: from the rows to the primary key of what a secret opened.
    """

    class Meta:
        abstract = True

    permission: str
    own_rows = True
    opened_lookup = "pk"

    @classmethod
    def rows(cls, context: Any) -> QuerySet:
        rows = super().rows(context)
        keys = opened(context, cls.opened_model)
        if not keys or context.user.has_perm(cls.permission):
            return rows
        return rows | cls.opened_rows(keys)

    @classmethod
    def opened_rows(cls, keys: Collection[Any]) -> QuerySet:
        """What is seen of what was opened."""
        # By an alias: foreign keys compare with nothing that comes later than the statement.
        rows = cls._meta.model._default_manager.alias(_opened=F(cls.opened_lookup))
        return rows.filter(_opened__in=keys)

    @classmethod
    def viewer_class(cls, context: Any) -> str:
        if context.user.has_perm(cls.permission):
            return cls.permission
        return viewers.class_of(context, cls.opened_model)


class StaffNode(ShopNode):
    """A node type for those who have the Django permission `permission`; others see none."""

    class Meta:
        abstract = True

    permission: str

    @classmethod
    def viewer_class(cls, context: Any) -> str | None:
        # Those who may not see them share no plan with anyone.
        return cls.permission if context.user.has_perm(cls.permission) else None

    @classmethod
    def all(cls, context: Any) -> QuerySet:
        """The rows of a root connection. Raises Unauthenticated or Forbidden for others."""
        require(context.user, cls.permission)
        return cls.rows(context)

    @classmethod
    def one(cls, root: Any, info: graphene.ResolveInfo, id: str) -> dict[str, Any]:  # noqa: A002
        """Finds the object of a root field by its global id. Raises as `all` does."""
        require(info.context.user, cls.permission)
        return {"pk": decode_id(info.schema, id, cls._meta.name)[1]}


def is_shared(object_type: GraphQLObjectType, field_name: str) -> bool:
    """Whether a field shows the same to everyone who is not signed in, as far as is declared."""
    graphene_type: Any = getattr(object_type, "graphene_type", None)
    permissions = getattr(graphene_type, "field_permissions", {})
    if permissions.get(field_name, ANYONE) != ANYONE:
        return False
    if object_type.name == "Query":
        # What a root field leads to says so itself.
        return not is_leaf_type(get_named_type(object_type.fields[field_name].type))
    return getattr(graphene_type, "shared", False)


class UserError(graphene.ObjectType):
    """Something in the input that has to change. Nothing was written."""

    code = graphene.Field(ErrorCode, required=True, description="For programs.")
    message = graphene.String(required=True, description="For people, in one sentence.")
    field = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Path of the input field at fault; empty when no single field is.",
    )


class Mutation(graphene.Mutation):
    """Base of all mutations: one `input`, one transaction, `userErrors` in the payload.

    A subclass declares `class Input`, its payload fields, `permission` (ANYONE, SIGNED_IN or a
    Django permission such as "shop.change_product") and `perform`.
    """

    class Meta:
        abstract = True

    permission: str
    all_codes: tuple[str, ...]
    # Django permissions that are needed besides.
    further_permissions: tuple[str, ...] = ()
    # On where the input says who asks, by a token, a password or an e-mail address: an
    # Authorization header that is not valid does not matter then.
    carries_credential = False
    # Codes of the user errors that it returns, besides those of its base classes.
    codes: tuple[str, ...] = ()
    # Off where input is only compared, and any difference is told in one way.
    stores_text = True
    # On where the action commits by itself, because part of it outlives a refusal.
    owns_transaction = False

    user_errors = graphene.List(
        graphene.NonNull(UserError),
        required=True,
        default_value=(),
        description="Why nothing was done; empty on success.",
    )
    client_mutation_id = graphene.String(description="As given in the input.")

    @classmethod
    def __init_subclass_with_meta__(cls, **options: Any) -> None:
        fields: dict[str, Any] = {}
        for base in reversed(cls.Input.__mro__[:-1]):
            fields |= {k: v for k, v in vars(base).items() if not k.startswith("__")}
        fields["client_mutation_id"] = graphene.InputField(
            graphene.String, description="Any text; it comes back in the payload."
        )
        name = cls.__name__
        fields["__doc__"] = f"Input of `{name[0].lower()}{name[1:]}`."
        input_type = type(f"{name}Input", (graphene.InputObjectType,), fields)
        argument = graphene.Argument(
            graphene.NonNull(input_type), description="All that the mutation takes."
        )
        sentences = [inspect.cleandoc(cls.__doc__ or "")]
        if cls.carries_credential:
            sentences.append("Ignores an `Authorization` header that is not valid.")
        sentences += map(sentence, (*cls.further_permissions, cls.permission))
        cls.field_description = " ".join(sentences)
        cls.all_codes = cls._all_codes()
        if cls.all_codes:
            cls.field_description += f"\n\nErrors: {', '.join(cls.all_codes)}."
        super().__init_subclass_with_meta__(
            _meta=MutationOptions(cls),
            name=f"{name}Payload",
            arguments={"input": argument},
            description=f"Result of `{name[0].lower()}{name[1:]}`.",
            **options,
        )

    @classmethod
    def _all_codes(cls) -> tuple[str, ...]:
        """Codes that the class and its base classes declare, in the order of the enum."""
        declared = {code for base in cls.__mro__ for code in vars(base).get("codes", ())}
        if cls.stores_text:
            declared.add(errors.ErrorCode.INVALID)
        if unknown := declared - set(errors.ErrorCode):
            raise ValueError(f"{cls.__name__} declares codes that do not exist: {unknown}")
        return tuple(code for code in errors.ErrorCode if code in declared)

    @classmethod
    def Field(cls, **options: Any) -> graphene.Field:  # noqa: N802 - Graphene's name.
        return super().Field(description=cls.field_description, **options)

    @classmethod
    def mutate(cls, root: Any, info: graphene.ResolveInfo, input: dict[str, Any]) -> Any:  # noqa: A002
        try:
            cls.check_permission(info.context.user)
            return cls._answer(info, input)
        except Forbidden:
            # Whatever was begun is undone by now; that it was tried stays.
            cls._record_refusal(info)
            raise

    @classmethod
    def _answer(cls, info: graphene.ResolveInfo, input: dict[str, Any]) -> Any:  # noqa: A002
        values = dict(input)
        client_mutation_id = values.pop("client_mutation_id", None)
        try:
            if cls.stores_text:
                _check_texts(values, ())
            with told_when_to_come_back():
                payload = cls._perform_once(info, values)
        except errors.ShopError as error:
            if any(one.code == errors.ErrorCode.BEYOND_YOUR_PERMISSIONS for one in error.each):
                cls._record_refusal(info)
            payload = cls.refused(error)
        payload.client_mutation_id = client_mutation_id
        return payload

    @classmethod
    def refused(cls, error: errors.ShopError, **fields: Any) -> Any:
        """The payload that reports `error`, with other fields of it."""
        for one in error.each:
            if one.code not in cls.all_codes:
                # The test run turns this into a failure.
                warnings.warn(f"{cls.__name__} does not declare {one.code}.", stacklevel=2)
        found = [
            UserError(code=one.code, message=one.message, field=one.field) for one in error.each
        ]
        return cls(user_errors=found, **fields)

    @classmethod
    def check_permission(cls, user: Any) -> None:
        """Raises Unauthenticated or Forbidden unless `user` has the declared permissions."""
        for permission in (cls.permission, *cls.further_permissions):
            require(user, permission)

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        """Does the work and returns the payload. Raises ShopError."""
        raise NotImplementedError

    @classmethod
    def _record_refusal(cls, info: graphene.ResolveInfo) -> None:
        request = info.context
        audit.refuse(request.user, info.field_name, address_of(request))

    @classmethod
    def _perform_recorded(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        """`perform`; what it changes is recorded when a member of staff asks."""
        request = info.context
        if not request.user.is_staff:
            return cls.perform(info, **values)
        with audit.acting(request.user, AuditSource.API, address_of(request)):
            return cls.perform(info, **values)

    @classmethod
    def _perform_once(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        if cls.owns_transaction:
            return cls._perform_recorded(info, values)
        try:
            with transaction.atomic():
                return cls._perform_recorded(info, dict(values))
        except IntegrityError:
            # Someone else took the slug or SKU between our check and our write. Checked again,
            # it is an ordinary user error.
            pass
        except OperationalError as error:
            if not is_conflict(error):
                raise
        try:
            with transaction.atomic():
                return cls._perform_recorded(info, dict(values))
        except OperationalError as error:
            if not is_conflict(error):
                raise
            raise Retry(
                "Others are changing the same things. Send the request again.", retryAfter=1
            ) from error


class DeleteMutation(Mutation):
    """Base of the mutations that delete one object by its id.

    A subclass declares `node_type`, `remove` (an action that takes the row) and `permission`. Of
    what only staff see, whoever may delete it gets at it, seen or not.
    """

    class Meta:
        abstract = True

    class Input:
        id = graphene.ID(required=True, description="Global id of what is to be deleted.")

    codes: tuple[str, ...] = ("NOT_FOUND",)
    node_type: type[NodeType]
    remove: Any

    deleted_id = graphene.ID(description="Global id of what was deleted.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, **values: Any) -> Any:
        find = load_any if issubclass(cls.node_type, StaffNode) else load
        cls.remove(find(info, cls.node_type, values["id"]))
        return cls(deleted_id=values["id"])


@contextmanager
def told_when_to_come_back() -> Iterator[None]:
    """Tells what is to be tried later in the codes that clients know."""
    try:
        yield
    except errors.Throttled as error:
        raise RateLimited(error.message, retryAfter=error.seconds) from error
    except errors.TryLater as error:
        raise Retry(error.message, retryAfter=error.seconds) from error


def retry_of(error: BaseException) -> Retry | None:
    """The answer to a database that is locked, full or away, which is logged; None to a bug."""
    outage = outage_of(error)
    if outage is None:
        return None
    report(outage)
    return Retry(outage.message, retryAfter=outage.seconds)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _check_texts(value: Any, path: tuple[str, ...]) -> None:
    """Raises Invalid for text that no database holds: with NUL, or half of a surrogate pair."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise errors.Invalid("Text must not contain NUL or lone surrogates.", field=path)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_texts(item, (*path, to_camel_case(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_texts(item, (*path, str(index)))
