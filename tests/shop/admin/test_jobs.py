"""The screens for imports and exports."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from shop.actions import jobs
from shop.models import Job, User

pytestmark = pytest.mark.django_db
LIST = "/admin/shop/job/"


@pytest.fixture
def sign_in(client: Client) -> Callable[..., User]:
    """`sign_in("view_job")`: as a member of staff with just these permissions."""

    def enter(*names: str) -> User:
        user = User.objects.create_user("clerk@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client.force_login(user)
        return user

    return enter


def catalog(text: str = "Handle,Title\nmug,<b>Mug\n,\nvase,\n") -> SimpleUploadedFile:
    return SimpleUploadedFile("spring.csv", text.encode())


def page(client: Client, job: Job) -> Any:
    return client.get(reverse("admin:shop_job_change", args=[job.pk]))


def test_an_import_is_started_by_the_form(client: Client, sign_in: Any) -> None:
    user = sign_in("view_job", "add_job")
    assert "import/" in client.get(LIST).content.decode()
    assert client.get(f"{LIST}import/").status_code == 200
    response = client.post(f"{LIST}import/", {"file": catalog(), "overwrite": "on"})
    job = Job.objects.get()
    assert response["Location"] == reverse("admin:shop_job_change", args=[job.pk])
    assert (job.options["overwrite"], job.options["dry_run"]) == (True, False)
    assert (job.created_by, job.file_name) == (user, "spring.csv")


def test_what_is_no_catalog_is_told_beside_the_field(client: Client, sign_in: Any) -> None:
    sign_in("add_job")
    response = client.post(f"{LIST}import/", {"file": catalog("name,price\n")})
    assert response.status_code == 200
    assert response.context["form"].errors["file"][0].startswith("spring.csv: ")
    assert not Job.objects.exists()


def test_an_unfinished_job_refreshes_itself_and_an_ended_one_does_not(
    client: Client, sign_in: Any
) -> None:
    user = sign_in("view_job")
    job = jobs.start_import(catalog(), by=user)
    assert page(client, job)["Refresh"] == client.get(LIST)["Refresh"] == "3"
    jobs.run(job.pk)
    for response in (page(client, job), client.get(LIST)):
        assert response.status_code == 200
        assert "Refresh" not in response


def test_the_screen_shows_problems_and_links(client: Client, sign_in: Any) -> None:
    job = jobs.start_import(catalog(), by=sign_in("view_job"))
    jobs.run(job.pk)
    text = page(client, job).content.decode()
    assert "(column &quot;Title&quot;)" in text
    assert "The product&#x27;s first row has no title" in text or "no title" in text
    assert "1 created" in text
    assert f"problems-{job.pk}.csv" in text
    assert "cancel/" not in text


def test_a_job_is_cancelled_by_the_button(client: Client, sign_in: Any) -> None:
    job = jobs.start_export(by=sign_in("view_job", "change_job"))
    assert f"{job.pk}/cancel/" in page(client, job).content.decode()
    for text in ("It is cancelled.", "The job has ended already."):
        response = client.post(f"{LIST}{job.pk}/cancel/", follow=True)
        assert [str(message) for message in response.context["messages"]] == [text]
    assert Job.objects.get().status == "cancelled"


def test_an_export_is_started_by_the_button_only(client: Client, sign_in: Any) -> None:
    sign_in("view_job", "add_job")
    assert client.get(f"{LIST}export/").status_code == 405
    assert client.post(f"{LIST}export/").status_code == 302
    job = Job.objects.get()
    assert (job.kind, job.options["delimiter"]) == ("export_products", ",")


def test_an_export_has_the_delimiter_that_is_chosen(client: Client, sign_in: Any) -> None:
    sign_in("view_job", "add_job")
    assert "<option>semicolon</option>" in client.get(LIST).content.decode()
    assert client.post(f"{LIST}export/", {"delimiter": "semicolon"}).status_code == 302
    assert Job.objects.get().options["delimiter"] == ";"
    assert client.post(f"{LIST}export/", {"delimiter": "x"}).status_code == 400
    assert Job.objects.count() == 1


def test_an_export_of_orders_is_started_by_the_form(client: Client, sign_in: Any) -> None:
    user = sign_in("view_job", "add_job", "view_order")
    assert "export-orders/" in client.get(LIST).content.decode()
    assert client.get(f"{LIST}export-orders/").status_code == 200
    form = {"since": "2026-02-01", "until": "2026-02-28", "statuses": ["confirmed", "completed"]}
    response = client.post(f"{LIST}export-orders/", form)
    job = Job.objects.get()
    assert response["Location"] == reverse("admin:shop_job_change", args=[job.pk])
    assert (job.kind, job.created_by) == ("export_orders", user)
    assert job.options["statuses"] == ["completed", "confirmed"]
    # Whole days.
    assert job.options["created_min"] == "2026-02-01T00:00:00+00:00"
    assert job.options["created_max"] == "2026-02-28T23:59:59.999999+00:00"


def test_days_of_an_export_are_those_of_the_shop(
    client: Client, sign_in: Any, settings: Any
) -> None:
    settings.SHOP_TIME_ZONE = "America/New_York"
    sign_in("view_job", "add_job", "view_order")
    client.post(f"{LIST}export-orders/", {"since": "2026-02-01", "until": "9999-12-31"})
    options = Job.objects.get().options
    assert options["created_min"] == "2026-02-01T05:00:00+00:00"
    assert options["created_max"] == "9999-12-31T23:59:59.999999+00:00"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"since": "2026-02-02", "until": "2026-02-01"}, "until"),
        ({"since": "tomorrow"}, "since"),
        ({"statuses": ["lost"]}, "statuses"),
    ],
)
def test_what_makes_no_sense_is_told_beside_the_field(
    form: dict[str, Any], field: str, client: Client, sign_in: Any
) -> None:
    sign_in("add_job", "view_order")
    response = client.post(f"{LIST}export-orders/", form)
    assert response.context["form"].errors.keys() == {field}
    assert not Job.objects.exists()


@pytest.mark.parametrize("names", [("view_job", "add_job"), ("view_job", "view_order")])
def test_orders_are_exported_by_those_who_may_see_them_and_start_jobs(
    names: tuple[str, ...], client: Client, sign_in: Any
) -> None:
    sign_in(*names)
    assert "export-orders/" not in client.get(LIST).content.decode()
    for send in (client.get, client.post):
        assert send(f"{LIST}export-orders/").status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize("sees_orders", [True, False])
def test_the_file_of_orders_is_linked_for_those_who_may_see_orders(
    sees_orders: bool, client: Client, sign_in: Any
) -> None:
    user = sign_in("view_job", *["view_order"] * sees_orders)
    job = jobs.start_order_export(by=user)
    jobs.run(job.pk)
    text = page(client, job).content.decode()
    assert ("/downloads/" in text) == sees_orders
    assert ("Only for those who may view orders" in text) != sees_orders
    assert "0 orders" in text


def test_who_may_only_look_starts_and_stops_nothing(client: Client, sign_in: Any) -> None:
    job = jobs.start_export(by=sign_in("view_job"))
    text = client.get(LIST).content.decode() + page(client, job).content.decode()
    assert "import/" not in text
    assert "cancel/" not in text
    for address in ("import/", "export/", "export-orders/", f"{job.pk}/cancel/"):
        assert client.post(LIST + address, {"file": catalog()}).status_code == 403
    assert Job.objects.get().status == "queued"


def test_shoppers_see_no_screen(client: Client, customer: User) -> None:
    client.force_login(customer)
    for address in ("", "import/"):
        assert client.get(LIST + address).status_code == 302


def test_the_list_takes_constant_sql(client: Client, sign_in: Any) -> None:
    user = sign_in("view_job", "add_job")
    counts = []
    for _ in range(3):
        jobs.start_export(by=user)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        counts.append(len(captured))
    assert counts[1] == counts[2]
