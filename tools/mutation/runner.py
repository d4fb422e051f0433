"""Pytest plugin: runs the tests that cover a mutant in a fork of a process that has all set up.

A fork costs milliseconds where a new process compiles the schema and creates the database again.
The fork swaps the code of functions, or binds the constants of the module anew.
"""

import ast
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import coverage
import pytest
from _pytest.outcomes import Skipped
from _pytest.runner import runtestprotocol

from tools.mutation.mutants import Mutant, mutants_of

# Exit codes of a fork.
_SURVIVED, _CAUGHT, _UNPATCHED = 0, 1, 3
# Seconds that the tests of a mutant may take, and this many times what they take without it.
_TIMEOUT, _TIMES = 30, 10
# Stands for all modules where tests are listed by module.
_ALL = "*"


class Runner:
    """Runs the mutants of one group of modules.

    Args:
        wanted: keys of the mutants to run, by module.
        record: gets each mutant with what became of it.
    """

    def __init__(
        self, wanted: dict[str, set[str]], record: Callable[[Mutant, str, list[str]], None]
    ) -> None:
        self._wanted = wanted
        self._record = record
        self._items: dict[str, pytest.Item] = {}
        self._in_mutant = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in sorted(session.items, key=_commits)}
        self._set_up(session)
        covered = self._baseline()
        functions = _functions_of(set(self._wanted))
        # A fork copies fewer pages when nobody collects its garbage.
        gc.collect()
        gc.freeze()
        for module, keys in self._wanted.items():
            source = Path(module).read_text()
            for mutant in mutants_of(module, source):
                if mutant.key in keys:
                    tests = _covering(mutant, covered[module], covered[_ALL][""])
                    self._record(mutant, self._run(mutant, source, tests, functions), tests)
        return True

    def _set_up(self, session: pytest.Session) -> None:
        """Makes the fixtures of the session, above all the database: forks find them."""
        known: set[str] = set()
        for item in self._items.values():
            fixtures: Any = getattr(item, "_fixtureinfo", None)
            names = fixtures.name2fixturedefs.items() if fixtures else ()
            wide = {name for name, found in names if found[-1].scope == "session"}
            if wide - known:
                runtestprotocol(item, log=False, nextitem=session)
                known |= wide

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        # Nobody reads the report, which takes longer than many a test.
        if self._in_mutant and call.excinfo and not call.excinfo.errisinstance(Skipped):
            os._exit(_CAUGHT)

    def _baseline(self) -> dict[str, dict[str, list[str]]]:
        """Tests by module and line, the quickest first."""
        path = Path("var/coverage.json")
        path.unlink(missing_ok=True)
        pid = os.fork()
        if not pid:
            _finish(lambda: self._measure(path))
        os.waitpid(pid, 0)
        return json.loads(path.read_text())

    def _measure(self, path: Path) -> int:
        files = {str(Path(module).resolve()): module for module in self._wanted}
        measured = coverage.Coverage(data_file=None, include=list(files))
        ranks: dict[str, tuple[bool, float]] = {}
        measured.start()
        for item in self._items.values():
            measured.switch_context(item.nodeid)
            started = time.monotonic()
            if _fails(item):
                print(f"It fails without a mutant: {item.nodeid}", file=sys.stderr)
            else:
                ranks[item.nodeid] = (_commits(item), time.monotonic() - started)
        measured.stop()
        data = measured.get_data()
        found = {
            module: {
                str(line): sorted(ranks.keys() & tests, key=lambda test: ranks[test])
                for line, tests in data.contexts_by_lineno(name).items()
            }
            for name, module in files.items()
        }
        found[_ALL] = {"": sorted(ranks, key=lambda test: ranks[test])}
        path.write_text(json.dumps(found))
        return _SURVIVED

    def _run(
        self,
        mutant: Mutant,
        source: str,
        tests: list[str],
        functions: dict[tuple[str, str, int], list[FunctionType]],
    ) -> str:
        if not tests:
            # It runs while modules load, if at all.
            return "unpatched"
        pid = os.fork()
        if not pid:
            _finish(lambda: self._test(mutant, source, tests, functions))
        code = _wait(pid, seconds=_TIMEOUT + _TIMES * len(tests))
        return {_SURVIVED: "survived", _UNPATCHED: "unpatched"}.get(code, "caught")

    def _test(self, mutant: Mutant, source: str, tests: list[str], functions: Any) -> int:
        if mutant.is_constant and is_read_while_loading(mutant.module, mutant.names):
            # Values derived from it would stay as they were.
            return _UNPATCHED
        if not (_bind(mutant) or _swap(mutant, source, functions)):
            return _UNPATCHED
        os.dup2(1, 2)
        self._in_mutant = True
        for test in tests:
            _fails(self._items[test])
        return _SURVIVED


