"""The entity-relationship diagram shows the models as they are."""

import io
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models import F, Q

from shop.management.commands import erd
from shop.management.erd.layout import BOX, Layout, height_of, links_of, place
from shop.management.erd.routes import Router
from shop.management.erd.rules import condition_in_words
from shop.management.erd.tables import Column, Domain, Table, read_domains

FILES = ("erd.md", "erd.svg")
# One process draws for all of them.
pytestmark = pytest.mark.xdist_group("erd")


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return erd.draw()


@pytest.fixture
def docs(drawn: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of today; drawn once, because that takes a second."""
    monkeypatch.setattr(erd, "draw", lambda: drawn)
    call_command("erd", directory=tmp_path, stdout=io.StringIO())
    return tmp_path


def erd_check(directory: Path) -> None:
    call_command("erd", check=True, directory=directory)


@pytest.mark.parametrize("name", FILES)
def test_committed_diagram_is_current(drawn: dict[str, str], name: str) -> None:
    committed = Path(settings.BASE_DIR) / "docs" / name
    assert committed.read_text(encoding="utf-8") == drawn[name], "run `make erd`"


def test_every_table_and_column_is_shown(drawn: dict[str, str]) -> None:
    for model in apps.get_app_config("shop").get_models(include_auto_created=True):
        name, meta = model.__name__, model._meta
        (entity,) = re.findall(
            rf"^    {name} {{\n(.*?)^    }}$", drawn["erd.md"], re.MULTILINE | re.DOTALL
        )
        (box,) = re.findall(rf'<g id="{name}">(.*?)</g>', drawn["erd.svg"], re.DOTALL)
        columns = [field.column for field in meta.local_concrete_fields]
        assert [line.split()[1] for line in entity.splitlines()] == columns
        assert f"### {name}\n" in drawn["erd.md"]
        assert f"Table `{meta.db_table}`." in drawn["erd.md"]
        for column in columns:
            assert f">{column}</text>" in box
        for rule in (*meta.constraints, *meta.indexes):
            assert f"`{rule.name}`" in drawn["erd.md"]


def test_every_foreign_key_is_drawn(drawn: dict[str, str]) -> None:
    relations = re.findall(r"^    \w+ \S+--\S+ \w+ : \w+$", drawn["erd.md"], re.MULTILINE)
    assert len(relations) == len(links_of(read_domains()))


@pytest.mark.parametrize(
    "line",
    [
        "Brand |o--o{ Product : brand",
        "Product ||--o{ Variant : product",
        "Variant ||--o| Stock : variant",
        "User ||--o{ User_groups : user",
        "Group ||--o{ User_groups : group",
        "bigint variant_id FK, UK",
        'bigint price_key "generated"',
        'bigint parent_id FK "null"',
    ],
)
def test_page_tells_cardinality_and_kind(drawn: dict[str, str], line: str) -> None:
    assert f"    {line}\n" in drawn["erd.md"]


def test_relations_without_a_column_are_not_shown(drawn: dict[str, str]) -> None:
    for name in ("ancestors", "descendants", "attribute_values"):
        assert f">{name}</text>" not in drawn["erd.svg"]
        assert f" : {name}\n" not in drawn["erd.md"]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Q(price__gte=0), "price ≥ 0"),
        (Q(a=True) | Q(b__isnull=True, c__lt=F("d")), "a = true or (b is null and c < d)"),
        (~Q(status="sold"), 'status ≠ "sold"'),
        (~Q(sold_at__isnull=True), "sold_at is not null"),
        (~Q(a__in=[1, 2000]), "not (a is one of 1, 2,000)"),
        (~(Q(a=1) & Q(b=2)), "not (a = 1 and b = 2)"),
    ],
)
def test_conditions_are_told_in_words(condition: Q, words: str) -> None:
    assert condition_in_words(condition) == words


def test_check_passes_when_files_are_current(docs: Path) -> None:
    erd_check(docs)


@pytest.mark.parametrize("name", FILES)
def test_check_fails_with_status_1_on_a_stale_file(docs: Path, name: str) -> None:
    stale = "an older drawing\n"
    (docs / name).write_text(stale)
    with pytest.raises(CommandError, match=rf"{re.escape(name)}\. .*`make erd`") as failure:
        erd_check(docs)
    assert failure.value.returncode == 1
    assert (docs / name).read_text() == stale


def test_check_fails_on_a_missing_file(docs: Path) -> None:
    (docs / "erd.svg").unlink()
    with pytest.raises(CommandError, match=r"erd\.svg"):
        erd_check(docs)


def test_boxes_and_lines_keep_clear_of_each_other_in_a_large_shop() -> None:
    domains = large_shop()
    tables = {table.name: table for domain in domains for table in domain.tables}
    layout = place(domains)
    covered = [cell for table in tables.values() for cell in cells_of(table, layout)]
    assert len(covered) == len(set(covered))

    routes = Router(layout, tables).route(links_of(domains))
    assert len(routes) == len(links_of(domains))
    for route in routes:
        assert not set(route.cells) & set(covered)


def cells_of(table: Table, layout: Layout) -> list[tuple[int, int]]:
    x, y = layout.corners[table.name]
    return [(x + i, y + j) for i in range(BOX + 1) for j in range(height_of(table) + 1)]


def large_shop() -> list[Domain]:
    """Thirty tables in six domains, each with foreign keys near and far."""
    return [
        Domain(f"domain{d}", "", tuple(table_with_links(5 * d + t) for t in range(5)))
        for d in range(6)
    ]


def table_with_links(number: int) -> Table:
    targets = {0, number // 2, max(0, number - 1)} if number else set()
    links = [
        Column(f"t{target}_id", "bigint", f"t{target}", is_null=target == 0, target=f"T{target}")
        for target in sorted(targets)
    ]
    plain = [Column(f"field_{i}", "text", f"field_{i}") for i in range(number % 9)]
    primary = Column("id", "bigint", "id", is_primary=True)
    return Table(f"T{number}", "", f"t{number}", "", (primary, *links, *plain), ())
