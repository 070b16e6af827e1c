"""Bodies of fuzz tests: valid ones made from the schemas and from values seen before, and changed ones."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cached_property
from random import Random
from typing import Any

import orjson

from mock_klarna import resources
from tests.web.malformed import CHANGES

Json = Any
_CLOSED = "http://127.0.0.1:1/closed"
_MAX_REMEMBERED = 30
_LONGEST_REMEMBERED = 20
_DEEPEST = 7
_WAITS = ("wait", "delay", "seconds")
_LONGEST_WAIT = 86_400

_TEXTS = (
    "", " ", "a", "SE", "sv-SE", "SEK", _CLOSED, "a@b.example", "1985-10-20", "2h", "0", "null", "x" * 70, "x" * 300,
    "\u00e5\u00e4\u00f6", "\U0001f600", "\u202e", "a\u0000b", "\r\nA: b", "'\"<script>", "${name}", "../../etc/passwd",
    "%00", "\ufeff", "\u2028", "javascript:alert(1)", "http://[", "http://a\u0000", "https://\u2488.example",
    "file:///", "1e999", "-1", "2999-12-31T23:59:59Z",
)  # fmt: skip
_NUMBERS = (
    0, 1, -1, 2, 100, 0.5, -0.0, 1e300, 1e-320, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**40,
)  # fmt: skip
_NAMES = (
    "", "", "", "0", "a.b", "a[0]", "\u0000", "__proto__", "\u00e9", "x" * 300, "null", "$ref", "constructor", " ",
    "\ud800",
)  # fmt: skip
_LITERALS = ("NaN", "-Infinity", "1e999", "-1e999", "1E5", "0.0", "1.0", "9" * 400, '"\\ud800"', '"\\u0000"', "01", "")
"""JSON and what looks like it, which `json.dumps` does not write."""


class Values:
    """Values by the name of their member: those of the fixtures, and the newest of what the server answered."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._learned: dict[str, deque[Json]] = {}
        self.orders: deque[tuple[str, Json]] = deque(maxlen=_MAX_REMEMBERED)
        """Authorization tokens with the order that was authorized."""

    def learn(self, part: Json) -> None:
        """Remember the members of an answer."""
        if isinstance(part, dict):
            if isinstance(part.get("order"), dict) and isinstance(part.get("authorization_token"), str):
                self.orders.append((part["authorization_token"], part["order"]))
            for name, value in part.items():
                self.remember(name, value)
                self.learn(value)
        elif isinstance(part, list):
            for entry in part[:_LONGEST_REMEMBERED]:
                self.learn(entry)

    def remember(self, name: str, value: Json) -> None:
        """Remember one value."""
        if value is not None and not (isinstance(value, list | str) and len(value) > 1000):
            self._learned.setdefault(name, deque(maxlen=_MAX_REMEMBERED)).append(value)

    def get(self, *names: str) -> Json:
        """Return a value of one of these names, or None."""
        learned = [self._learned[name] for name in names if name in self._learned]
        fixed = [_FIXTURES.values[name] for name in names if _FIXTURES.values.get(name)]
        if learned and (not fixed or self._rng.random() < 0.5):
            values = self._rng.choice(learned)
            return values[-1] if self._rng.random() < 0.4 else self._rng.choice(values)
        return self._rng.choice(self._rng.choice(fixed)) if fixed else None

    @property
    def carts(self) -> Mapping[str, Json]:
        """The stored carts by their names."""
        return _FIXTURES.carts


class _Fixtures:
    @cached_property
    def carts(self) -> dict[str, Json]:
        files = sorted((resources.fixtures() / "carts").glob("*.json"))
        return {file.stem: orjson.loads(file.read_bytes()) for file in files}

    @cached_property
    def values(self) -> dict[str, list[Json]]:
        """Values by the name of their member in the guide's examples and the carts, each value once."""
        found: dict[str, list[Json]] = {"cart": list(self.carts), "url": [_CLOSED]}
        guide = [orjson.loads(file.read_bytes()) for file in sorted((resources.fixtures() / "guide").glob("*-*.json"))]
        for name, value in _members([*self.carts.values(), *guide]):
            known = found.setdefault(name, [])
            is_id = name.endswith(("_id", "_key", "_token"))
            if not is_id and value not in known and not (isinstance(value, str) and value.startswith("<")):
                known.append(value)
        urls = dict.fromkeys(("place_order", "push", "notification", "update", "confirmation", "terms"), _CLOSED)
        return found | {name: [_CLOSED] for name in urls} | {"merchant_urls": [urls]}


_FIXTURES = _Fixtures()


