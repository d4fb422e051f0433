"""What JSON Schema says of GraphQL's types and selections, in a small schema of its own."""

from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
)

from schema.openapi.answers import Answers
from schema.openapi.inputs import Types

SDL = '''
"""Whatever has an id."""
interface Node {
  """Its id."""
  id: ID!
}
"""What a mug is made of."""
enum Material {
  """Fired."""
  CLAY
  """Blown."""
  GLASS
}
"""A mug."""
type Mug implements Node {
  """Its id."""
  id: ID!
  """What it is called."""
  name: String
  """What it is made of."""
  material: Material
  """Mugs that go with it."""
  fits: [Mug!]!
  """What was said of it."""
  notes: [String]
  """When it was made."""
  made: DateTime!
  """How much fits in."""
  litres: Float @deprecated(reason: "Use something else.")
}
"""A person."""
type Person implements Node {
  """Its id."""
  id: ID!
  """What they are called."""
  name: String!
}
scalar DateTime
scalar Colour
"""How mugs are found."""
input MugFilter {
  """Made of this."""
  material: Material = CLAY
  """All of them."""
  all: [MugFilter!]
  """By name."""
  name: String!
  """At most so many."""
  most: Int! = 3
}
type Query {
  mug(filter: MugFilter): Mug
  mugs: [Mug]!
  node: Node
  colour: Colour
}
'''


@pytest.fixture(scope="module")
def small() -> GraphQLSchema:
    return build_schema(SDL)


def answers(schema: GraphQLSchema, *documents: str) -> tuple[list[Any], dict[str, Any]]:
    """The schemas of the operations' data, and all components."""
    types = Types()
    made = Answers(schema, types)
    found = []
    for text in documents:
        nodes = parse(text).definitions
        fragments = {
            node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)
        }
        (operation,) = (node for node in nodes if isinstance(node, OperationDefinitionNode))
        found.append(made.of(operation, fragments))
    components = made.components(*found)
    return found, types.components | components


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_an_answer_has_the_selected_fields_and_no_others(small: GraphQLSchema) -> None:
    (data,), components = answers(small, "query One { mug { name called: id made } }")
    assert data == ref("OneData")
    assert components["OneData"]["properties"] == {
        "mug": {"anyOf": [ref("OneMug"), {"type": "null"}]}
    }
    assert components["OneMug"] == {
        "type": "object",
        "description": "A mug.",
        "properties": {
            "name": {"type": ["string", "null"], "description": "What it is called."},
            "called": {"type": "string", "format": "global-id", "description": "Its id."},
            "made": {"type": "string", "format": "date-time", "description": "When it was made."},
        },
        "required": ["name", "called", "made"],
        "additionalProperties": False,
    }


def test_lists_and_their_items_are_null_only_where_graphql_lets_them(small: GraphQLSchema) -> None:
    _, components = answers(small, "query One { mugs { notes fits { id } } }")
    assert components["OneData"]["properties"]["mugs"] == {
        "type": "array",
        "items": {"anyOf": [ref("OneMug"), {"type": "null"}]},
    }
    mug = components["OneMug"]["properties"]
    assert mug["notes"]["type"] == ["array", "null"]
    assert mug["notes"]["items"] == {"type": ["string", "null"]}
    assert mug["fits"]["type"] == "array"
    assert mug["fits"]["items"] == ref("OneFitsMug")


def test_enums_and_deprecated_fields_are_told(small: GraphQLSchema) -> None:
    _, components = answers(small, "query One { mug { material litres } }")
    assert components["Material"]["enum"] == ["CLAY", "GLASS"]
    assert "- `CLAY`: Fired." in components["Material"]["description"]
    assert components["OneMug"]["properties"]["material"]["anyOf"] == [
        ref("Material"),
        {"type": "null"},
    ]
    assert components["OneMug"]["properties"]["litres"]["deprecated"] is True
    assert "deprecated" not in components["OneMug"]["properties"]["material"]


def test_what_a_fragment_selects_is_named_after_it_wherever_it_is(small: GraphQLSchema) -> None:
    parts = "fragment MugParts on Mug { name fits { id } }"
    _, components = answers(
        small,
        f"query One {{ mug {{ ...MugParts }} }} {parts}",
        f"query Two {{ mugs {{ ...MugParts }} node {{ id }} }} {parts}",
        f"query Three {{ mugs {{ id ... on Mug {{ ...MugParts }} }} }} {parts}",
    )
    assert components["TwoData"]["properties"]["mugs"]["items"]["anyOf"][0] == ref("MugParts")
    assert components["MugParts"]["properties"]["fits"]["items"] == ref("MugPartsMug")
    assert set(components["ThreeMug"]["properties"]) == {"id", "name", "fits"}
    # What is part of the fragment is so wherever the fragment is.
    assert components["ThreeMug"]["properties"]["fits"]["items"] == ref("MugPartsMug")


def test_a_new_operation_gives_no_other_name_to_what_is_there(small: GraphQLSchema) -> None:
    one = "query One { mug { name } mugs { id name } }"
    _, before = answers(small, one)
    _, after = answers(small, "query Another { mug { name } }", one)
    assert before.items() <= after.items()
    assert set(before) == {"OneData", "OneMug", "OneMugsMug"}


def test_what_a_directive_may_leave_out_is_not_required(small: GraphQLSchema) -> None:
    _, components = answers(
        small,
        """query One($short: Boolean!) { mug {
          id name @skip(if: $short) made @include(if: $short) made notes @include(if: false)
          ... @include(if: $short) { material }
        } }""",
    )
    assert components["OneMug"]["required"] == ["id", "made"]
    assert list(components["OneMug"]["properties"]) == ["id", "name", "made", "material"]


def test_an_interface_is_any_of_its_types(small: GraphQLSchema) -> None:
    _, components = answers(
        small, "query One { node { __typename id ... on Mug { fits { id } } } }"
    )
    node = components["OneData"]["properties"]["node"]
    choices, null = node["anyOf"]
    assert null == {"type": "null"}
    named = {choice["$ref"].rpartition("/")[2] for choice in choices["anyOf"]}
    kinds = {components[name]["properties"]["__typename"]["const"] for name in named}
    assert kinds == {"Mug", "Person"}


def test_an_input_says_what_must_be_given_and_what_is_taken_otherwise(small: GraphQLSchema) -> None:
    types = Types()
    assert types.named(small.type_map["MugFilter"]) == ref("MugFilter")
    schema = types.components["MugFilter"]
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["material"] == {
        "anyOf": [ref("Material"), {"type": "null"}],
        "description": "Made of this.",
        "default": "CLAY",
    }
    assert schema["properties"]["all"]["items"] == ref("MugFilter")
    assert schema["properties"]["most"]["default"] == 3


def test_an_unknown_scalar_ends_the_making(small: GraphQLSchema) -> None:
    with pytest.raises(TypeError, match="Colour"):
        answers(small, "query One { colour }")


def test_two_components_of_one_name_end_the_making(small: GraphQLSchema) -> None:
    with pytest.raises(ValueError, match="Material"):
        answers(
            small,
            "query One { mug { ...Material material } } fragment Material on Mug { id }",
            "query Two { mug { ...Material } } fragment Material on Mug { id }",
        )
