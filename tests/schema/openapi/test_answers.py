"""Real answers are what the document says: those of every operation, and those of every status."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from graphql_jwt.shortcuts import get_token

from schema.openapi.examples import samples
from schema.openapi.recording import Recorder
from schema.trusted import operations
from shop.models import User
from tests.schema.openapi.validating import problems_of_answer, served


@pytest.mark.django_db
def test_every_operation_answers_as_the_document_says(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """The requests of samples.json, to a shop with the sample catalog."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.COST_BUCKETS = dict.fromkeys(settings.COST_BUCKETS, (1_000_000, 1_000))
    call_command("seed", catalog_only=True, stdout=io.StringIO())
    recorder = Recorder(operations())
    wrong = {}
    for sample in samples():
        with django_capture_on_commit_callbacks(execute=True):
            response = recorder.run(sample)
        path = f"/api/{operations()[sample['operation']].slug}"
        found = problems_of_answer(response, response.request["REQUEST_METHOD"], path)
        told = served()["components"]["headers"].keys() & response.headers.keys()
        if not told >= {"RateLimit", "RateLimit-Policy"}:
            found.append(f"of the headers there are {told}")
        # The one that must be too late: a job ends before anybody can cancel it.
        if response.status_code != (409 if sample["operation"] == "JobCancel" else 200):
            found.append(f"{response.status_code}: {response.content[:300]!r}")
        if found:
            wrong[sample["operation"]] = found
    assert wrong == {}
    assert {f"/api/{operations()[name].slug}" for name in recorder.examples} == set(
        served()["paths"]
    )


# --- Statuses ----------------------------------------------------------------------------------


@pytest.fixture
def send(client: Client, db: None) -> Callable[..., Any]:
    """`send("GET", "shop-info", user, first=1)`: the response, which the document describes."""
    client.raise_request_exception = False

    def request(
        method: str, slug: str, user: User | None = None, /, body: Any = None, **values: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {get_token(user)}"} if user else {}
        if method == "GET":
            response = client.get(f"/api/{slug}", values, headers=headers)
        else:
            content = json.dumps(values) if body is None else body
            response = client.post(f"/api/{slug}", content, "application/json", headers=headers)
        assert problems_of_answer(response, method, f"/api/{slug}") == []
        return response

    return request


def error_code(response: Any) -> str:
    return response.json()["errors"][0]["extensions"]["code"]


def user_error_codes(response: Any) -> list[str]:
    (payload,) = response.json()["data"].values()
    return [error["code"] for error in payload["userErrors"]]


def test_what_is_malformed_is_400(send: Any) -> None:
    for response in (
        send("GET", "product-list", colour="red"),
        send("GET", "product-list", first="many"),
        send("GET", "product-list", after="no cursor"),
        send("POST", "cart-create", body="{"),
        send("POST", "cart-lines-add", lines=1),
    ):
        assert (response.status_code, error_code(response)) == (400, "BAD_REQUEST")


def test_who_is_not_signed_in_is_told_so_by_401(send: Any, client: Client) -> None:
    response = send("GET", "order-list")
    assert (response.status_code, error_code(response)) == (401, "UNAUTHENTICATED")
    bad = client.get("/api/shop-info", headers={"Authorization": "Bearer x.y.z"})
    assert problems_of_answer(bad, "GET", "/api/shop-info") == []
    assert bad.status_code == 401


def test_who_lacks_a_permission_is_told_so_by_403(send: Any, customer: User) -> None:
    for response in (
        send("GET", "order-list", customer),
        send("POST", "category-create", customer, name="Mugs"),
    ):
        assert (response.status_code, error_code(response)) == (403, "FORBIDDEN")


def test_what_is_not_there_is_404_with_data(send: Any) -> None:
    response = send("GET", "product-detail", slug="nothing")
    assert (response.status_code, response.json()) == (404, {"data": {"product": None}})


def test_what_has_not_changed_is_304(send: Any, client: Client) -> None:
    first = send("GET", "shop-info")
    again = client.get("/api/shop-info", headers={"If-None-Match": first.headers["ETag"]})
    assert problems_of_answer(again, "GET", "/api/shop-info") == []
    assert again.status_code == 304


def test_conflicts_are_409_and_other_user_errors_422(send: Any, staff: User) -> None:
    send("POST", "voucher-create", staff, code="FIVE", kind="FIXED", amount="5")
    again = send("POST", "voucher-create", staff, code="FIVE", kind="FIXED", amount="5")
    assert (again.status_code, user_error_codes(again)) == (409, ["DUPLICATE_CODE"])
    empty = send("POST", "category-create", staff, name="")
    assert (empty.status_code, user_error_codes(empty)) == (422, ["REQUIRED"])


def test_bodies_that_are_too_large_or_no_json_are_413_and_415(
    send: Any, client: Client, settings: Any
) -> None:
    text = client.post("/api/cart-create", "email=a", content_type="text/plain")
    assert problems_of_answer(text, "POST", "/api/cart-create") == []
    assert text.status_code == 415
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert send("POST", "cart-create", email="ann@example.org").status_code == 413


def test_who_asks_for_too_much_waits_after_429(send: Any, settings: Any) -> None:
    settings.COST_BUCKETS = dict.fromkeys(settings.COST_BUCKETS, (10, 1))
    # It takes all that there is, if anything is left by other tests of this address.
    send("GET", "product-list")
    response = send("GET", "product-list")
    assert (response.status_code, error_code(response)) == (429, "RATE_LIMITED")
    assert int(response.headers["Retry-After"]) > 0


def test_what_is_to_be_sent_again_is_503(send: Any, customer: User) -> None:
    customer.set_password("ladles of clay 7")
    customer.save()
    signed_in = send("POST", "token-auth", email=customer.email, password="ladles of clay 7")
    token = signed_in.json()["data"]["tokenAuth"]["refreshToken"]
    assert send("POST", "refresh-token", refreshToken=token).status_code == 200
    again = send("POST", "refresh-token", refreshToken=token)
    assert (again.status_code, error_code(again)) == (503, "RETRY")


def test_faults_of_the_server_are_500_and_tell_nothing(
    send: Any, monkeypatch: pytest.MonkeyPatch, staff: User
) -> None:
    def fail(**values: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("shop.actions.catalog.categories.create", fail)
    response = send("POST", "category-create", staff, name="Mugs")
    assert (response.status_code, error_code(response)) == (500, "INTERNAL")
    assert b"secret" not in response.content
