"""Jobs in the API: started by upload, asked for, cancelled, downloaded; seen by whom they may."""

import gzip
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from graphql import parse, validate
from graphql_relay import to_global_id

from schema.root import schema
from shop.actions import jobs
from shop.actions.importing import runner
from shop.actions.jobs import files, holding, work
from shop.models import Job, Product, User
from tests.shop import sold

JOB = """id kind status error cancelRequested createdByEmail startedAt finishedAt problemCount
progress { done total percent } problems { row column handle severity code message }
result {
  created updated unchanged skipped products orders rows fileName url problemsUrl expiresAt }"""
IMPORT = f"""mutation($input: ImportProductsInput!) {{ importProducts(input: $input) {{
  job {{ {JOB} }} userErrors {{ code message field }} }} }}"""
EXPORT = f"""mutation($input: ExportProductsInput = {{}}) {{ exportProducts(input: $input) {{
  job {{ {JOB} }} userErrors {{ code }} }} }}"""
ASK = f"query($id: ID!) {{ job(id: $id) {{ {JOB} }} }}"
CANCEL = """mutation($id: ID!) { jobCancel(input: {id: $id}) {
  job { status cancelRequested } userErrors { code field } } }"""
CSV = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    "mug,Mug,Size,S,MUG-1,10\nvase,Vase,Size,S,VASE-1,\nplate,,Size,S,PLATE-1,3\n"
)


