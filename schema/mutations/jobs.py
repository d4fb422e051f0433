"""Starting and stopping imports and exports."""

from datetime import datetime
from typing import Any

import graphene

from schema.base import Mutation
from schema.engine.connections import ObjectField
from schema.engine.nodes import decode_id
from schema.engine.scalars import in_utc
from schema.engine.uploads import Upload
from schema.types.jobs import Job, ProductFileDelimiter
from schema.types.orders.filters import OrderStatus
from shop import models
from shop.actions import jobs
from shop.errors import NotFound

_SEEN = "null for who may not see jobs"


class ImportProducts(Mutation):
    """Imports products from a CSV in Shopify's layout, in the background.

    A file that is no such CSV is refused at once: INVALID, with line, column and byte where its
    text cannot be read.
    """

    permission = "shop.add_job"
    codes = ("FILE_TOO_LARGE",)

    class Input:
        file = Upload(
            required=True,
            description="Product CSV, plain or gzipped, by GraphQL multipart request; its content "
            "counts, not its name. Columns may be separated by commas, semicolons, tabs or pipes; "
            "the text is UTF-8, UTF-16, UTF-32 or Windows-1252.",
        )
        overwrite = graphene.Boolean(
            description="Whether the file wins over what staff edited and what was sold since "
            "the last import; false."
        )
        dry_run = graphene.Boolean(
            description="Whether to do everything but write nothing, and tell what would be; false."
        )

    job = ObjectField(Job, description=f"The job, queued; ask for it again; {_SEEN}.")

    # Reading and storing a large file takes seconds, and the action has a transaction of its own.
    owns_transaction = True

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        file: Any,
        overwrite: bool | None = None,
        dry_run: bool | None = None,
    ) -> Any:
        by = info.context.user
        job = jobs.start_import(file, by=by, overwrite=bool(overwrite), dry_run=bool(dry_run))
        return cls(job=job)


class ExportProducts(Mutation):
    """Writes all products as a CSV that `importProducts` reads, in the background."""

    permission = "shop.add_job"

    class Input:
        delimiter = graphene.InputField(
            ProductFileDelimiter, description="Separator of the columns; COMMA by default."
        )

    job = ObjectField(Job, description=f"The job, queued; ask for it again; {_SEEN}.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, delimiter: Any = None) -> Any:
        given = delimiter or ProductFileDelimiter.COMMA
        return cls(job=jobs.start_export(by=info.context.user, delimiter=given.value))


class ExportOrders(Mutation):
    """Writes orders as a CSV, a row for each line, in the background.

    What belongs to an order as a whole stands in the first of its rows.
    """

    permission = "shop.add_job"
    further_permissions = ("shop.view_order",)

    class Input:
        created_min = graphene.DateTime(description="Only those placed at this time or later.")
        created_max = graphene.DateTime(description="Only those placed at this time or earlier.")
        statuses = graphene.List(
            graphene.NonNull(OrderStatus),
            description="Only those that are one of these; all when it is left out or empty.",
        )

    job = ObjectField(Job, description=f"The job, queued; ask for it again; {_SEEN}.")

    @classmethod
    def perform(
        cls,
        info: graphene.ResolveInfo,
        created_min: datetime | None = None,
        created_max: datetime | None = None,
        statuses: list[Any] | None = None,
    ) -> Any:
        job = jobs.start_order_export(
            by=info.context.user,
            created_min=created_min and in_utc(created_min),
            created_max=created_max and in_utc(created_max),
            statuses=[status.value for status in statuses or ()],
        )
        return cls(job=job)


class JobCancel(Mutation):
    """Stops a job: at once while it is queued, else after what it has at hand.

    What was done until then stays done.
    """

    permission = "shop.change_job"
    codes = ("NOT_FOUND", "ALREADY_FINISHED")

    class Input:
        id = graphene.ID(required=True, description="Global id of the job.")

    job = ObjectField(Job, description=f"The job as it is now; {_SEEN}.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str) -> Any:  # noqa: A002
        job = models.Job.objects.filter(pk=decode_id(info.schema, id, "Job")[1]).first()
        if job is None:
            raise NotFound("There is no such Job.", field=["id"])
        return cls(job=jobs.cancel(job))


class JobsMutation(graphene.ObjectType):
    """Imports and exports."""

    import_products = ImportProducts.Field()
    export_products = ExportProducts.Field()
    export_orders = ExportOrders.Field()
    job_cancel = JobCancel.Field()
