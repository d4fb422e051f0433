"""Expected failures: one class each, with a code that clients can act on. Pure Python."""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """What went wrong, in a form that a program can branch on."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    DUPLICATE_SLUG = "DUPLICATE_SLUG"
    SLUG_RESERVED = "SLUG_RESERVED"
    DUPLICATE_SKU = "DUPLICATE_SKU"
    DUPLICATE_OPTIONS = "DUPLICATE_OPTIONS"
    INVALID_PRICE = "INVALID_PRICE"
    COMPARE_AT_NOT_ABOVE_PRICE = "COMPARE_AT_NOT_ABOVE_PRICE"
    NOT_PUBLISHABLE = "NOT_PUBLISHABLE"
    CATEGORY_CYCLE = "CATEGORY_CYCLE"
    CATEGORY_TOO_DEEP = "CATEGORY_TOO_DEEP"
    CATEGORY_NOT_EMPTY = "CATEGORY_NOT_EMPTY"
    IN_USE = "IN_USE"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FILE_TYPE_NOT_ALLOWED = "FILE_TYPE_NOT_ALLOWED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_TOKEN = "INVALID_TOKEN"
    DUPLICATE_EMAIL = "DUPLICATE_EMAIL"
    WEAK_PASSWORD = "WEAK_PASSWORD"
    OTP_REQUIRED = "OTP_REQUIRED"
    INVALID_OTP = "INVALID_OTP"
    LAST_OWNER = "LAST_OWNER"
    BEYOND_YOUR_PERMISSIONS = "BEYOND_YOUR_PERMISSIONS"
    ALREADY_FINISHED = "ALREADY_FINISHED"
    URL_NOT_ALLOWED = "URL_NOT_ALLOWED"
    INVALID_QUERY = "INVALID_QUERY"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_PURCHASABLE = "NOT_PURCHASABLE"
    CART_EMPTY = "CART_EMPTY"
    CART_CHANGED = "CART_CHANGED"
    CART_CLOSED = "CART_CLOSED"
    CART_FULL = "CART_FULL"
    PAYMENT_PENDING = "PAYMENT_PENDING"
    TOTAL_CHANGED = "TOTAL_CHANGED"
    SHIPPING_NOT_OFFERED = "SHIPPING_NOT_OFFERED"
    INVALID_VOUCHER = "INVALID_VOUCHER"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE"
    AMOUNT_TOO_SMALL = "AMOUNT_TOO_SMALL"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_NOT_OFFERED = "PAYMENT_NOT_OFFERED"
    PAYMENT_UNAVAILABLE = "PAYMENT_UNAVAILABLE"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    LAST_UNIT = "LAST_UNIT"
    TOTAL_WOULD_CHANGE = "TOTAL_WOULD_CHANGE"
    EXCEEDS_ORDER = "EXCEEDS_ORDER"
    NOT_SHIPPABLE = "NOT_SHIPPABLE"
    EXCEEDS_PAYMENT = "EXCEEDS_PAYMENT"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    DUPLICATE_CODE = "DUPLICATE_CODE"
    DUPLICATE_TAX_RATE = "DUPLICATE_TAX_RATE"


class ShopError(Exception):
    """A failure that a shopper or staff member can cause, and is told of.

    Attributes:
        code: for programs.
        message: for people; one sentence, with no internals.
        field: path of the input field at fault, empty when no single field is.
    """

    code = ErrorCode.INVALID
    message = "The input is not valid."

    def __init__(self, message: str | None = None, *, field: Sequence[str] = ()) -> None:
        self.message = message or type(self).message
        self.field = tuple(field)
        super().__init__(self.message)

    @property
    def each(self) -> tuple["ShopError", ...]:
        """The failures that are told: this one."""
        return (self,)


class Several(ShopError):
    """More than one failure, told together; where one is shown, it is the first."""

    def __init__(self, errors: Sequence[ShopError]) -> None:
        self.errors = tuple(errors)
        super().__init__(errors[0].message, field=errors[0].field)
        self.code = errors[0].code

    @property
    def each(self) -> tuple[ShopError, ...]:
        return self.errors


class TryLater(Exception):
    """Nothing is wrong with what was asked, but not now. Nothing was done.

    Attributes:
        seconds: after which to try again.
        message: for people; one sentence or two.
    """

    message = "Try again in a moment."

    def __init__(self, seconds: int = 1) -> None:
        self.seconds = seconds
        super().__init__(self.message)


class Throttled(TryLater):
    """Tried too often."""

    @property
    def message(self) -> str:  # type: ignore[override]
        return f"Too many tries. Try again in {self.seconds} s."


class Busy(TryLater):
    """Too many ask for the same at once, or a service that is needed does not answer."""

    message = "The server has too much to do just now. Try again in a moment."


class Conflict(Busy):
    """Others changed the same rows at the same time; tried again, it may succeed."""

    message = "Another request changed the same rows at the same time. Try again."


class Invalid(ShopError):
    """A value is of the right type but makes no sense here."""


class AmountTooLarge(Invalid):
    code = ErrorCode.AMOUNT_TOO_LARGE
    message = "It comes to more than can be paid at once."


class AmountTooSmall(Invalid):
    code = ErrorCode.AMOUNT_TOO_SMALL
    message = "The total is below the smallest amount that this way to pay takes."


class CurrencyMismatch(Invalid):
    code = ErrorCode.CURRENCY_MISMATCH
    message = "It is in another currency than the shop's prices."


class Required(ShopError):
    code = ErrorCode.REQUIRED
    message = "A value is required."


class NotFound(ShopError):
    code = ErrorCode.NOT_FOUND
    message = "There is no such object."


class DuplicateSlug(ShopError):
    code = ErrorCode.DUPLICATE_SLUG
    message = "This slug is already taken."


class SlugReserved(ShopError):
    code = ErrorCode.SLUG_RESERVED
    message = "This is a former slug of another object, where it still leads."


class DuplicateSku(ShopError):
    code = ErrorCode.DUPLICATE_SKU
    message = "This SKU is already taken by another variant."


class DuplicateOptions(ShopError):
    code = ErrorCode.DUPLICATE_OPTIONS
    message = "The product already has a variant with these options."


class InvalidPrice(ShopError):
    code = ErrorCode.INVALID_PRICE
    message = "The price is not a valid amount of the shop's currency."


class CompareAtNotAbovePrice(ShopError):
    code = ErrorCode.COMPARE_AT_NOT_ABOVE_PRICE
    message = "The compare-at price must be above the price."


class NotPublishable(ShopError):
    code = ErrorCode.NOT_PUBLISHABLE
    message = "A product needs at least one variant with a price to be published."


class CategoryCycle(ShopError):
    code = ErrorCode.CATEGORY_CYCLE
    message = "A category cannot be moved below itself."


class CategoryTooDeep(ShopError):
    code = ErrorCode.CATEGORY_TOO_DEEP
    message = "The category tree would become too deep."


class CategoryNotEmpty(ShopError):
    code = ErrorCode.CATEGORY_NOT_EMPTY
    message = "The category still has subcategories or products."


class InUse(ShopError):
    code = ErrorCode.IN_USE
    message = "The object is still in use."


class FileTooLarge(ShopError):
    code = ErrorCode.FILE_TOO_LARGE
    message = "The file is too large."


class FileTypeNotAllowed(ShopError):
    code = ErrorCode.FILE_TYPE_NOT_ALLOWED
    message = "Only JPEG, PNG, WebP and GIF images are accepted."


class InvalidCredentials(ShopError):
    code = ErrorCode.INVALID_CREDENTIALS
    message = "The e-mail address or the password is not right."


class WeakPassword(ShopError):
    """A password that is too easy to guess."""

    code = ErrorCode.WEAK_PASSWORD
    message = "The password is too easy to guess."


class InvalidToken(ShopError):
    code = ErrorCode.INVALID_TOKEN
    message = "The token is not valid any more."


class OtpRequired(ShopError):
    code = ErrorCode.OTP_REQUIRED
    message = "Enter the one-time code of your authenticator app, or a recovery code."


class InvalidOtp(ShopError):
    code = ErrorCode.INVALID_OTP
    message = "The one-time code is not right, or was used before."


class DuplicateEmail(ShopError):
    code = ErrorCode.DUPLICATE_EMAIL
    message = "Somebody already has this e-mail address."


class LastOwner(ShopError):
    code = ErrorCode.LAST_OWNER
    message = "The shop would be left without an owner who can sign in."


class BeyondYourPermissions(ShopError):
    code = ErrorCode.BEYOND_YOUR_PERMISSIONS
    message = "It takes permissions that you do not have yourself."


class AlreadyFinished(ShopError):
    code = ErrorCode.ALREADY_FINISHED
    message = "It has ended already."


class UrlNotAllowed(ShopError):
    code = ErrorCode.URL_NOT_ALLOWED
    message = "The address must not be called."


class InvalidQuery(ShopError):
    code = ErrorCode.INVALID_QUERY
    message = "The GraphQL document cannot be run."


class InvalidQuantity(ShopError):
    code = ErrorCode.INVALID_QUANTITY
    message = "A quantity is a whole number from 1 to 9999."


def what_is_left(name: str, available: int) -> str:
    """What to tell who wants more of something than there is."""
    return f"Only {available} left of {name}." if available else f"{name} is sold out."


class OutOfStock(ShopError):
    """Not so many can be had.

    Attributes:
        available: units that can be had; below zero counts as none.
    """

    code = ErrorCode.OUT_OF_STOCK

    def __init__(self, *, name: str, available: int, field: Sequence[str] = ()) -> None:
        self.available = max(available, 0)
        super().__init__(what_is_left(name, self.available), field=field)


class NotPurchasable(ShopError):
    code = ErrorCode.NOT_PURCHASABLE
    message = "This is not sold at the moment."


class CartEmpty(ShopError):
    code = ErrorCode.CART_EMPTY
    message = "The cart is empty."


class CartChanged(ShopError):
    code = ErrorCode.CART_CHANGED
    message = "The cart was changed meanwhile."


class CartFull(ShopError):
    code = ErrorCode.CART_FULL

    def __init__(self, most: int, *, field: Sequence[str] = ()) -> None:
        super().__init__(
            f"A cart has at most {most} lines. Remove some, or order in parts.", field=field
        )


class CartClosed(ShopError):
    code = ErrorCode.CART_CLOSED
    message = "The cart has been ordered already."


class PaymentPending(CartClosed):
    """The cart was ordered, and its order can still be cancelled unpaid."""

    code = ErrorCode.PAYMENT_PENDING
    message = (
        "The payment of this cart's order is pending. Cancel the order to change the cart, or "
        "check out again to pay another way."
    )


class TotalChanged(ShopError):
    """The total is another than the one that the customer saw.

    Attributes:
        total: the amount now, as a decimal string.
    """

    code = ErrorCode.TOTAL_CHANGED

    def __init__(self, *, total: str, currency: str, field: Sequence[str] = ()) -> None:
        self.total = total
        super().__init__(f"The total is {total} {currency} now.", field=field)


class ShippingNotOffered(ShopError):
    code = ErrorCode.SHIPPING_NOT_OFFERED
    message = "We do not ship this there."


class InvalidVoucher(ShopError):
    code = ErrorCode.INVALID_VOUCHER
    message = "There is no such voucher."


class UnknownVoucher(InvalidVoucher):
    """No active voucher has the code: a typing error, or a guess."""


class PaymentDeclined(ShopError):
    code = ErrorCode.PAYMENT_DECLINED
    message = "The payment was declined. Try another way to pay."


class PaymentNotOffered(ShopError):
    code = ErrorCode.PAYMENT_NOT_OFFERED
    message = "This way to pay is not offered."


class PaymentUnavailable(ShopError):
    code = ErrorCode.PAYMENT_UNAVAILABLE
    message = "The payment provider does not answer just now. Nothing was charged; try again soon."


class PaymentFailed(ShopError):
    code = ErrorCode.PAYMENT_FAILED
    message = "The payment provider refused."


class IdempotencyConflict(ShopError):
    code = ErrorCode.IDEMPOTENCY_CONFLICT
    message = "This key was used for something else."


class IllegalMove(ShopError):
    code = ErrorCode.ILLEGAL_MOVE
    message = "The object is in a state that does not allow it."


class LastUnit(ShopError):
    code = ErrorCode.LAST_UNIT
    message = "No unit would be left in the order. Cancel the order."


class TotalWouldChange(ShopError):
    """An order would go where its shipping or taxes are others."""

    code = ErrorCode.TOTAL_WOULD_CHANGE
    message = (
        "Shipping or taxes differ at this address, and the total of an order does not change. "
        "Cancel the order and place a new one."
    )


class NotShippable(ShopError):
    code = ErrorCode.NOT_SHIPPABLE
    message = "This line is not shipped: it is delivered once the order is paid."


class ExceedsOrder(ShopError):
    code = ErrorCode.EXCEEDS_ORDER
    message = "It is more than there is to ship, return or refund."


class ExceedsPayment(ShopError):
    code = ErrorCode.EXCEEDS_PAYMENT
    message = "It is more than was paid, not paid back yet and not taken by a dispute."


class InsufficientStock(ShopError):
    code = ErrorCode.INSUFFICIENT_STOCK
    message = "The stock would fall below what is promised to orders."


class DuplicateCode(ShopError):
    code = ErrorCode.DUPLICATE_CODE
    message = "This code is already taken."


class DuplicateTaxRate(ShopError):
    code = ErrorCode.DUPLICATE_TAX_RATE
    message = "There is a rate for this place and category already."
