"""The tables of the README and of `docs/`, made from the code, and the copies of the examples.

`python -m tests.documentation.tables` writes them into the pages. A table stands below a comment such as
`<!-- table: settings -->` or `<!-- table: members purchase purchases -->`: the name of a function of this module and its
arguments.
"""

import argparse
import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.api import Commands, MockKlarna
from mock_klarna.certify import RULES
from mock_klarna.certify.probes import PROBES
from mock_klarna.cli.main import COMMANDS
from mock_klarna.cli.run import add_arguments as add_run_arguments
from mock_klarna.domain.events import Event, event_classes
from mock_klarna.errors import TYPE_BASE
from mock_klarna.scenario.runner import BUILT_IN_VARIABLES
from mock_klarna.scenario.steps import STEPS
from mock_klarna.settings import flag_of, setting_fields, variable_of
from mock_klarna.validation.explain import without_sources
from mock_klarna.web.errors import PROBLEM_TYPES
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import OPERATIONS, SANDBOX
from mock_klarna.web.query import MERCHANT, Parameter
from tests.documentation.pages import PAGES, copied

Json = dict[str, Any]
Row = tuple[str, ...]
_TABLE = re.compile(r"(<!-- table: (\w+)((?: \w+)*) -->\n\n)((?:\|.*\n)*\n*)")
STEP_NAMES = tuple(STEPS)
VARIABLES = (*BUILT_IN_VARIABLES, "turn")
"""Variables that scenarios have without `vars`."""
PACKAGE = Path(resources.__file__).parent
PROJECT = Path(__file__).parents[2]
_MANY = 12
"""An enumeration of more values than this has a table of its own."""


def commands() -> str:
    """Return the commands of the command line."""
    rows = [(f"`mock-klarna {name}`", command.summary.rstrip(".")) for name, command in COMMANDS.items()]
    return _table(("command", "does"), rows)


def run() -> str:
    """Return the flags of `run` that are not settings."""
    parser = argparse.ArgumentParser(add_help=False)
    add_run_arguments(parser)
    settings = {flag_of(setting.name) for setting in setting_fields()}
    flags = [each for each in parser._actions if each.option_strings and settings.isdisjoint(each.option_strings)]
    return _table(("flag", "does"), [(f"`{_usage(flag)}`", (flag.help or "").rstrip(".")) for flag in flags])


def _usage(flag: argparse.Action) -> str:
    name = ", ".join(flag.option_strings)
    return name if flag.nargs == 0 else f"{name} {flag.metavar or flag.dest.upper()}"


def settings() -> str:
    """Return the settings with what each allows."""
    rows = []
    for setting in setting_fields():
        names = f"`{flag_of(setting.name)}`<br>`{variable_of(setting.name)}`"
        rows.append((names, _values(setting), _default(setting.default), setting.metadata["help"]))
    return _table(("flag and variable", "values", "default", "meaning"), rows)


def _values(setting: Any) -> str:
    """Return the allowed values of a setting."""
    allowed = setting.metadata["allowed"]
    return re.sub(r"^one of (.*)$", lambda words: "`" + words[1].replace(", ", "`, `") + "`", allowed)


