"""Celery tasks: they take ids, call an action, and survive running twice."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from shop import generations, outbox, throttling
from shop.actions import (
    accounts,
    audit,
    carts,
    customers,
    idempotency,
    jobs,
    mails,
    notices,
    payments,
    reviews,
)
from shop.actions.catalog import derived, media
from shop.actions.customers import notices as account_notices
from shop.actions.customers import registering
from shop.actions.webhooks import deliveries, fanning, lanes
from shop.models import JobKind, OutboxEvent, WebhookDelivery
from shop.outbox import dead_letters, housekeeping
from shop.screen_sessions import SessionStore

# What a provider told stays known for longer than anybody can have it sent again.
_MESSAGES_KEPT = timedelta(days=365)

# Jobs know no other domain; what is done by one above them is named here.
jobs.register(JobKind.EXPORT_ACCOUNT, accounts.ExportWork)


# Of each event once, whoever else is told of it: a message for each would cost more than it saves.
outbox.witnesses.append(generations.repair)


@outbox.task(generations.TASK)
def raise_generations() -> None:
    """Drops the generations for a process that could not reach Redis after it had written."""
    generations.pay()


@outbox.subscriber("media.uploaded", name="shop.make_thumbnails")
def make_thumbnails(event: OutboxEvent) -> None:
    """Draws the sizes of an uploaded picture."""
    media.make_thumbnails(event.payload["id"])


@outbox.periodic("shop.dispatch", seconds=10)
def dispatch() -> None:
    """Publishes what a process left behind that died."""
    outbox.drain()


@outbox.periodic("shop.collect_dead_letters", seconds=30)
def collect_dead_letters() -> None:
    """Writes down what the broker gave up."""
    dead_letters.collect()


@outbox.periodic("shop.purge_outbox", seconds=3600)
def purge_outbox() -> None:
    """Removes old dead letters, and events, deliveries and records of mails that are long done."""
    now = timezone.now()
    # Before the events: a dead letter keeps the event that it may be replayed with.
    dead_letters.purge(now - timedelta(days=settings.DEAD_LETTER_DAYS))
    before = now - timedelta(days=settings.OUTBOX_DAYS)
    # Events are kept as long as a delivery is pending: first go those that nobody will take.
    deliveries.purge(before)
    housekeeping.purge(before, kept=deliveries.pending_events())
    mails.purge(before)


@outbox.periodic("shop.repair_derived", seconds=24 * 3600)
def repair_derived() -> None:
    """Sets prices, search texts and ratings right that were written past the actions."""
    derived.repair()
    reviews.repair()


# A large import may take hours; one that takes half a day hangs.
@outbox.subscriber(
    "job.queued",
    name="shop.run_job",
    queue="imports",
    soft_time_limit=12 * 3600,
    time_limit=12 * 3600 + 300,
    # A message that waits for hours to be acknowledged would cost the worker its connection: the
    # job's own lease, and the clock, see to it that it is run to its end.
    acks_late=False,
)
def run_job(event: OutboxEvent) -> None:
    """Runs an import or an export."""
    jobs.run(event.payload["id"])


@outbox.subscriber("session.reused", name="shop.mail_reuse", queue="mail", when=mails.are_on)
def mail_reuse(event: OutboxEvent) -> None:
    """Tells a user that a device was signed out, because one of its tokens may be stolen."""
    account_notices.tell_of_reuse(event.payload["id"])


@outbox.subscriber("user.registered", name="shop.mail_welcome", queue="mail", when=mails.are_on)
def mail_welcome(event: OutboxEvent) -> None:
    """Sends the link that confirms an address; or tells its owner that there is an account."""
    account_notices.welcome(event.payload["id"], event.pk)


@outbox.subscriber("user.reset_requested", name="shop.mail_reset", queue="mail", when=mails.are_on)
def mail_reset(event: OutboxEvent) -> None:
    """Sends the link that sets a new password."""
    account_notices.send_reset(event.payload["id"], event.pk)


@outbox.subscriber("user.invited", name="shop.mail_invitation", queue="mail", when=mails.are_on)
def mail_invitation(event: OutboxEvent) -> None:
    """Sends the link that sets the first password."""
    account_notices.invite(event.payload["id"], event.pk)


@outbox.subscriber(
    "user.password_changed", name="shop.mail_password", queue="mail", when=mails.are_on
)
def mail_password(event: OutboxEvent) -> None:
    """Tells that the password was changed."""
    account_notices.tell_of_password(event.payload["id"], event.pk)


@outbox.subscriber(
    "user.second_factor_changed", name="shop.mail_second_factor", queue="mail", when=mails.are_on
)
def mail_second_factor(event: OutboxEvent) -> None:
    """Tells that the second factor was turned on or off, or what became of recovery codes."""
    account_notices.tell_of_second_factor(event.payload["id"], event.pk, what=event.payload["what"])


@outbox.subscriber("user.email_requested", name="shop.mail_email", queue="mail", when=mails.are_on)
def mail_email(event: OutboxEvent) -> None:
    """Sends the link that confirms a new address, and warns the present one."""
    account_notices.ask_about_email(event.payload["id"], event.pk)


@outbox.subscriber("user.email_changed", name="shop.mail_former", queue="mail", when=mails.are_on)
def mail_former(event: OutboxEvent) -> None:
    """Tells the address that an account had that it has another one now."""
    if former := event.payload.get("former"):
        account_notices.tell_former_address(event.payload["id"], event.pk, former)


@outbox.subscriber("order.confirmed", name="shop.mail_order", queue="mail", when=mails.are_on)
def mail_order(event: OutboxEvent) -> None:
    """Tells a customer what they bought."""
    notices.tell_of_confirmation(event.payload["id"], event.pk)


@outbox.subscriber("order.fulfilled", name="shop.mail_parcel", queue="mail", when=mails.are_on)
def mail_parcel(event: OutboxEvent) -> None:
    """Tells a customer what is on its way."""
    notices.tell_of_parcel(event.payload["id"], event.pk, event.payload["fulfillment"])


@outbox.subscriber("order.delivered", name="shop.mail_delivery", queue="mail", when=mails.are_on)
def mail_delivery(event: OutboxEvent) -> None:
    """Sends a customer the links of what was delivered without a parcel."""
    notices.tell_of_delivery(event.payload["id"], event.pk)


@outbox.subscriber(
    "order.fulfillment_updated", name="shop.mail_tracking", queue="mail", when=mails.are_on
)
def mail_tracking(event: OutboxEvent) -> None:
    """Sends a customer the corrected tracking of a parcel."""
    notices.tell_of_tracking(event.payload["id"], event.pk, event.payload["fulfillment"])


@outbox.subscriber(
    "order.fulfillment_cancelled", name="shop.mail_unshipped", queue="mail", when=mails.are_on
)
def mail_unshipped(event: OutboxEvent) -> None:
    """Tells a customer that a parcel was recorded by mistake."""
    notices.tell_of_cancelled_parcel(event.payload["id"], event.pk, event.payload["fulfillment"])


@outbox.subscriber(
    "order.lines_cancelled", name="shop.mail_reduced", queue="mail", when=mails.are_on
)
def mail_reduced(event: OutboxEvent) -> None:
    """Tells a customer which units were removed from an order, and the new total."""
    notices.tell_of_removed_units(event.payload["id"], event.pk, event.payload["event"])


@outbox.subscriber("order.updated", name="shop.mail_updated", queue="mail", when=mails.are_on)
def mail_updated(event: OutboxEvent) -> None:
    """Tells a customer which addresses of an order were changed."""
    notices.tell_of_update(event.payload["id"], event.pk, event.payload["changed"])


@outbox.subscriber(
    "order.email_changed", name="shop.mail_former_buyer", queue="mail", when=mails.are_on
)
def mail_former_buyer(event: OutboxEvent) -> None:
    """Tells the former e-mail address of an order that it was replaced."""
    if former := event.payload.get("former"):
        notices.tell_former_address(event.payload["id"], event.pk, former)


@outbox.subscriber("order.refunded", name="shop.mail_refund", queue="mail", when=mails.are_on)
def mail_refund(event: OutboxEvent) -> None:
    """Tells a customer that money is on its way back."""
    notices.tell_of_refund(event.payload["id"], event.pk, event.payload["refund"])


@outbox.subscriber("order.cancelled", name="shop.mail_cancelled", queue="mail", when=mails.are_on)
def mail_cancelled(event: OutboxEvent) -> None:
    """Tells a customer that their order was called off."""
    notices.tell_of_cancellation(event.payload["id"], event.pk)


@outbox.subscriber("cart.abandoned", name="shop.mail_cart", queue="mail", when=mails.are_on)
def mail_cart(event: OutboxEvent) -> None:
    """Reminds somebody of the cart that they left."""
    notices.tell_of_cart(event.payload["id"], event.pk)


@outbox.subscriber("stock.low", name="shop.mail_low_stock", queue="mail", when=mails.are_on)
def mail_low_stock(event: OutboxEvent) -> None:
    """Tells staff that few of a variant are left."""
    notices.tell_of_low_stock(event.payload["id"], event.pk, event.payload["available"])


@outbox.subscriber("order.disputed", name="shop.mail_dispute", queue="mail", when=mails.are_on)
def mail_dispute(event: OutboxEvent) -> None:
    """Tells staff that a bank asks for money back, or about it."""
    notices.tell_of_dispute(event.payload["id"], event.pk, event.payload["dispute"])


@outbox.subscriber(
    "order.dispute_closed", name="shop.mail_dispute_closed", queue="mail", when=mails.are_on
)
def mail_dispute_closed(event: OutboxEvent) -> None:
    """Tells staff how a dispute ended."""
    notices.tell_of_dispute(event.payload["id"], event.pk, event.payload["dispute"])


@outbox.periodic("shop.remind_carts", seconds=900)
def remind_carts() -> None:
    """Has customers reminded of the carts that they left, who asked for it."""
    # What nobody would send is not marked as sent.
    if mails.are_on():
        carts.remind(timezone.now())


@outbox.periodic("shop.purge_carts", seconds=3600)
def purge_carts() -> None:
    """Removes carts that were left for good."""
    carts.purge(timezone.now() - timedelta(days=settings.CART_DAYS))


@outbox.periodic("shop.purge_keys", seconds=3600)
def purge_keys() -> None:
    """Forgets requests whose reply nobody can ask for any more."""
    idempotency.purge(timezone.now())


@outbox.periodic("shop.purge_accounts", seconds=3600)
def purge_accounts() -> None:
    """Removes accounts that nobody confirmed, and counts of tries that are over."""
    registering.purge_unconfirmed()
    throttling.purge(timezone.now())


@outbox.periodic("shop.forget_orders", seconds=3600)
def forget_orders() -> None:
    """Takes from orders of erased accounts what they kept until they were delivered."""
    accounts.forget_delivered(timezone.now())


@outbox.periodic("shop.purge_sessions", seconds=3600)
def purge_sessions() -> None:
    """Removes sessions that are long over, and those of the staff screens that are over."""
    now = timezone.now()
    spent = now - settings.GRAPHQL_JWT["JWT_REFRESH_EXPIRATION_DELTA"]
    customers.purge(now - timedelta(days=settings.OUTBOX_DAYS), spent=spent)
    SessionStore.clear_expired()


@outbox.subscriber("job.finished", name="shop.mail_job", queue="mail", when=mails.are_on)
def mail_job(event: OutboxEvent) -> None:
    """Tells who started a job that it has ended."""
    jobs.tell(event.payload["id"])


@outbox.periodic("shop.resume_jobs", seconds=15)
def resume_jobs() -> None:
    """Queues the jobs whose worker died."""
    jobs.resume_lost()


@outbox.periodic("shop.settle_payments", seconds=30)
def settle_payments() -> None:
    """Asks providers about payments and refunds whose answer was lost, or is still to come."""
    payments.settle()


@outbox.periodic("shop.expire_orders", seconds=30)
def expire_orders() -> None:
    """Gives up orders that nobody paid in time."""
    payments.expire_orders()


@outbox.periodic("shop.purge_payment_events", seconds=24 * 3600)
def purge_payment_events() -> None:
    """Removes messages of payment providers that are too old to come again."""
    payments.purge_events(timezone.now() - _MESSAGES_KEPT)


@outbox.periodic("shop.purge_jobs", seconds=3600)
def purge_jobs() -> None:
    """Removes imports and exports that are long done, with their files."""
    jobs.purge(timezone.now() - timedelta(days=settings.JOB_DAYS))


@outbox.periodic("shop.purge_audit", seconds=3600)
def purge_audit() -> None:
    """Removes old entries of the audit."""
    audit.purge(timezone.now() - timedelta(days=settings.AUDIT_DAYS))


@outbox.subscriber(
    "*",
    name="shop.fan_out",
    queue="webhooks",
    ordered=True,
    prepare=fanning.messages,
    when=fanning.anyone_listens,
)
def fan_out(event: OutboxEvent, messages: list[WebhookDelivery]) -> None:
    """Makes an event's deliveries for those outside who want it."""
    fanning.fan_out(event, messages)


# A failure needs no record: the sweep asks again.
@outbox.task(lanes.TASK, queue="webhooks", tries=0)
def deliver_webhooks(endpoint_id: int) -> None:
    """Sends what is due for one endpoint."""
    lanes.run(endpoint_id)


@outbox.periodic("shop.sweep_webhooks", seconds=10)
def sweep_webhooks() -> None:
    """Wakes endpoints that have something due, also after a worker was lost."""
    lanes.sweep()
