"""What is told of changes in the schema, and that none breaks clients without being declared."""

from pathlib import Path

import pytest
from graphql import build_schema

from schema import changes
from shop import settings as project

OLD = """
"What there is."
type Query { "A mug." mug: Mug "All." mugs(first: Int): [Mug] spoon: String }
type Mutation { wash: Boolean }
"Made of clay."
type Mug { name: String! size: Size colour: String }
enum Size { SMALL LARGE }
input Wash { hot: Boolean }
"""
NEW = """
"What there is."
type Query {
  "A mug. For shoppers." mug: Mug
  "All." mugs(first: Int!): [Mug]
  "A fork. Of steel." fork: String
}
type Mutation { wash: Boolean "Breaks one." mugBreak(input: MugBreakInput!): MugBreakPayload }
"Made of clay."
type Mug {
  name: String
  size: Size
  "Grams." weight: Int
  colour: String @deprecated(reason: "Use `tint`.")
}
enum Size { SMALL MEDIUM LARGE }
input Wash { hot: Boolean soap: Boolean }
"A dent. In it."
type Dent { deep: Boolean }
type MugBreakPayload { dent: Dent }
input MugBreakInput { id: ID! }
type DentConnection { edges: [DentEdge] }
type DentEdge { node: Dent }
enum DentOrderField { DEPTH }
input DentOrder { field: DentOrderField }
"""


@pytest.fixture
def found() -> changes.Changes:
    return changes.changes(build_schema(OLD), build_schema(NEW))


def test_what_breaks_clients_is_told(found: changes.Changes) -> None:
    assert found.breaking == [
        "Mug.name changed type from String! to String.",
        "Query.mugs arg first has changed type from Int to Int!.",
        "Query.spoon was removed.",
    ]


def test_what_strict_clients_stumble_over_is_told(found: changes.Changes) -> None:
    assert found.dangerous == [
        "`Size` may also be `MEDIUM`.",
        "An optional field soap on input type Wash was added.",
    ]
    assert found.deprecated == ["`Mug.colour`: Use `tint`."]


def test_what_is_new_is_told_without_what_goes_with_it(found: changes.Changes) -> None:
    assert found.added == {
        "queries": ["`fork`: A fork."],
        "mutations": ["`mugBreak`: Breaks one."],
        "fields": ["`Mug.weight`: Grams."],
        "types": ["`Dent`: A dent."],
    }


def test_what_is_the_same_is_not_told() -> None:
    same = changes.changes(build_schema(NEW), build_schema(NEW))
    assert [same.breaking, same.dangerous, same.deprecated] == [[], [], []]
    assert not any(same.added.values())


def test_a_breaking_change_is_declared_by_its_sentence_and_a_reason() -> None:
    breaking = ["Mug.name was removed.", "Mug.size was removed.", "Mug.colour was removed."]
    declared = {
        "1.0.0": [
            {"change": "Mug.name was removed.", "reason": "Mugs have none."},
            {"change": "Mug.size was removed.", "reason": " "},
        ],
        "0.9.0": [{"change": "Mug.colour was removed.", "reason": "An older release."}],
    }
    assert changes.undeclared(breaking, "1.0.0", declared) == breaking[1:]


def test_nothing_breaks_clients_of_the_last_release_that_is_not_declared() -> None:
    last = changes.releases()[-1]
    found = changes.changes(changes.schema_of(last), changes.schema_of(None))
    assert changes.undeclared(found.breaking, last, changes.declared()) == []


def test_releases_are_sorted_as_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("0.10.0", "0.9.1", "1.0.0", "0.9.0"):
        (tmp_path / f"{name}.graphql").write_text(OLD)
    monkeypatch.setattr(changes, "RELEASES", tmp_path)
    assert changes.releases() == ["0.9.0", "0.9.1", "0.10.0", "1.0.0"]


def test_a_release_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RELEASES", "PAGE", "CURRENT"):
        monkeypatch.setattr(changes, name, tmp_path / name.lower())
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "declared.toml").write_text("")
    (tmp_path / "current").write_text(OLD)
    changes.main(["release"])
    (kept,) = changes.releases()
    assert changes.changes(changes.schema_of(kept), changes.schema_of(None)).breaking == []
    assert "3 queries, 1 mutations" in (tmp_path / "page").read_text()
    with pytest.raises(SystemExit, match="kept already"):
        changes.main(["release"])


def test_the_changelog_is_current() -> None:
    written = (project.BASE_DIR / "docs" / "schema-changelog.md").read_text()
    assert written == changes.page(), "run `make schema`"