def _default(default: Any) -> str:
    if default in ("", ()):
        return ""
    text = f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{text.lower() if isinstance(default, bool) else text}`"


def klarna() -> str:
    """Return Klarna's own endpoints."""
    return _operations([row for row in OPERATIONS if row.api.rules.emulates_klarna])


def mock() -> str:
    """Return the sandbox's own endpoints."""
    return _operations([*SANDBOX])


def _operations(rows: list[Operation]) -> str:
    cells = [(f"`{row.name}`", f"`{row.method} {row.path}`<br>{row.summary.rstrip('.')}") for row in rows]
    return _table(("operation", "request"), cells)


def parameters() -> str:
    """Return the query parameters of the sandbox's own endpoints."""
    rows = [_parameter_row(MERCHANT, "every endpoint under `/_mock`")]
    uses: dict[tuple[str, str], tuple[Parameter, list[str]]] = {}
    for operation in SANDBOX:
        for parameter in operation.parameters:
            _, paths = uses.setdefault((parameter.name, parameter.description), (parameter, []))
            paths.append(f"`{operation.path}`")
    rows += [_parameter_row(parameter, ", ".join(dict.fromkeys(paths))) for parameter, paths in uses.values()]
    return _table(("parameter", "takes", "meaning", "of"), rows)


def _parameter_row(parameter: Parameter, where: str) -> Row:
    name = f"`{parameter.name}`" + (" (header)" if parameter.location == "header" else "")
    return name, _form(parameter.schema), parameter.description.rstrip("."), where


def rules() -> str:
    """Return the rules of `certify`."""
    found = ((f"`{rule.id}`", rule.title, rule.severity.value, rule.source, rule.needs) for rule in RULES)
    return _table(("rule", "a shop that obeys it", "else", "source", "decided by"), list(found))


def probes() -> str:
    """Return the probes of `certify --shop`."""
    basic = len(PROBES[0].rules)
    found = (
        (f"`{probe.name}`", probe.title, " ".join(probe.rules) if len(probe.rules) < basic else "those of an order")
        for probe in PROBES
    )
    return _table(("probe", "what happens", "rules"), list(found))


def problem_types() -> str:
    """Return the types of problem details."""
    rows = [(str(status), f"`{TYPE_BASE}{name}`", title) for status, (name, title) in PROBLEM_TYPES.items()]
    return _table(("status", "type", "title"), rows)


def body(operation: str) -> str:
    """Return what the body of a request under `/_mock` contains."""
    rows = list(_members(_schema(f"requests/{operation}.json")))
    return _table(("member", "takes", "meaning"), rows)


def events() -> str:
    """Return the events that the journal records."""
    kinds, found = [Event], list[type[Event]]()
    for kind in kinds:
        kinds += kind.__subclasses__()
        found += [] if kind.__subclasses__() else [kind]
    rows = [(f"`{re.sub('(?<=[a-z])(?=[A-Z])', '_', kind.__name__).lower()}`", _first_sentence(kind)) for kind in found]
    return _table(("event", "when"), sorted(rows))


def steps() -> str:
    """Return the steps of a scenario."""
    rows = [(f"`{name}`", _first_sentence(step)) for name, step in STEPS.items()]
    return _table(("step", "does"), rows)


def scenario() -> str:
    """Return the members of a scenario file."""
    schema = _schema("scenario.json")
    rows = [
        (f"`{name}`", _form(member) + (", required" if name in schema["required"] else ""), member["description"])
        for name, member in schema["properties"].items()
    ]
    return _table(("member", "takes", "meaning"), rows)


def _step_schemas() -> Json:
    every: Json = _schema("scenario.json")["properties"]["steps"]["items"]["properties"]
    return every


def beside() -> str:
    """Return the members that stand beside a step's name."""
    rows = [
        (f"`{name}`", _form(part), part["description"]) for name, part in _step_schemas().items() if name not in STEPS
    ]
    return _table(("member", "takes", "meaning"), rows)


def members(*names: str) -> str:
    """Return the members of some steps: those that several of them share come first."""
    schemas = _step_schemas()
    of_step = {name: list(_members(schemas[name])) for name in names}
    sharing: dict[Row, list[str]] = {}
    for name, rows in of_step.items():
        for row in rows:
            sharing.setdefault(row, []).append(name)
    shared = [(_listed(those, names), *row) for row, those in sharing.items() if len(those) > 1]
    own: list[Row] = []
    for name, rows in of_step.items():
        own.append((f"`{name}`", "", _form(schemas[name]), schemas[name]["description"].rstrip(".")))
        own += [("", *row) for row in rows if len(sharing[row]) == 1]
    if shared:
        shared = [
            (row[0] if index == 0 or shared[index - 1][0] != row[0] else "", *row[1:])
            for index, row in enumerate(shared)
        ]
    return _table(("step", "member", "takes", "meaning"), [*own, *shared])


def layers() -> str:
    """Return the packages from top to bottom, as the import contract has them, each with what it is."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    rows = []
    for number, layer in enumerate(contract["layers"], start=1):
        names = [name.strip(" ()") for name in layer.split("|")]
        rows.append((str(number), "; ".join(f"`{name}`: {_about(name)}" for name in names)))
    return _table(("layer", "packages and modules"), rows)


def _about(name: str) -> str:
    folder = PACKAGE / name
    text = _module_sentence(folder / "__init__.py" if folder.is_dir() else PACKAGE / f"{name}.py")
    return text[0].lower() + text[1:]


def modules(package: str) -> str:
    """Return the modules of a package, each with the first sentence of its docstring."""
    files = sorted(file for file in (PACKAGE / package).glob("*.py") if not file.name.startswith("__"))
    return _table(("module", "contains"), [(f"`{file.name}`", _module_sentence(file)) for file in files])


def _module_sentence(file: Path) -> str:
    (docstring, *_) = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").splitlines()
    return without_sources(docstring).rstrip(".")


def _listed(those: Sequence[str], everything: Sequence[str]) -> str:
    if len(those) == len(everything) and len(those) > 2:
        return "each of these"
    if len(those) > len(everything) / 2 and len(everything) > 3:
        return "each but " + ", ".join(f"`{name}`" for name in everything if name not in those)
    return ", ".join(f"`{name}`" for name in those)


def matchers() -> str:
    """Return the matchers of expectations."""
    properties = _schema("matcher.json")["properties"]
    rows = [(f"`{name}`", _form(member), member["description"].rstrip(".")) for name, member in properties.items()]
    return _table(("matcher", "takes", "meaning"), rows)


def carts() -> str:
    """Return the stored carts."""
    return _table(("cart", "for", "goods", "shipping options"), [_cart(file) for file in _fixtures("carts")])


def _cart(file: Path) -> Row:
    cart = json.loads(file.read_text("utf-8"))
    goods = [line["name"] for line in cart.get("order_lines", ())]
    text = (
        ", ".join(goods)
        if 0 < len(goods) <= 4
        else f"{len(goods)} lines"
        if goods
        else f"{len(cart['items'])} variations"
    )
    boxes = len(cart.get("additional_checkboxes", ()))
    options = [f"`{option['id']}` {option['price']}" for option in cart.get("shipping_options", ())]
    place = f"{cart['purchase_country']}, {cart['purchase_currency']}"
    return f"`{file.stem}`", place, text + (f"; {boxes} checkboxes" if boxes else ""), ", ".join(options) or "none"


def shoppers() -> str:
    """Return the kinds of test shoppers, with the countries that have one."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for file in _fixtures("shoppers"):
        for name, shopper in json.loads(file.read_text("utf-8")).items():
            country, _, kind = name.partition("-")
            kinds.setdefault((kind, shopper["description"]), []).append(country)
    most = max(map(len, kinds.values()))
    rows = [
        (
            f"`{those[0]}-{kind}`",
            text.rstrip("."),
            f"all {most}" if len(those) == most else ", ".join(f"`{one}`" for one in those),
        )
        for (kind, text), those in kinds.items()
    ]
    return _table(("such as", "what happens", "countries"), rows)


def methods() -> str:
    """Return what tests can do with the fixtures: both have the same methods."""
    everything = [each for kind in (Commands, MockKlarna) for each in vars(kind).values()]
    found = [each for each in everything if inspect.isfunction(each) and not each.__name__.startswith("_")]
    rows = [(f"`{each.__name__}({_signature(each)})`", _first_sentence(each)) for each in found]
    return _table(("method", "does"), rows)


def _signature(method: Callable[..., object]) -> str:
    _, *others = inspect.signature(method).parameters.values()
    plain = (parameter.replace(annotation=inspect.Parameter.empty) for parameter in others)
    return str(inspect.Signature(list(plain)))[1:-1]


def _fixtures(folder: str) -> list[Path]:
    return sorted((resources.fixtures() / folder).glob("*.json"))


def _schema(path: str) -> Json:
    schema: Json = json.loads((resources.schemas() / path).read_text("utf-8"))
    return schema


def _members(schema: Json, prefix: str = "") -> Iterator[Row]:
    """Yield a row for each member of a body, and for those of an object that stands nowhere else."""
    for part in [schema, *schema.get("oneOf", ())]:
        for name, member in part.get("properties", {}).items():
            mark = ". Required" if name in part.get("required", ()) and prefix == "" else ""
            yield f"`{prefix}{name}`", _form(member), member["description"].rstrip(".") + mark
            for inner in [member, *member.get("oneOf", ())]:
                if "properties" in inner and "allOf" not in inner:
                    yield from _members(inner, f"{prefix}{name}.")


_REFERENCES = {
    "duration": '`"1h30m"` or seconds',
    "matcher": "[matcher](#matchers)",
    "set_clock": "object, the body of `POST /_mock/clock`",
    "create_fault": "object, the body of `POST /_mock/faults`",
}


def _form(member: Json) -> str:
    """Return what a member may be: its values, its type and its bounds."""
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2].removesuffix(".json")
        return _REFERENCES.get(name) or _form(_schema(f"components/{name}.json"))
    if "oneOf" in member:
        return " or ".join(dict.fromkeys(_form(part) for part in member["oneOf"]))
    if "enum" in member:
        return _enumerated(member["enum"])
    if "const" in member:
        return f"`{json.dumps(member['const'])}`"
    if "type" not in member:
        return "any value"
    kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
    return " or ".join(kinds) + _bounds(member)


def _enumerated(values: Sequence[Any]) -> str:
    if len(values) <= _MANY:
        return ", ".join(f"`{value}`" for value in values)
    if "create_order" in values:
        names, known = {row.name for row in OPERATIONS}, event_classes()
        others = ", ".join(f"`{value}`" for value in values if value not in names and value not in known)
        event = ", an [event](scenarios.md#events)" if "purchase_placed" in values else ""
        return "an [operation](http-api.md#klarnas-endpoints)" + event + (f", {others}" if others else "")
    return "an [event](#events)"


def _bounds(member: Json) -> str:
    least, most = member.get("minimum", member.get("exclusiveMinimum")), member.get("maximum")
    if least is None:
        return ""
    return f", {'above ' if 'exclusiveMinimum' in member and most is None else ''}{least}" + (
        f" to {most}" if most is not None else " or more"
    )


def _first_sentence(thing: object) -> str:
    return without_sources((thing.__doc__ or "").strip().splitlines()[0]).rstrip(".")


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


TABLES: dict[str, Callable[..., str]] = {
    each.__name__: each
    for each in (
        commands, run, settings, klarna, mock, parameters, problem_types, body, events, scenario, beside, steps, members,
        matchers, carts, shoppers, methods, layers, modules, rules, probes,
    )
}  # fmt: skip
"""Every table by the name in its marker."""


def rewritten(text: str) -> str:
    """Return a page's text with every marked table as the code has it."""
    return _TABLE.sub(lambda found: found[1] + TABLES[found[2]](*found[3].split()) + "\n\n", text)


def placed(text: str) -> list[tuple[str, ...]]:
    """Return the tables that a page has: the name of each, then its arguments."""
    return [(found[2], *found[3].split()) for found in _TABLE.finditer(text)]


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(copied(page, rewritten(page.read_text("utf-8"))), "utf-8")
