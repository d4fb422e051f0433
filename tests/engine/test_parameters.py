"""Variables of an operation are read from the parameters of an address, as their types say."""

import re
from typing import Any

import pytest
from django.http import QueryDict
from graphql import build_schema, parse

from schema.engine.errors import BadRequest
from schema.engine.parameters import variables_of

KINDS = build_schema("""
  type Query { all(
    int: Int, float: Float, flag: Boolean, text: String, id: ID, kind: Kind, odd: Odd, like: Like,
    ints: [Int!], texts: [String], kinds: [Kind!], likes: [Like!], must: Int!, whole: [Int!]!
  ): Int }
  enum Kind { NEW OLD }
  scalar Odd
  input Like { name: String, price: Price }
  input Price { min: String }
""")


def read(parameters: str, *variables: str) -> dict[str, Any]:
    """The variables of a query that declares these, from a query string."""
    (operation,) = parse(f"query({' '.join(variables)}) {{ all }}").definitions
    definitions = operation.variable_definitions  # type: ignore[attr-defined]
    return variables_of(KINDS, definitions, QueryDict(parameters), secret=["secret"])


@pytest.mark.parametrize(
    ("declared", "parameters", "value"),
    [
        ("Int", "v=7", 7),
        ("Int", "v=-0", 0),
        ("Int!", "v=12345678901", 12_345_678_901),
        ("Float", "v=1.50", 1.5),
        ("Float", "v=-2e3", -2000.0),
        ("Boolean", "v=true", True),
        ("Boolean!", "v=false", False),
        ("String", "v=7", "7"),
        ("String", "v=", ""),
        ("String", "v=a%26b+c", "a&b c"),
        ("ID", "v=7", "7"),
        ("Kind", "v=NEW", "NEW"),
        ("Odd", "v=12.50", "12.50"),
        ("[Int!]", "v=1&v=2", [1, 2]),
        ("[Int!]!", "v=1", [1]),
        ("[String]", "v=b&v=a", ["b", "a"]),
        ("[Kind!]", "v=OLD&v=NEW", ["OLD", "NEW"]),
        ("Like", 'v={"price":{"min":"10"}}', {"price": {"min": "10"}}),
        ("Like", "v={}", {}),
        ("[Like!]", 'v=[{"name":"a"},{}]', [{"name": "a"}, {}]),
    ],
)
def test_a_parameter_is_read_as_its_type_says(declared: str, parameters: str, value: Any) -> None:
    found = read(parameters, f"$v: {declared}")["v"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("declared", "parameters", "why"),
    [
        ("Int", "v=", "an integer"),
        ("Int", "v=1.0", "an integer"),
        ("Int", "v=+1", "an integer"),
        ("Int", "v=01", "an integer"),
        ("Int", "v=٣", "an integer"),
        ("Int", "v=1e3", "an integer"),
        ("Int", "v=" + "9" * 5000, "an integer"),
        ("Float", "v=x", "a number"),
        ("Float", "v=NaN", "a number"),
        ("Float", "v=Infinity", "a number"),
        ("Float", "v=.5", "a number"),
        ("Boolean", "v=1", "true or false"),
        ("Boolean", "v=True", "true or false"),
        ("Boolean", "v=", "true or false"),
        ("Int", "v=1&v=2", "given once"),
        ("Like", "v={}&v={}", "given once"),
        ("Like", "v=name", "an object in JSON"),
        ("Like", "v=[]", "an object in JSON"),
        ("Like", "v=null", "an object in JSON"),
        ("[Like!]", "v={}", "an array in JSON"),
        ("[Int!]", "v=1&v=b", "an integer"),
        ("Int!", "", "missing"),
        ("[Int!]!", "", "missing"),
    ],
)
def test_a_parameter_that_is_not_of_its_type_is_named(
    declared: str, parameters: str, why: str
) -> None:
    with pytest.raises(BadRequest, match=f"The parameter `v`: .*{why}") as raised:
        read(parameters, f"$v: {declared}")
    assert raised.value.extensions == {"code": "BAD_REQUEST", "parameter": "v"}


def test_what_is_left_out_stays_out() -> None:
    assert read("", "$a: Int", "$b: Int = 3", "$c: Int! = 4") == {}
    assert read("b=1", "$a: Int", "$b: Int = 3") == {"b": 1}


def test_parameters_that_nobody_declared_are_refused() -> None:
    with pytest.raises(BadRequest, match="`w`: There is no such parameter"):
        read("v=1&w=2", "$v: Int")
    with pytest.raises(BadRequest, match=re.escape(f"`{'w' * 100}...`")):
        read("w" * 5000 + "=2", "$v: Int")


def test_a_secret_does_not_stand_in_an_address() -> None:
    with pytest.raises(BadRequest, match="addresses end up in logs"):
        read("secret=abc", "$secret: String")
    with pytest.raises(BadRequest, match="sent by POST"):
        read("", "$secret: String!")
    assert read("", "$secret: String") == {}
