"""Mutants of a module: small changes to its source, one at a time."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SWAPPED: dict[type[ast.AST], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.Div: "*",
    ast.Mod: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
_SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Logs and the words of messages are for people, who read them in no test.
_SILENT = {"logger", "logging", "warnings"}
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Mutant:
    """One change to a module.

    Attributes:
        module: path of the file.
        source: the whole text with the change.
        lines: those of the statement that is changed, counted from 1.
        in_function: the change is in the body of a function, which runs when it is called.
        before, after: the changed lines, without indentation.
        place: among equal changes of the module.
    """

    module: str
    source: str
    lines: range
    in_function: bool
    before: str
    after: str
    place: int

    @property
    def key(self) -> str:
        """Identifies the change, also when its lines move."""
        text = "\0".join((self.module, self.before, self.after, str(self.place)))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def statement(self) -> ast.stmt:
        """The changed statement of the module."""
        body = ast.parse(self.source).body
        return next(node for node in reversed(body) if node.lineno <= self.lines.start)

    @property
    def is_constant(self) -> bool:
        return isinstance(self.statement, ast.Assign | ast.AnnAssign)

    @property
    def names(self) -> set[str]:
        """The names that a constant's statement binds."""
        statement: Any = self.statement
        targets = getattr(statement, "targets", None) or [statement.target]
        nodes = (node for target in targets for node in ast.walk(target))
        return {node.id for node in nodes if isinstance(node, ast.Name)}

    @property
    def diff(self) -> str:
        removed = "".join(f"\n- {line}" for line in self.before.splitlines())
        added = "".join(f"\n+ {line}" for line in self.after.splitlines())
        return f"{self.key} {self.module}:{self.lines.start}{removed}{added}"


