"""The staff page on which the digital content of variants is set."""

import pytest

from shop.actions.catalog import digital_content
from shop.models import DigitalContent, DigitalDelivery
from tests.shop.admin.screens import (
    add_url,
    change_url,
    errors_of,
    list_url,
    run_action,
    save,
    statements,
)
from tests.shop.orders import place, variant

pytestmark = pytest.mark.django_db
LINK = "https://files.example.com/bread.pdf?key=hush"


def ebook():
    row = variant(requires_shipping=False)
    digital_content.set_content(row, kind="link", content=LINK)
    return row


def test_the_list_takes_constant_sql_and_shows_no_content(owner):
    ebook()
    statements(owner, list_url("digitalcontent"))
    few = statements(owner, list_url("digitalcontent"))
    for _ in range(3):
        ebook()
    assert len(statements(owner, list_url("digitalcontent"))) == len(few)
    assert "hush" not in owner.get(list_url("digitalcontent")).content.decode()


def test_content_is_set_changed_and_removed(owner):
    row = variant(requires_shipping=False)
    form = {"sku": row.sku, "kind": "text", "content": "KEY-0815"}
    assert save(owner, add_url("digitalcontent"), form).status_code == 302
    content = DigitalContent.objects.get(variant=row)
    assert (content.kind, content.content) == ("text", "KEY-0815")
    assert errors_of(save(owner, add_url("digitalcontent"), form)) == [
        "This variant has digital content: change it."
    ]
    other = form | {"sku": "NONE"}
    assert errors_of(save(owner, add_url("digitalcontent"), other)) == ["No variant has this SKU."]
    changes = {"kind": "link", "content": "bread.pdf"}
    assert errors_of(save(owner, change_url(content), changes)) == [
        "This is no http or https address."
    ]
    assert save(owner, change_url(content), {"kind": "link", "content": LINK}).status_code == 302
    content.refresh_from_db()
    assert (content.kind, content.content) == ("link", LINK)
    run_action(owner, "digitalcontent", "delete_selected", [content])
    data = {"action": "delete_selected", "_selected_action": [content.pk], "post": "yes"}
    owner.post(list_url("digitalcontent"), data)
    assert not DigitalContent.objects.exists()


def test_an_order_shows_how_its_lines_are_delivered_and_no_link(owner):
    order = place(lines={ebook(): 1, variant(): 1})
    shown = owner.get(change_url(order)).content.decode()
    assert "Digital, 0 downloads" in shown
    assert "Parcel" in shown
    assert "hush" not in shown
    assert DigitalDelivery.objects.get().key not in shown