def _members(part: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(part, dict):
        yield from part.items()
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _members(inner)


class Bodies:
    """Makes bodies from the schemas of an OpenAPI document."""

    def __init__(self, document: Json, values: Values, rng: Random) -> None:
        self._document = document
        self._values = values
        self._rng = rng
        self._flat: dict[int, Json] = {}
        self._special: Mapping[str, Callable[[], Json]] = {
            "create_purchase": self._purchase,
            "add_order": self._purchase,
            "sdk_load": lambda: {"options": self._page()},
            "sdk_sessions": lambda: {"options": self._page()},
            "create_button": self._button,
            "update_button": self._button,
            "sdk_identify": lambda: {"shopper": rng.choice(["se-approved", "us-approved", "se-pending"])},
            "capture_order": lambda: {"captured_amount": rng.choice([1, 100, 1000])},
            "refund_order": lambda: {"refunded_amount": rng.choice([1, 100])},
            "create_token": dict,
            "run_scenario": lambda: {"vars": {"shop": _CLOSED}},
            "sdk_pay": dict,
            "sdk_specify": dict,
            "set_clock": lambda: {"advance": rng.choice([1, 60, 3600, 86_400, "2h"])},
            "order_from_token": self._order_of_token,
            "reset": dict,
            "create_fault": lambda: {"on": "callback", rng.choice(["drop", "twice", "garbage"]): True},
        }

    def valid(self, operation: str, schema: Json) -> Json:
        """Return a body that is probably valid for an operation."""
        special = self._special.get(operation)
        return special() if special and self._rng.random() < 0.7 else self.value(schema)

    def _page(self) -> Json:
        page = self._rng.choice(list(self._values.carts.values()))
        key = self._values.get("button_key")
        return {"setup": {"key": key, "instance_id": "1"}, **page} if key else page

    def _purchase(self) -> Json:
        rng = self._rng
        body: Json = {"cart": rng.choice(list(self._values.carts)), "wait": 0}
        if rng.random() < 0.5 and (key := self._values.get("button_key")):
            body["button_key"] = key
        if rng.random() < 0.5:
            body["outcome"] = rng.choice(["ACCEPTED", "PENDING", "REJECTED"])
        return body

    def _order_of_token(self) -> Json:
        order = self._rng.choice(self._values.orders)[1] if self._values.orders else {}
        names = ("order_amount", "order_tax_amount", "order_lines", "purchase_currency")
        return {name: order[name] for name in names if name in order}

    def _button(self) -> Json:
        asked = self._rng.choice(("place_order", "place_order", "create_customer_token"))
        names = self._rng.sample(("push", "notification", "update", "confirmation"), 2)
        return {"merchant_urls": dict.fromkeys((asked, *names), _CLOSED)}

    def value(self, schema: Json, name: str = "", depth: int = 0) -> Json:
        """Return a value for a schema; `name` is that of the member."""
        rng = self._rng
        known = self._values.get(name) if name and rng.random() < 0.6 else None
        if known is not None:
            return known
        flat = self._flattened(schema)
        for keyword in ("const", "default"):
            if keyword in flat and rng.random() < 0.5:
                return flat[keyword]
        if flat.get("enum"):
            return rng.choice(flat["enum"])
        if branches := flat.get("oneOf") or flat.get("anyOf"):
            branch = self._flattened(rng.choice(branches))
            flat = {**flat, **branch, "properties": {**flat.get("properties", {}), **branch.get("properties", {})}}
            flat["required"] = [*flat.get("required", ()), *branch.get("required", ())]
        return self._of_type(flat, name, depth)

    def _of_type(self, schema: Json, name: str, depth: int) -> Json:
        rng = self._rng
        kinds = schema.get("type") or ("object" if schema.get("properties") else "string")
        kind = kinds if isinstance(kinds, str) else rng.choice(kinds)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = rng.randint(schema.get("minItems", 0), min(schema.get("maxItems", 3), 3))
            return [
                self.value(schema.get("items", {}), name, depth + 1) for _ in range(count if depth < _DEEPEST else 0)
            ]
        if kind in ("integer", "number"):
            least, most = schema.get("minimum", -1000), schema.get("maximum", 10**9)
            return rng.choice([max(least, 1), least, most, rng.randint(int(least), int(min(most, 1000)))])
        return {"boolean": rng.random() < 0.5, "null": None}.get(kind, rng.choice(_TEXTS))

    def _object(self, schema: Json, depth: int) -> Json:
        rng, needed = self._rng, set(schema.get("required", ()))
        made = {
            name: self.value(inner, name, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in needed or (depth < _DEEPEST and rng.random() < 0.4)
        }
        others = schema.get("additionalProperties")
        if isinstance(others, dict) and depth < _DEEPEST:
            for name in rng.sample(("a", "b", "size", "", "0"), rng.randrange(3)):
                made[name] = self.value(others, "", depth + 1)
        return made

    def _flattened(self, schema: Json) -> Json:
        """Return a schema with what it refers to."""
        if not isinstance(schema, dict):
            return {}
        if id(schema) not in self._flat:
            flat = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
            parts = [self._component(schema["$ref"])] if "$ref" in schema else []
            for part in map(self._flattened, [*parts, *schema.get("allOf", ())]):
                properties = {**part.get("properties", {}), **flat.get("properties", {})}
                flat = {**part, **flat, **({"properties": properties} if properties else {})}
            self._flat[id(schema)] = flat
        return self._flat[id(schema)]

    def _component(self, reference: str) -> Json:
        return self._document["components"]["schemas"][reference.rpartition("/")[2]]

    # Changes

    def changed(self, body: Json, times: int) -> Json:
        """Return a copy of a body with changes at random places."""
        changed = deepcopy(body)
        for _ in range(times):
            holder, key = self._random_place(changed)
            if holder is None:
                return self._wild()
            self._change(holder, key)
        return changed

    def _random_place(self, body: Json) -> tuple[Json, Any]:
        """Return an object or list with a name or number in it; a deep place is as probable as one at the top."""
        holder, key = None, None
        while isinstance(body, dict | list) and body and (holder is None or self._rng.random() < 0.7):
            key = self._rng.choice(list(body)) if isinstance(body, dict) else self._rng.randrange(len(body))
            holder, body = body, body[key]
        return holder, key

    def _change(self, holder: Json, key: Any) -> None:
        rng, kind = self._rng, self._rng.randrange(10)
        if kind < 2:
            del holder[key]
        elif kind == 2 and isinstance(holder, dict):
            holder[rng.choice(_NAMES)] = holder.pop(key) if rng.random() < 0.5 else self._wild()
        elif kind == 2:
            holder *= rng.choice((2, 2, 40, 1100 if len(holder) < 3 else 2))
        elif kind == 3 and isinstance(holder[key], str) and holder[key][:1] in "{[" and len(holder[key]) > 2:
            holder[key] = self._changed_text(holder[key])
        elif kind == 4 and (value := self._values.get(str(key))) is not None:
            holder[key] = value
        elif kind == 5 and isinstance(holder[key], str):
            holder[key] = holder[key] + rng.choice(_TEXTS)
        elif kind == 6 and isinstance(holder[key], int | float):
            holder[key] = rng.choice(
                (-holder[key], holder[key] + 1, holder[key] - 1, holder[key] * 10, str(holder[key]))
            )
        else:
            holder[key] = self._wild()

    def _changed_text(self, text: str) -> str:
        """Change the JSON that a text contains, as records of a snapshot do."""
        try:
            return orjson.dumps(self.changed(orjson.loads(text), 1)).decode()
        except (TypeError, ValueError):  # not JSON, or now not representable as UTF-8 in 64 bits
            return text[:-1]

    def _wild(self) -> Json:
        rng = self._rng
        kind = rng.randrange(12)
        if kind < 4:
            return rng.choice(_TEXTS)
        if kind < 8:
            return rng.choice(_NUMBERS)
        if kind == 8:
            return _nested(rng.choice((3, 60, 63, 64, 65)), rng.random() < 0.5)
        if kind == 9:
            return _Literal(rng.choice(_LITERALS))
        return rng.choice((None, True, False, [], {}, [{}], {"": {}}, {"": [{"": 1}]}, [[]], ["a", 1], {"a": None}))

    def written(self, body: Json) -> bytes:
        """Return a body as JSON, now and then with members twice, in other words or not quite JSON."""
        rng = self._rng
        _without_waits(body)
        text = json.dumps(body, ensure_ascii=rng.random() < 0.5, default=_Literal.marked)
        for literal in _LITERALS:
            text = text.replace(json.dumps(_Literal.marked(_Literal(literal))), literal)
        if rng.random() < 0.03 and text.startswith("{") and len(text) > 2:
            text = "{" + text[1:-1] + "," + text[1:]
        raw = text.encode("utf-8", "surrogatepass")
        if rng.random() < 0.06:
            raw = _damaged(rng, raw)
        return raw


class _Literal:
    """Something that is written into JSON as it is."""

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def marked(literal: "_Literal") -> str:
        return f"literal:{_LITERALS.index(literal.text)}:"


def _nested(depth: int, is_object: bool) -> Json:
    value: Json = 1
    for _ in range(depth):
        value = {"a": value} if is_object else [value]
    return value


def _without_waits(body: Json) -> None:
    """Replace long times of waiting by none, so that no request takes minutes."""
    if isinstance(body, dict):
        for name in _WAITS:
            value = body.get(name)
            if isinstance(value, int | float) and 0 < value <= _LONGEST_WAIT:
                body[name] = 0


def _damaged(rng: Random, raw: bytes) -> bytes:
    try:
        return rng.choice(CHANGES)(rng, raw)
    except (IndexError, ValueError):  # too short, or without a number
        return raw[1:]
