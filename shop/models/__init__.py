"""Rows, constraints and QuerySets, one module per domain."""

from shop.models.audit import AuditEntry, AuditOutcome, AuditSource
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
from shop.models.importing import ImportRecord
from shop.models.inventory import Stock
from shop.models.jobs import Job, JobKind, JobStatus
from shop.models.mails import SentMail
from shop.models.outbox import (
    DeferredTask,
    EventClaim,
    EventCursor,
    EventStream,
    OutboxEvent,
    TaskState,
)
from shop.models.throttling import ThrottleEntry
from shop.models.webhooks import DeliveryState, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Address",
    "Attribute",
    "AttributeValue",
    "AuditEntry",
    "AuditOutcome",
    "AuditSource",
    "Brand",
    "Category",
    "Collection",
    "CollectionItem",
    "DeferredTask",
    "DeliveryState",
    "EventClaim",
    "EventCursor",
    "EventStream",
    "ImportRecord",
    "Job",
    "JobKind",
    "JobStatus",
    "Media",
    "OutboxEvent",
    "Product",
    "ProductAttribute",
    "ProductStatus",
    "RefreshToken",
    "SentMail",
    "Session",
    "Stock",
    "TaskState",
    "ThrottleEntry",
    "ThumbnailSize",
    "User",
    "Variant",
    "WebhookDelivery",
    "WebhookEndpoint",
]
