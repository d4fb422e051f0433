"""Expected failures: one class each, with a code that clients can act on. Pure Python."""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """What went wrong, in a form that a program can branch on."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    DUPLICATE_SLUG = "DUPLICATE_SLUG"
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


class Invalid(ShopError):
    """A value is of the right type but makes no sense here."""


class AmountTooLarge(Invalid):
    message = "It comes to more than can be paid at once."


class CurrencyMismatch(Invalid):
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
