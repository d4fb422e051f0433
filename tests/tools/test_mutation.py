"""The mutation tester: which constants need a process that loads the project anew."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tools.mutation.__main__ import _environment
from tools.mutation.mutants import mutants_of
from tools.mutation.runner import is_read_while_loading

ROLES = "shop/actions/customers/roles.py"
BUCKETS = "shop/throttling/buckets.py"


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        # Another constant is made of it.
        (ROLES, "_CATALOG", True),
        (ROLES, "CHANGE_ROLES", True),
        # The default of an argument.
        (BUCKETS, "_MAX_LOCAL", True),
        # Functions read it when they are called.
        (BUCKETS, "_REDIS_PAUSE", False),
        (ROLES, "ROLE_OF_GROUP", False),
    ],
)
def test_constants_that_other_code_has_read_need_a_new_process(
    module: str, name: str, expected: bool
) -> None:
    import_module(module.removesuffix(".py").replace("/", "."))
    assert is_read_while_loading(module, {name}) is expected


def test_a_constant_knows_the_names_that_it_binds() -> None:
    (mutant,) = mutants_of("module.py", "LIMIT: int = 3\n")
    assert (mutant.is_constant, mutant.names) == (True, {"LIMIT"})


def test_tests_run_without_services_unless_their_group_names_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_URL", "redis://127.0.0.1:6379/9")
    assert _environment({})["REDIS_URL"] == ""
    assert _environment({"REDIS_URL": "$SOME_URL"})["REDIS_URL"] == "redis://127.0.0.1:6379/9"
    with pytest.raises(SystemExit, match="REDIS_URL"):
        _environment({"REDIS_URL": "$NO_SUCH_URL"})


def test_every_module_that_is_changed_exists() -> None:
    root = Path(__file__).parents[2]
    groups = tomllib.loads((root / "tools/mutation/targets.toml").read_text())["group"]
    paths = [path for group in groups for path in (*group["modules"], *group["tests"])]
    assert [path for path in paths if not (root / path).exists()] == []
