"""The audit through the API: every mutation of the staff leaves an entry, and who may read them."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from graphql_relay import to_global_id

from schema.engine import execution
from schema.engine.errors import Forbidden
from schema.engine.execution import Executor
from schema.root import schema
from shop.actions import audit
from shop.actions.catalog import taxonomy
from shop.errors import ErrorCode, ShopError
from shop.models import AuditEntry, AuditSource, Brand, Job, User
from tests.schema.samples import FIELDS, GUARDED, SAMPLES, permission_of

# What staff do with a Django permission, not with what is their own.
OF_STAFF = [name for name in GUARDED if "." in (permission_of(name) or "")]
# What is recorded where the mutation's name does not begin with it.
OBJECTS = {
    "exportOrders": "Job",
    "exportProducts": "Job",
    "importProducts": "Job",
    "webhookEndpointTest": "WebhookDelivery",
    "orderCapture": "Payment",
    "orderNoteCreate": "OrderEvent",
    "orderRefund": "Refund",
}
LIST = """query($filter: AuditEntryFilter) { auditEntries(filter: $filter) { totalCount
  edges { node { id actor { id email } action outcome source objectType objectId address
  difference { field before after } } } } }"""


def clerk_with(*codenames: str, email: str = "clerk@example.org") -> User:
    user = User.objects.create_user(email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def entries(answer: Any) -> list[dict[str, Any]]:
    assert "errors" not in answer, answer
    return [edge["node"] for edge in answer["data"]["auditEntries"]["edges"]]


@pytest.fixture
def written(staff: User) -> list[AuditEntry]:
    """Two changes by different people."""
    other = User.objects.create_superuser("other@example.org")
    with audit.acting(staff, AuditSource.API, "192.0.2.1"):
        brand = taxonomy.create_brand(name="Ladlemoor")
    with audit.acting(other, AuditSource.ADMIN, None):
        taxonomy.update_brand(brand, name="Ladle & Moor", description="Tin")
    return list(AuditEntry.objects.order_by("pk"))


@pytest.mark.parametrize("mutation", OF_STAFF)
def test_every_mutation_of_the_staff_leaves_an_entry(
    mutation: str, call: Any, shop: Any, staff: User
) -> None:
    assert call(mutation, staff) == {"data": {mutation: {"userErrors": []}}}
    left = list(AuditEntry.objects.all())
    assert left
    for entry in left:
        assert (entry.actor, entry.outcome, entry.source) == (staff, "done", "api")
        assert entry.address == "127.0.0.1"
        assert entry.difference
    kinds = {entry.object_type for entry in left}
    if mutation in OBJECTS:
        assert kinds == {OBJECTS[mutation]}
        return
    fitting = [kind for kind in kinds if mutation.lower().startswith(kind.lower())]
    assert fitting, f"{mutation} recorded {kinds}"
    subject = SAMPLES[mutation](shop).get("id")
    if subject is not None:
        assert subject in {to_global_id(entry.object_type, entry.object_id) for entry in left}


@pytest.mark.parametrize("mutation", OF_STAFF)
def test_a_refusal_leaves_a_refused_entry_and_nothing_else(
    mutation: str, call: Any, shop: Any, dump: Any
) -> None:
    clerk = clerk_with()
    before = dump()
    assert call(mutation, clerk)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    after = dump()
    (entry,) = after.pop("shop.AuditEntry")
    assert before.pop("shop.AuditEntry") == []
    assert before == after
    assert (entry["actor_id"], entry["action"]) == (clerk.pk, mutation)
    assert (entry["outcome"], entry["source"]) == ("refused", "api")
    assert (entry["object_type"], entry["object_id"]) == ("", None)
    assert (entry["difference"], entry["address"]) == ({}, "127.0.0.1")


def test_a_refusal_within_a_mutation_undoes_it_and_is_recorded(
    call: Any, shop: Any, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = taxonomy.create_brand
    declared = (ErrorCode.BEYOND_YOUR_PERMISSIONS,)
    monkeypatch.setattr(FIELDS["brandCreate"].resolve.__self__, "all_codes", declared)

    def refused(**fields: Any) -> None:
        create(**fields)
        raise Forbidden("Not this one.")

    def beyond(**fields: Any) -> None:
        create(**fields)
        error = ShopError("You do not have that permission yourself.")
        error.code = ErrorCode.BEYOND_YOUR_PERMISSIONS
        raise error

    for action in (refused, beyond):
        monkeypatch.setattr(taxonomy, "create_brand", action)
        assert call("brandCreate", staff) != {"data": {"brandCreate": {"userErrors": []}}}
    assert Brand.objects.count() == 1
    assert (
        list(AuditEntry.objects.values_list("action", "outcome"))
        == [("brandCreate", "refused")] * 2
    )


def test_what_a_job_does_is_nobodys_act(transactional_db: None, call: Any, staff: User) -> None:
    assert call("importProducts", staff) == {"data": {"importProducts": {"userErrors": []}}}
    # Here it ran as soon as it was committed, within the request.
    assert Job.objects.latest("pk").status == "succeeded"
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["job.create"]


def test_customers_and_strangers_leave_none(call: Any, shop: Any, customer: User, api: Any) -> None:
    for user in (None, customer):
        assert "errors" in call("brandUpdate", user)
    document = "mutation($i: TokenAuthInput!) { tokenAuth(input: $i) { token } }"
    given = {"email": customer.email, "password": "a customer password"}
    assert api(document, None, i=given)["data"]["tokenAuth"]["token"]
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("mutation", "values"),
    [
        ("brandCreate", {"name": " "}),
        ("brandCreate", {"name": "Two", "slug": "ladlemoor"}),
        ("productCreate", {"name": "Mug", "variants": [{"price": "-1"}]}),
        ("productCreate", {"name": "Mug", "status": "PUBLISHED"}),
        ("attributeCreate", {"name": "Colour", "values": ["Red", " "]}),
    ],
)
def test_a_write_that_fails_leaves_none(mutation: str, values: Any, refuse: Any) -> None:
    taxonomy.create_brand(name="Ladlemoor")
    # `refuse` compares all tables.
    refuse(mutation, **values)
    assert not AuditEntry.objects.exists()


def test_an_entry_tells_who_did_what_to_which_object(
    written: list[AuditEntry], staff: User, api: Any, gid: Any
) -> None:
    second, first = entries(api(LIST, staff))
    brand = gid(Brand.objects.get())
    assert first == {
        "id": gid(written[0]),
        "actor": {"id": gid(staff), "email": "staff@example.org"},
        "action": "brand.create",
        "outcome": "DONE",
        "source": "API",
        "objectType": "Brand",
        "objectId": brand,
        "address": "192.0.2.1",
        "difference": [
            {"field": "name", "before": None, "after": '"Ladlemoor"'},
            {"field": "slug", "before": None, "after": '"ladlemoor"'},
        ],
    }
    assert (second["actor"]["email"], second["action"]) == ("other@example.org", "brand.update")
    assert (second["source"], second["address"], second["objectId"]) == ("ADMIN", None, brand)
    changes = {item["field"]: (item["before"], item["after"]) for item in second["difference"]}
    assert changes == {"name": ('"Ladlemoor"', '"Ladle & Moor"'), "description": ('""', '"Tin"')}


def test_an_object_that_is_gone_keeps_its_id(staff: User, mutate: Any, api: Any, gid: Any) -> None:
    brand = taxonomy.create_brand(name="Ladlemoor")
    mutate("brandDelete", id=gid(brand))
    (entry,) = entries(api(LIST, staff, filter={"objectId": gid(brand)}))
    assert (entry["action"], entry["objectId"]) == ("brand.delete", gid(brand))
    assert {"field": "name", "before": '"Ladlemoor"', "after": None} in entry["difference"]


def test_filters_narrow_the_list(
    written: list[AuditEntry], staff: User, api: Any, gid: Any, unknown: Any
) -> None:
    audit.refuse(clerk_with(), "brandDelete", None)
    brand = gid(Brand.objects.get())
    old = "2100-01-01T00:00:00Z"
    for given, expected in [
        ({"actor": {"in": [gid(staff)]}}, ["brand.create"]),
        ({"actor": {"in": [gid(staff), gid(written[1].actor)]}}, ["brand.update", "brand.create"]),
        ({"actor": {"in": []}}, []),
        ({"action": {"in": ["brand.update"]}}, ["brand.update"]),
        ({"objectId": brand}, ["brand.update", "brand.create"]),
        ({"objectId": unknown("Brand")}, []),
        ({"objectId": to_global_id("Product", written[0].object_id)}, []),
        ({"outcome": {"in": ["REFUSED"]}}, ["brandDelete"]),
        ({"source": {"in": ["ADMIN"]}}, ["brand.update"]),
        ({"created": {"min": old}}, []),
        (
            {"created": {"max": old}, "objectId": brand, "source": {"in": ["API"]}},
            ["brand.create"],
        ),
    ]:
        answer = api(LIST, staff, filter=given)
        assert [entry["action"] for entry in entries(answer)] == expected, given
        assert answer["data"]["auditEntries"]["totalCount"] == len(expected)


@pytest.mark.parametrize(
    "given",
    [
        {"objectId": "garbage"},
        {"objectId": to_global_id("Nothing", 1)},
        {"objectId": to_global_id("Brand", "x")},
        {"actor": {"in": ["garbage"]}},
        {"actor": {"in": [to_global_id("Brand", 1)]}},
    ],
)
def test_a_filter_by_what_is_no_id_is_a_bad_request(given: Any, staff: User, api: Any) -> None:
    (error,) = api(LIST, staff, filter=given)["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_only_those_who_may_see_the_audit_do(
    written: list[AuditEntry], customer: User, api: Any, gid: Any
) -> None:
    node = "query($id: ID!) { node(id: $id) { id } }"
    every = Permission.objects.values_list("codename", flat=True)
    clerk = clerk_with(*set(every) - {"view_auditentry"})
    for user, code in [(None, "UNAUTHENTICATED"), (customer, "FORBIDDEN"), (clerk, "FORBIDDEN")]:
        (error,) = api(LIST, user)["errors"]
        assert error["extensions"]["code"] == code
        assert api(node, user, id=gid(written[0])) == {"data": {"node": None}}
    auditor = clerk_with("view_auditentry", email="auditor@example.org")
    assert len(entries(api(LIST, auditor))) == 2
    assert api(node, auditor, id=gid(written[0]))["data"]["node"] == {"id": gid(written[0])}


def test_people_and_differences_show_for_those_who_may_view_them(
    written: list[AuditEntry], api: Any
) -> None:
    shy = clerk_with("view_auditentry")
    with audit.acting(shy, AuditSource.API, None):
        taxonomy.update_brand(Brand.objects.get(), name="Third")
    audit.refuse(shy, "brandDelete", None)
    full = clerk_with("view_auditentry", "view_user", "view_brand", email="full@example.org")
    everyone = [shy.email, shy.email, "other@example.org", "staff@example.org"]
    # One after the other, over the same plan.
    for viewer, emails, differences in [
        (full, everyone, [0, 1, 2, 2]),
        # Themselves they see always, and there is nothing to hide in a refusal.
        (shy, [shy.email, shy.email, None, None], [0, None, None, None]),
        (full, everyone, [0, 1, 2, 2]),
    ]:
        found = entries(api(LIST, viewer))
        assert [entry["actor"] and entry["actor"]["email"] for entry in found] == emails
        shown = [entry["difference"] for entry in found]
        assert [item if item is None else len(item) for item in shown] == differences


def test_both_paths_answer_alike_for_every_viewer(written: list[AuditEntry]) -> None:
    document = """{ auditEntries { edges { node { actor { id __typename email }
      same: actor { name createdAt } action difference { field } } } } }"""
    shy = clerk_with("view_auditentry")
    AuditEntry.objects.filter(pk=written[0].pk).update(actor=None)
    AuditEntry.objects.filter(pk=written[1].pk).update(actor=shy)
    compiled, generic = (Executor(schema.graphql_schema, compiled=flag) for flag in (True, False))
    for viewer in (shy, User.objects.get(email="staff@example.org"), shy):
        answers = []
        for executor in (compiled, generic):
            request = RequestFactory().post("/graphql/")
            request.user = User.objects.get(pk=viewer.pk)
            before = execution.counts.copy()
            result = executor.execute(executor.document(document), request)
            assert not result.errors
            if executor is compiled:
                assert execution.counts - before == {("compiled", ""): 1}
            answers.append(result.data)
        assert answers[0] == answers[1]
        first, second = [edge["node"] for edge in answers[0]["auditEntries"]["edges"]]
        assert (first["actor"]["email"], first["same"]["name"]) == ("clerk@example.org", "")
        assert second["actor"] is second["same"] is None


def test_nobody_is_found_by_an_actor_whom_the_viewer_does_not_see(
    written: list[AuditEntry], staff: User, api: Any, gid: Any
) -> None:
    shy = clerk_with("view_auditentry")
    AuditEntry.objects.filter(pk=written[1].pk).update(actor=shy)
    both = {"actor": {"in": [gid(staff), gid(shy)]}}
    before = execution.counts.copy()
    for viewer, actions in [
        (staff, ["brand.update", "brand.create"]),
        (shy, ["brand.update"]),
        (staff, ["brand.update", "brand.create"]),
    ]:
        answer = api(LIST, viewer, filter=both)
        assert [entry["action"] for entry in entries(answer)] == actions
        assert answer["data"]["auditEntries"]["totalCount"] == len(actions)
    assert execution.counts - before == {("compiled", ""): 3}


def test_a_secret_is_told_to_have_changed_and_no_more(
    call: Any, shop: Any, staff: User, api: Any
) -> None:
    call("webhookEndpointCreate", staff)
    call("webhookEndpointRotateSecret", staff)
    rotated, made = entries(api(LIST, staff))
    hidden = '"***"'
    assert rotated["difference"] == [{"field": "secret", "before": hidden, "after": hidden}]
    assert {"field": "secret", "before": None, "after": hidden} in made["difference"]
    assert "whsec_" not in str(list(AuditEntry.objects.values_list("difference")))


def test_there_is_no_way_to_write_entries() -> None:
    assert not [name for name in FIELDS if "audit" in name.lower()]
