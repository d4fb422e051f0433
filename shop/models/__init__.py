"""Rows, constraints and QuerySets, one module per domain."""

from shop.models.audit import AuditEntry, AuditOutcome, AuditSource
from shop.models.carts import Cart, CartLine, CartStatus
from shop.models.catalog import (
    Attribute,
    AttributeValue,
    Brand,
    Category,
    Collection,
    CollectionItem,
    Media,
    Product,
    ProductAttribute,
    ProductStatus,
    ThumbnailSize,
    Variant,
)
from shop.models.customers import Address, RefreshToken, Session, User
from shop.models.idempotency import IdempotencyKey
from shop.models.importing import ImportRecord
from shop.models.inventory import (
    MovementReason,
    Reservation,
    ReservationState,
    Stock,
    StockMovement,
)
from shop.models.jobs import Job, JobKind, JobStatus
from shop.models.mails import SentMail
from shop.models.orders import (
    Fulfillment,
    FulfillmentLine,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Redemption,
    Return,
    ReturnLine,
)
from shop.models.outbox import (
    DeferredTask,
    EventClaim,
    EventCursor,
    EventStream,
    OutboxEvent,
    TaskState,
)
from shop.models.payments import (
    DemoCharge,
    Payment,
    PaymentEvent,
    PaymentState,
    Refund,
    RefundState,
)
from shop.models.promotions import AutomaticDiscount, Voucher, VoucherKind
from shop.models.reviews import Review, ReviewStatus, WishlistItem
from shop.models.shipping import ShippingRate, ShippingZone, TaxRate, ZoneCountry
from shop.models.throttling import ThrottleEntry
from shop.models.webhooks import DeliveryState, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Address",
    "Attribute",
    "AttributeValue",
    "AuditEntry",
    "AuditOutcome",
    "AuditSource",
    "AutomaticDiscount",
    "Brand",
    "Cart",
    "CartLine",
    "CartStatus",
    "Category",
    "Collection",
    "CollectionItem",
    "DeferredTask",
    "DeliveryState",
    "DemoCharge",
    "EventClaim",
    "EventCursor",
    "EventStream",
    "Fulfillment",
    "FulfillmentLine",
    "FulfillmentStatus",
    "IdempotencyKey",
    "ImportRecord",
    "Job",
    "JobKind",
    "JobStatus",
    "Media",
    "MovementReason",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "OrderLine",
    "OrderStatus",
    "OutboxEvent",
    "Payment",
    "PaymentEvent",
    "PaymentState",
    "PaymentStatus",
    "Product",
    "ProductAttribute",
    "ProductStatus",
    "Redemption",
    "RefreshToken",
    "Refund",
    "RefundState",
    "Reservation",
    "ReservationState",
    "Return",
    "ReturnLine",
    "Review",
    "ReviewStatus",
    "SentMail",
    "Session",
    "ShippingRate",
    "ShippingZone",
    "Stock",
    "StockMovement",
    "TaskState",
    "TaxRate",
    "ThrottleEntry",
    "ThumbnailSize",
    "User",
    "Variant",
    "Voucher",
    "VoucherKind",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WishlistItem",
    "ZoneCountry",
]