def mutants_of(module: str, source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its lines."""
    whole = source.encode()
    starts = [0]
    for line in whole.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places: Counter[tuple[str, str]] = Counter()
    found = []
    for place in _places(ast.parse(source), None, in_function=False):
        node = place.node
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        changed = (whole[:start] + place.text.encode() + whole[end:]).decode()
        if not _compiles(changed):
            continue
        before = _stripped(source, node.lineno, node.end_lineno)
        after = _stripped(changed, node.lineno, node.lineno + place.text.count("\n"))
        found.append(
            Mutant(
                module,
                changed,
                place.lines,
                place.in_function,
                before,
                after,
                places[before, after],
            )
        )
        places[before, after] += 1
    return found


def _stripped(source: str, first: int, last: int) -> str:
    return "\n".join(line.strip() for line in source.splitlines()[first - 1 : last])


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True)
class _Place:
    node: Any
    text: str
    lines: range
    in_function: bool


def _places(node: ast.AST, lines: range | None, *, in_function: bool) -> Iterator[_Place]:
    """Nodes below `node`, each with a text that may stand in its place."""
    for name, value in ast.iter_fields(node):
        # Annotations and the options of dataclasses decide nothing that a caller sees.
        if name in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        inner = in_function or (name == "body" and isinstance(node, _FUNCTIONS))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                own = _lines_of(child) if isinstance(child, ast.stmt) else lines
                for kind, change in _CHANGES:
                    if isinstance(child, kind):
                        for place, text in change(child):
                            yield _Place(place, text, own or range(1), inner)
                yield from _places(child, own, in_function=inner)


def _lines_of(statement: ast.stmt) -> range:
    """The lines of a statement, without those of the statements in it."""
    inner = getattr(statement, "body", None)
    end = inner[0].lineno if inner else (statement.end_lineno or statement.lineno) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        # It fails where a fault of ours would go on.
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return True
    call = node.value if isinstance(node, ast.Expr) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in _SILENT


def _compare(node: ast.Compare) -> Iterator[tuple[ast.AST, str]]:
    sides = [node.left, *node.comparators]
    for place, operator in enumerate(node.ops):
        texts = [f"({ast.unparse(side)})" for side in sides]
        operators = [_OPERATORS[type(each)] for each in node.ops]
        operators[place] = _SWAPPED[type(operator)]
        joined = "".join(f" {sign} {text}" for sign, text in zip(operators, texts[1:], strict=True))
        yield node, texts[0] + joined


_OPERATORS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


def _binary(node: ast.BinOp) -> Iterator[tuple[ast.AST, str]]:
    is_text = any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
    if not is_text and (sign := _SWAPPED.get(type(node.op))):
        yield node, f"(({ast.unparse(node.left)}) {sign} ({ast.unparse(node.right)}))"


def _augmented(node: ast.AugAssign) -> Iterator[tuple[ast.AST, str]]:
    if sign := _SWAPPED.get(type(node.op)):
        yield node, f"{ast.unparse(node.target)} {sign}= {ast.unparse(node.value)}"


def _boolean(node: ast.BoolOp) -> Iterator[tuple[ast.AST, str]]:
    word = " or " if isinstance(node.op, ast.And) else " and "
    same = " and " if isinstance(node.op, ast.And) else " or "
    texts = [f"({ast.unparse(value)})" for value in node.values]
    yield node, f"({word.join(texts)})"
    for place in range(len(texts)):
        yield node, f"({same.join(texts[:place] + texts[place + 1 :])})"


def _unary(node: ast.UnaryOp) -> Iterator[tuple[ast.AST, str]]:
    yield node, f"({ast.unparse(node.operand)})"


def _constant(node: ast.Constant) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node.value, int):
        yield node, str(node.value + 1)


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[tuple[ast.AST, str]]:
    if not isinstance(node.test, ast.UnaryOp | ast.Compare):
        yield node.test, f"(not ({ast.unparse(node.test)}))"


def _filtered(node: ast.comprehension) -> Iterator[tuple[ast.AST, str]]:
    for condition in node.ifs:
        yield condition, "True"


def _statement(node: ast.Expr) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node.value, ast.Call):
        yield node, "pass"


def _raise(node: ast.Raise) -> Iterator[tuple[ast.AST, str]]:
    yield node, "pass"


def _return(node: ast.Return) -> Iterator[tuple[ast.AST, str]]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield node, "return None"


def _loop(node: ast.Break | ast.Continue) -> Iterator[tuple[ast.AST, str]]:
    yield node, "break" if isinstance(node, ast.Continue) else "continue"


def _call(node: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED_NAMES:
        yield node.func, _SWAPPED_NAMES[node.func.id]
        # The order of their arguments changes nothing.
        return
    arguments = [*node.args, *node.keywords]
    texts = [ast.unparse(each) for each in arguments]
    for place, each in enumerate(arguments):
        if isinstance(each, ast.keyword) and not _is_silent(each):
            yield node, f"{ast.unparse(node.func)}({', '.join(texts[:place] + texts[place + 1 :])})"
    if len(node.args) > 1 and not any(isinstance(each, ast.Starred) for each in node.args):
        swapped = [texts[1], texts[0], *texts[2:]]
        if swapped != texts:
            yield node, f"{ast.unparse(node.func)}({', '.join(swapped)})"


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[tuple[ast.AST, str]]:
    if len(node.elts) < 2 or isinstance(getattr(node, "ctx", None), ast.Store):
        return
    brackets = {ast.Tuple: "()", ast.List: "[]", ast.Set: "{}"}[type(node)]
    texts = [ast.unparse(each) for each in node.elts]
    for place in range(len(texts)):
        rest = texts[:place] + texts[place + 1 :]
        yield node, f"{brackets[0]}{', '.join(rest)},{brackets[1]}"


_CHANGES = (
    (ast.Compare, _compare),
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _unary),
    (ast.Constant, _constant),
    (ast.If | ast.IfExp | ast.While, _condition),
    (ast.comprehension, _filtered),
    (ast.Expr, _statement),
    (ast.Raise, _raise),
    (ast.Return, _return),
    (ast.Break | ast.Continue, _loop),
    (ast.Call, _call),
    (ast.Tuple | ast.List | ast.Set, _elements),
)
