"""The checkable habits of this project as functions: a file goes in, sentences about what to mend come out.

A rule sees one file at a time. Where it applies is part of the rule, so that reading ``RULES`` shows the whole law.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

FILE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 50

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file of the repository, its path relative to the root and with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def within(self, *places: str) -> bool:
        """Tell whether the file is one of these, or lies in one of these folders (given with a slash at the end)."""
        return any(self.path.startswith(place) if place.endswith("/") else self.path == place for place in places)

    def in_module(self, *modules: str) -> bool:
        """Tell whether the file is, or lies in, one of these modules (``shared/inbox`` is a file or a folder)."""
        return any(self.within(f"{module}.py", f"{module}/") for module in modules)


@dataclass(frozen=True)
class Rule:
    """A habit: where it applies, and how a breach is found."""

    name: str
    applies: Callable[[Source], bool]
    breaches: Callable[[Source], Iterator[str]]


def _python(*places: str, but: tuple[str, ...] = ()) -> Callable[[Source], bool]:
    return lambda source: source.path.endswith(".py") and source.within(*places) and not source.in_module(*but)


def _called(node: ast.AST) -> str:
    """The dotted name behind an attribute or name, as written: ``datetime.now``."""
    if isinstance(node, ast.Attribute):
        return f"{_called(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _docstrings(source: Source) -> set[int]:
    """The constants that are explanations, not values: any string that stands as a statement of its own."""
    statements = (node.value for node in source.nodes if isinstance(node, ast.Expr))
    return {id(value) for value in statements if isinstance(value, ast.Constant)}


def _strings(source: Source) -> Iterator[tuple[int, str]]:
    explained = _docstrings(source)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.lineno, node.value


def long_files(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX and f"Longer than {FILE_LINES_MAX} lines" not in source.text:
        yield f"has {lines} lines; make it a folder of the same name and role, or say why it is longer"


def long_functions(source: Source) -> Iterator[str]:
    rows = source.text.splitlines()
    for node in source.nodes:
        if isinstance(node, Function):
            body = rows[node.lineno - 1 : node.end_lineno]
            said = any(f"Longer than {FUNCTION_LINES_MAX} lines" in row for row in body)
            if len(body) > FUNCTION_LINES_MAX and not said:
                yield f"line {node.lineno}: {node.name} has {len(body)} lines; take a step out, or say why it is longer"


_BANNED: Final = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc"}


def banned_names(source: Source) -> Iterator[str]:
    named = set(re.split(r"[/_.]", source.path.lower())) & _BANNED
    if named:
        yield f"is named {', '.join(sorted(named))}; name it by what it is responsible for"
    if source.path.endswith(".py"):
        for node in source.nodes:
            if isinstance(node, ast.ClassDef):
                words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", node.name)}
                if words & _BANNED:
                    yield f"line {node.lineno}: class {node.name}; name it by what it is responsible for"


def swallowed_exceptions(source: Source) -> Iterator[str]:
    everything = {"", "Exception", "BaseException"}
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type or ast.Name("")]
            last = node.body[-1]
            goes_on = isinstance(last, ast.Raise) and last.exc is None
            if not goes_on and any(isinstance(kind, ast.Name) and kind.id in everything for kind in kinds):
                yield f"line {node.lineno}: catches every exception; name those that are expected here"
        elif isinstance(node, ast.Call) and _called(node.func).endswith("suppress"):
            if not any(isinstance(kind, ast.Name) and kind.id in everything for kind in node.args):
                continue
            yield f"line {node.lineno}: suppresses every exception; name those that are expected here"


_TIME_AND_DICE: Final = re.compile(
    r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|perf_counter|sleep)(_ns)?|uuid[14]|urandom"
    r"|token_(bytes|hex|urlsafe)|randint|randbelow)"
)


def other_clocks(source: Source) -> Iterator[str]:
    for node in source.nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name in {"random", "secrets", "time"}]
        elif isinstance(node, ast.ImportFrom):
            dice = node.module in {"random", "secrets", "time"}
            names = [alias.name for alias in node.names if dice or _TIME_AND_DICE.fullmatch(alias.name)]
        elif isinstance(node, ast.Attribute) and _TIME_AND_DICE.fullmatch(_called(node)):
            names = [_called(node)]
        for name in names:
            yield f"line {getattr(node, 'lineno', 0)}: {name}; ask shared/clock.py for times and dice"


def environment_reads(source: Source) -> Iterator[str]:
    for node in source.nodes:
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            names = [f"os.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [_called(node)]
        if {"os.environ", "os.environb", "os.getenv"} & set(names):
            yield f"line {getattr(node, 'lineno', 0)}: reads the environment; only settings.py does"


_SERVICE: Final = "intake|issuer|platform_bridge|notifier|ops|core|office"
_BROKER_NAME: Final = re.compile(
    r"hosho\.(applications|core|events|portals|parking)\b.*"
    rf"|({_SERVICE})\.[a-z_]+(\.v\d+|\..*)?|(application\.submitted|change\.requested)\b.*|portal\.|journal\."
)


def broker_names(source: Source) -> Iterator[str]:
    for line, text in _strings(source):
        if _BROKER_NAME.fullmatch(text):
            yield f"line {line}: {text!r} is a name on the broker; take it from shared.topology or shared.messages"


_SQL: Final = re.compile(
    r"\s*(select\s.+\b(from|as)\b|select\s+(1|pg_\w+)\b|insert\s+into\s|update\s+\w+\s+(as\s+\w+\s+)?set\s|delete\s+from\s"
    r"|with\s+\w+(\s*\([\w, ]+\))?\s+as\s|(create|alter|drop)\s+(table|index|schema|role)\s|(listen|notify)\s+\w+$"
    r"|lock\s+table\s)",
    re.IGNORECASE | re.DOTALL,
)


def sql_outside_stores(source: Source) -> Iterator[str]:
    for line, text in _strings(source):
        # A sentence for people begins with one capital.
        if _SQL.match(text) and not text.split()[0].istitle():
            yield f"line {line}: SQL; it stands in store.py, one function per statement"


def _is_store(source: Source) -> bool:
    path = PurePosixPath(source.path)
    return path.name == "store.py" or "store" in path.parts or "migrations" in path.parts


_SHARED_SQL: Final = ("inbox", "outbox", "errands", "work", "postgres", "owner")


def _no_sql_here(source: Source) -> bool:
    shared = tuple(f"shared/{module}" for module in _SHARED_SQL)
    return _python("services/", "shared/", but=shared)(source) and not _is_store(source)


def missing_docstrings(source: Source) -> Iterator[str]:
    if ast.get_docstring(source.tree) is None:
        yield "has no docstring; say what a reader finds here"
    yield from _undocumented(source.tree)


def _undocumented(parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield f"line {node.lineno}: {node.name} is public and has no docstring"
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(node)


_UNFINISHED: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_SKIPPED: Final = re.compile(r"\bpytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
_MAY_SKIP: Final = "tests/browser/conftest.py"
"""Where there is no browser, its tests are skipped loudly; in CI that is a failure."""
_REGISTRY: Final = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|index-url|(ghcr|quay|docker)\.io")
_MACHINE_PATH: Final = re.compile(r"(?<![\w.\-/}>)])/(work|root|home|Users|mnt)/[\w.]")


def unfinished_work(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if _UNFINISHED.search(line):
            yield f"line {number}: a note that something is left; finish it, or write down the decision"
        if _SKIPPED.search(line) and source.path != _MAY_SKIP:
            yield f"line {number}: a test that is switched off; mend or remove it"


def foreign_places(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if _REGISTRY.search(line):
            yield f"line {number}: a registry's host; where packages come from is for the machine to know"
        if _MACHINE_PATH.search(line):
            yield f"line {number}: a path of one machine; start from the repository's root"


def sleeping_tests(source: Source) -> Iterator[str]:
    if any(isinstance(node, Function) and node.name == "eventually" for node in source.nodes):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and _called(node.func) in {"asyncio.sleep", "time.sleep", "sleep"}:
            nothing = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not nothing:
                yield f"line {node.lineno}: sleeps; wait for a signal or use eventually()"


def impure_imports(source: Source) -> Iterator[str]:
    package = ".".join(PurePosixPath(source.path).parts[:3])
    for node in source.nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            free = name.split(".")[0] in sys.stdlib_module_names | {"pydantic", "pydantic_core"}
            ours = name == "shared.problems" or f"{name}.".startswith(("shared.messages.", f"{package}."))
            if not free and not ours:
                yield f"line {getattr(node, 'lineno', 0)}: imports {name}; rules and messages are pure"


def _is_pure(source: Source) -> bool:
    return bool(re.fullmatch(r"(services/\w+/domain(/.*)?|shared/messages/.*|shared/problems)\.py", source.path))


def _any_text(source: Source) -> bool:
    # These two name what they look for.
    return not source.within("tests/unit/tidy_rules.py", "tests/unit/test_tidy.py")


_CODE: Final = ("services/", "shared/", "simulators/", "deploy/", "bench/", "tests/")
_PRODUCT: Final = ("services/", "shared/", "simulators/", "deploy/")
_MAY_CATCH_ALL: Final = ("shared/delivery", "shared/relay", "shared/errands")

RULES: Final = (
    Rule("files are short", lambda s: s.within(*_CODE) and s.path.endswith((".py", ".sql")), long_files),
    Rule("functions are short", _python(*_CODE), long_functions),
    Rule("names say what is inside", lambda s: s.within(*_CODE), banned_names),
    Rule("no exception is swallowed", _python(*_PRODUCT, but=_MAY_CATCH_ALL), swallowed_exceptions),
    Rule("one door to time and dice", _python("services/", "shared/", but=("shared/clock",)), other_clocks),
    Rule(
        "one door to the environment",
        lambda s: _python("services/", "shared/", "simulators/")(s) and not s.path.endswith("/settings.py"),
        environment_reads,
    ),
    Rule(
        "names on the broker stand once",
        _python("services/", "shared/", but=("shared/topology", "shared/messages")),
        broker_names,
    ),
    Rule("SQL stands in stores", _no_sql_here, sql_outside_stores),
    Rule("what is public is explained", _python("services/", "shared/"), missing_docstrings),
    Rule("nothing is left for later", _any_text, unfinished_work),
    Rule("no place outside the repository", _any_text, foreign_places),
    Rule("tests wait for signals", _python("tests/"), sleeping_tests),
    Rule("rules and messages are pure", _is_pure, impure_imports),
)