def _fails(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=item.session)
    return any(report.failed for report in reports)


def _commits(item: pytest.Item) -> bool:
    """Whether a test empties the database, which is for the end of a run."""
    marker = item.get_closest_marker("django_db")
    names = getattr(item, "fixturenames", ())
    return "transactional_db" in names or bool(marker and marker.kwargs.get("transaction"))


def _finish(work: Callable[[], int]) -> None:
    """Ends a fork with what `work` returns, and without what pytest does at its end."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    code = _CAUGHT
    try:
        code = work()
    finally:
        os._exit(code)


def _wait(pid: int, *, seconds: float) -> int:
    """The exit code of a fork; that of a caught mutant when it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return _CAUGHT


def _covering(mutant: Mutant, covered: dict[str, list[str]], passing: list[str]) -> list[str]:
    """Tests that run the changed lines; all tests of the module where those run when it loads.

    Constants are also read by tests that run nothing of the module: all that pass are theirs.
    """
    if mutant.in_function:
        tests = [test for line in mutant.lines for test in covered.get(str(line), ())]
    else:
        tests = [test for tests in covered.values() for test in tests]
    return list(dict.fromkeys([*tests, *passing] if mutant.is_constant else tests))


def is_read_while_loading(path: str, names: set[str]) -> bool:
    """Tells whether loaded modules use constants of a module to make something of them.

    That is their module-level code, class bodies, defaults and decorators; the module itself and
    those that import the names from it. Functions that run while they load are not followed.
    """
    module = _module(path)
    for other in list(sys.modules.values()):
        known = getattr(other, "__dict__", {})
        if other is module or any(
            name in known and known[name] is module.__dict__.get(name) for name in names
        ):
            file = Path(getattr(other, "__file__", None) or "")
            inside = file.suffix == ".py" and file.is_relative_to(Path.cwd())
            if inside and names & _read_at_once(ast.parse(file.read_text())):
                return True
    return False


def _read_at_once(node: ast.AST) -> set[str]:
    """Names that are read when the code below `node` loads, not when a function in it is called."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    found: set[str] = set()
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                found |= _read_at_once(child)
    return found


def _bind(mutant: Mutant) -> bool:
    """Evaluates a changed constant, and binds it wherever the old one was imported."""
    if not mutant.is_constant:
        return False
    module = _module(mutant.module)
    before, after = module.__dict__, dict(module.__dict__)
    code = compile(ast.Module([mutant.statement], []), mutant.module, "exec")
    exec(code, after)  # noqa: S102 - it is the module's own statement.
    names = {name for name in before if name in after and before[name] is not after[name]}
    old = {name: before[name] for name in names}
    for other in list(sys.modules.values()):
        for name in names:
            if getattr(other, "__dict__", {}).get(name) is old[name]:
                setattr(other, name, after[name])
    return bool(names)


def _swap(mutant: Mutant, source: str, functions: Any) -> bool:
    """Gives the functions of the module their changed code."""
    file = str(_module(mutant.module).__file__)
    olds = _codes(compile(source, file, "exec", dont_inherit=True))
    news = _codes(compile(mutant.source, file, "exec", dont_inherit=True))
    swapped = False
    for key in olds.keys() & news.keys():
        old, new = olds[key], news[key]
        for function in functions.get((file, old.co_qualname, old.co_firstlineno), ()):
            if old != new and old.co_freevars == new.co_freevars:
                function.__code__ = new
                swapped = True
    return swapped


def _codes(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """All code below `code`, by name and by its place among those of that name."""
    found: dict[tuple[str, int], CodeType] = {}
    waiting = [code]
    while waiting:
        for constant in waiting.pop(0).co_consts:
            if isinstance(constant, CodeType):
                name = constant.co_qualname
                place = sum(known == name for known, _ in found)
                found[name, place] = constant
                waiting.append(constant)
    return found


def _functions_of(modules: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    files = {str(_module(module).__file__) for module in modules}
    found: dict[tuple[str, str, int], list[FunctionType]] = {}
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename in files:
            code = function.__code__
            key = (code.co_filename, code.co_qualname, code.co_firstlineno)
            found.setdefault(key, []).append(function)
    return found


def _module(path: str) -> ModuleType:
    return sys.modules[path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")]