def catalog(content: str | bytes = CSV, name: str = "spring.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


@pytest.fixture
def member(db: None) -> Callable[..., User]:
    """`member("view_job")`: a member of staff with just these permissions."""

    def make(*names: str) -> User:
        user = User.objects.create_user(f"{'-'.join(names) or 'none'}@example.org", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        return user

    return make


def code(answer: dict[str, Any]) -> str:
    (error,) = answer["errors"]
    return error["extensions"]["code"]


def body(response: Any) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


# --- The whole way -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pack", [lambda text: text, lambda text: gzip.compress(text.encode())])
def test_an_upload_becomes_a_job_and_the_job_products(
    pack: Any, upload: Any, api: Any, staff: User, client: Client
) -> None:
    payload = upload(IMPORT, staff, catalog(pack(CSV)))["data"]["importProducts"]
    assert payload["userErrors"] == []
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    assert (job["kind"], job["status"], job["error"]) == ("IMPORT_PRODUCTS", "SUCCEEDED", "")
    assert job["progress"] == {"done": 4, "total": 4, "percent": 100}
    assert job["createdByEmail"] == staff.email
    result = job["result"]
    counts = {"created": 2, "updated": 0, "unchanged": 0, "skipped": 1, "products": 3}
    assert {name: result[name] for name in counts} == counts
    assert (result["rows"], result["url"], result["fileName"]) == (None, None, "spring.csv")
    by_code = {problem["code"]: problem for problem in job["problems"]}
    assert by_code["TITLE_MISSING"]["severity"] == "ERROR"
    assert (by_code["NOT_PRICED"]["row"], by_code["NOT_PRICED"]["handle"]) == (3, "vase")
    assert job["problemCount"] == len(job["problems"])
    assert set(Product.objects.values_list("slug", flat=True)) == {"mug", "vase"}
    text = body(client.get(result["problemsUrl"]))
    assert len(text.splitlines()) == job["problemCount"] + 1


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_tells_and_writes_nothing(upload: Any, api: Any, staff: User) -> None:
    payload = upload(IMPORT, staff, catalog(), dryRun=True)["data"]["importProducts"]
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    assert (job["status"], job["result"]["created"]) == ("SUCCEEDED", 2)
    assert not Product.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_export_is_downloaded(world: Any, api: Any, staff: User, client: Client) -> None:
    payload = api(EXPORT, staff)["data"]["exportProducts"]
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    result = job["result"]
    assert (job["status"], result["products"], result["created"]) == ("SUCCEEDED", 4, None)
    assert result["url"].startswith("http://testserver/downloads/")
    response = client.get(result["url"])
    assert response["Content-Disposition"] == f'attachment; filename="{result["fileName"]}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]
    text = body(response)
    assert text.startswith("Handle,Title")
    assert len(text.splitlines()) == result["rows"] + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("delimiter", "sign"), [("COMMA", ","), ("SEMICOLON", ";"), ("TAB", "\t"), ("PIPE", "|")]
)
def test_an_export_has_the_delimiter_that_is_asked_for(
    world: Any, api: Any, staff: User, client: Client, delimiter: str, sign: str
) -> None:
    payload = api(EXPORT, staff, input={"delimiter": delimiter})["data"]["exportProducts"]
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    text = body(client.get(job["result"]["url"]))
    assert text.startswith(f"Handle{sign}Title{sign}")
    upload = catalog(text)
    found = jobs.start_import(upload, by=staff)
    jobs.run(found.pk)
    found.refresh_from_db()
    assert (found.result["unchanged"], found.problems) == (4, [])


@pytest.mark.django_db(transaction=True)
def test_problems_name_their_column(api: Any, staff: User) -> None:
    job = jobs.start_import(catalog("Handle;Title;Preis;Price\nmug;Mug;;1,234\n"), by=staff)
    jobs.run(job.pk)
    # As jobs of earlier versions have them.
    old = {"row": 3, "handle": "", "severity": "notice", "code": "TEXT_CUT", "message": "Cut."}
    job.refresh_from_db()
    job.problems.append(old)
    job.save()
    found = api(ASK, staff, id=to_global_id("Job", job.pk))["data"]["job"]["problems"]
    assert [(problem["row"], problem["column"], problem["code"]) for problem in found] == [
        (2, "Price", "PRICE_INVALID"),
        (3, None, "TEXT_CUT"),
    ]
    assert found[0]["message"].endswith('decimal point (column "Price").')


EXPORT_ORDERS = f"""mutation($input: ExportOrdersInput!) {{ exportOrders(input: $input) {{
  job {{ {JOB} }} userErrors {{ code message field }} }} }}"""


@pytest.mark.django_db(transaction=True)
def test_orders_are_exported_and_downloaded(api: Any, staff: User, client: Client) -> None:
    order = sold.make_order()
    sold.make_order(status="expired")
    chosen = {"statuses": ["CONFIRMED", "COMPLETED"], "createdMin": "2020-01-01T00:00:00+00:00"}
    payload = api(EXPORT_ORDERS, staff, input=chosen)["data"]["exportOrders"]
    assert payload["userErrors"] == []
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    assert (job["kind"], job["status"]) == ("EXPORT_ORDERS", "SUCCEEDED")
    assert job["progress"] == {"done": 1, "total": 1, "percent": 100}
    result = job["result"]
    assert (result["orders"], result["rows"], result["products"]) == (1, 2, None)
    header, first, second = body(client.get(result["url"])).splitlines()
    assert header.startswith("Order,Placed,")
    assert first.startswith(order.number)
    assert second.startswith(order.number)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00+00:00"),
        ("2026-02-01T01:00:00+01:00", "2026-02-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_times_are_stored_in_utc(given: str, stored: str, api: Any, staff: User) -> None:
    payload = api(EXPORT_ORDERS, staff, input={"createdMax": given})["data"]["exportOrders"]
    assert payload["userErrors"] == []
    assert Job.objects.get().options["created_max"] == stored


def test_a_time_that_ends_before_it_begins_is_a_user_error(
    api: Any, staff: User, dump: Any
) -> None:
    before = dump()
    wrong = {"createdMin": "2026-02-02T00:00:00Z", "createdMax": "2026-02-01T00:00:00Z"}
    payload = api(EXPORT_ORDERS, staff, input=wrong)["data"]["exportOrders"]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"], payload["job"]) == ("INVALID", ["createdMax"], None)
    assert code(api(EXPORT_ORDERS, staff, input={"statuses": ["LOST"]})) == "BAD_REQUEST"
    assert dump() == before


@pytest.mark.parametrize("names", [["add_job"], ["view_order"]])
def test_an_export_of_orders_takes_both_permissions(
    names: list[str], api: Any, member: Any, customer: User
) -> None:
    assert code(api(EXPORT_ORDERS, member(*names), input={})) == "FORBIDDEN"
    assert code(api(EXPORT_ORDERS, customer, input={})) == "FORBIDDEN"
    assert code(api(EXPORT_ORDERS, input={})) == "UNAUTHENTICATED"
    assert not Job.objects.exists()
    allowed = member("add_job", "view_order")
    assert api(EXPORT_ORDERS, allowed, input={})["data"]["exportOrders"]["userErrors"] == []
    assert Job.objects.get().created_by == allowed


@pytest.mark.parametrize("first", [True, False])
def test_links_to_orders_are_for_those_who_may_see_orders(
    first: bool, api: Any, member: Any, gid: Any, client: Client
) -> None:
    """Both ask twice and in both orders, so that no plan of one serves the other."""
    job = jobs.start_order_export(by=None)
    jobs.run(job.pk)
    people = [member("view_job"), member("view_job", "view_order")]
    for user in (people if first else people[::-1]) * 2:
        result = api(ASK, user, id=gid(job))["data"]["job"]["result"]
        assert (result["url"] is not None) == (user is people[1])


@pytest.mark.parametrize(
    ("content", "expected"),
    [("name,price\n", ("INVALID", ["file"])), ("", ("INVALID", ["file"]))],
)
def test_what_is_no_catalog_is_a_user_error(
    content: str, expected: Any, upload: Any, staff: User, dump: Any
) -> None:
    before = dump()
    payload = upload(IMPORT, staff, catalog(content))["data"]["importProducts"]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"], payload["job"]) == (*expected, None)
    assert "spring.csv" in error["message"]
    assert dump() == before


def test_a_catalog_that_is_too_large_is_a_user_error(
    upload: Any, staff: User, settings: Any, dump: Any
) -> None:
    settings.IMPORT_MAX_BYTES = 100
    before = dump()
    payload = upload(IMPORT, staff, catalog())["data"]["importProducts"]
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("FILE_TOO_LARGE", ["file"])
    assert dump() == before


def test_only_staff_send_more_than_pictures(
    upload: Any, staff: User, customer: User, settings: Any
) -> None:
    settings.UPLOAD_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000, 5000
    large = CSV + "\n" * 100_000
    answer = upload(IMPORT, customer, catalog(large))
    assert answer["errors"][0]["message"] == "The request is too large."
    assert upload(IMPORT, staff, catalog(large))["data"]["importProducts"]["userErrors"] == []


# --- Cancelling ----------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_and_an_ended_one_is_not(api: Any, staff: User, gid: Any) -> None:
    job = jobs.start_export(by=staff)
    payload = api(CANCEL, staff, id=gid(job))["data"]["jobCancel"]
    assert payload["job"] == {"status": "CANCELLED", "cancelRequested": True}
    payload = api(CANCEL, staff, id=gid(job))["data"]["jobCancel"]
    assert payload == {
        "job": None,
        "userErrors": [{"code": "ALREADY_FINISHED", "field": ["id"]}],
    }


@pytest.mark.django_db(transaction=True)
def test_a_running_job_stops_and_keeps_what_was_done(
    upload: Any, api: Any, staff: User, gid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH", 1)
    advance, answers = work.ImportWork._advance, []

    def stop(self: Any, step: Any) -> None:
        answers.append(api(CANCEL, staff, id=gid(self.hold.job))["data"]["jobCancel"])
        advance(self, step)

    monkeypatch.setattr(work.ImportWork, "_advance", stop)
    payload = upload(IMPORT, staff, catalog())["data"]["importProducts"]
    assert [answer["job"] for answer in answers] == [{"status": "RUNNING", "cancelRequested": True}]
    job = api(ASK, staff, id=payload["job"]["id"])["data"]["job"]
    assert (job["status"], job["error"]) == ("CANCELLED", holding.STOPPED)
    assert (job["result"]["created"], Product.objects.count()) == (1, 1)
    assert 0 < job["progress"]["percent"] < 100


def test_a_job_that_is_not_there_cannot_be_cancelled(api: Any, staff: User, unknown: Any) -> None:
    payload = api(CANCEL, staff, id=unknown("Job"))["data"]["jobCancel"]
    assert payload["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    assert code(api(CANCEL, staff, id=unknown("Brand"))) == "BAD_REQUEST"


# --- Who may ------------------------------------------------------------------------------------


LIST = "{ jobs { totalCount edges { node { status result { url } } } } }"
NODE = "query($id: ID!) { node(id: $id) { ... on Job { status problems { message } } } }"
NODES = "query($id: ID!) { nodes(ids: [$id]) { ... on Job { status } } }"


@pytest.mark.parametrize("first", ["seer", "others"])
def test_jobs_are_for_those_who_may_see_them(
    first: str, api: Any, member: Any, customer: User, gid: Any
) -> None:
    """Each asks twice and in both orders, so that no plan of one serves another."""
    job = jobs.start_export(by=customer)
    seer = member("view_job")
    others = [None, customer, member("add_job", "change_job")]
    people = [seer, *others] if first == "seer" else [*others, seer]
    for user in people * 2:
        listed, asked = api(LIST, user), api(ASK, user, id=gid(job))
        node = api(NODE, user, id=gid(job))["data"]["node"]
        nodes = api(NODES, user, id=gid(job))["data"]["nodes"]
        if user is seer:
            assert listed["data"]["jobs"]["totalCount"] == 1
            assert asked["data"]["job"]["status"] == "QUEUED"
            # Whom they may not see.
            assert asked["data"]["job"]["createdByEmail"] is None
            assert (node["status"], nodes) == ("QUEUED", [{"status": "QUEUED"}])
            continue
        assert code(listed) == ("FORBIDDEN" if user else "UNAUTHENTICATED")
        assert listed["data"] == {"jobs": None}
        # Customers may ask, for they have exports of their accounts; this is none.
        assert [e["extensions"]["code"] for e in asked.get("errors", [])] == (
            [] if user else ["UNAUTHENTICATED"]
        )
        assert asked["data"] == {"job": None}
        assert (node, nodes) == (None, [None])


def test_who_may_start_but_not_see_gets_no_job_back(upload: Any, member: Any) -> None:
    payload = upload(IMPORT, member("add_job"), catalog())["data"]["importProducts"]
    assert payload == {"job": None, "userErrors": []}
    assert Job.objects.count() == 1


def test_jobs_are_filtered_and_sorted(api: Any, staff: User, gid: Any) -> None:
    first, second = jobs.start_export(by=staff), jobs.start_export(by=staff)
    third = jobs.start_import(catalog(), by=staff)
    jobs.cancel(second)

    def ids(arguments: str) -> list[str]:
        answer = api(f"{{ jobs{arguments} {{ edges {{ node {{ id }} }} }} }}", staff)
        return [edge["node"]["id"] for edge in answer["data"]["jobs"]["edges"]]

    assert ids("") == [gid(third), gid(second), gid(first)]
    assert ids("(orderBy: {field: CREATED, direction: ASC})")[0] == gid(first)
    assert ids("(filter: {kind: {in: [IMPORT_PRODUCTS]}})") == [gid(third)]
    assert ids("(filter: {status: {in: [CANCELLED]}, kind: {in: [EXPORT_PRODUCTS]}})") == [
        gid(second)
    ]


def test_problems_are_limited_and_cost_what_is_asked_for(
    api: Any, client: Client, staff: User, gid: Any
) -> None:
    problem = {"row": 1, "handle": "", "severity": "error", "code": "X", "message": "No."}
    job = jobs.start_export(by=staff)
    Job.objects.update(problems=[problem] * 150, problem_count=150)
    document = "query($id: ID!, $n: Int) { job(id: $id) { problems(first: $n) { row } } }"
    assert len(api(document, staff, id=gid(job), n=100)["data"]["job"]["problems"]) == 100
    default = document.replace("(first: $n)", "").replace(", $n: Int", "")
    assert len(api(default, staff, id=gid(job))["data"]["job"]["problems"]) == 20
    for wrong in (101, -1):
        assert code(api(document, staff, id=gid(job), n=wrong)) == "BAD_REQUEST"
    many = "{ jobs(first: 100) { edges { node { problems(first: 600) { row } } } } }"
    assert code(api(many, staff)) == "TOO_COMPLEX"


def test_asking_how_far_a_job_is_takes_two_statements(api: Any, staff: User, gid: Any) -> None:
    job = jobs.start_export(by=staff)
    document = "query($id: ID!) { job(id: $id) { status progress { percent } error } }"
    with CaptureQueriesContext(connection) as captured:
        api(document, staff, id=gid(job))
    # Who asks, and the job.
    assert len(captured) == 2


# --- Links ---------------------------------------------------------------------------------------


@pytest.fixture
def link(db: None, staff: User, api: Any, gid: Any) -> str:
    """The path of an export's file."""
    job = jobs.start_export(by=staff)
    jobs.run(job.pk)
    url = api(ASK, staff, id=gid(job))["data"]["job"]["result"]["url"]
    return url.removeprefix("http://testserver")


def test_a_link_works_for_an_hour(
    link: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3590)
    assert body(client.get(link))
    head = client.head(link)
    head.close()
    assert head.status_code == 200
    assert client.post(link).status_code == 405
    monkeypatch.setattr(time, "time", lambda: now + 3610)
    assert client.get(link).status_code == 404


def test_a_forged_link_or_one_to_nothing_answers_as_an_expired_one(
    link: str, client: Client, staff: User
) -> None:
    token = re.fullmatch("/downloads/([^/]+)/[^/]+", link)[1]
    waiting = jobs.start_export(by=staff)
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        signing.dumps([Job.objects.first().pk, "result"], salt="shop.other"),
        signing.dumps([Job.objects.first().pk, "result"]),
        jobs.token_for(waiting, "result"),
        jobs.token_for(waiting, "problems"),
        "garbage",
    ]
    answers = [client.get(f"/downloads/{token}/products.csv") for token in forged]
    files.remove(Job.objects.order_by("pk").first().options["folder"])
    answers.append(client.get(link))
    Job.objects.all().delete()
    answers.append(client.get(link))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_files_of_jobs_are_not_served_with_the_pictures(link: str, client: Client) -> None:
    name = Job.objects.get().file
    for path in (name, f"products/../{name}", f"../private/{name}"):
        assert client.get(f"/media/{path}").status_code == 404


def test_the_documents_of_the_manual_are_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text()
    documents = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    assert len(documents) == 5
    for document in documents:
        assert validate(schema.graphql_schema, parse(document)) == [], document
