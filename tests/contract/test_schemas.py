"""The schemas themselves: complete, connected, and judged alike by both engines."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
import referencing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_klarna import bundle
from mock_klarna.contract.catalogue import Part, load
from tests.contract.strategies import resembling

CATALOGUES = {"lenient": load(bundle.schemas()), "strict": load(bundle.schemas(), strict=True)}
PLAIN = CATALOGUES["lenient"]
SINGLE = ("items", "additionalProperties", "not", "if", "then", "x-strict")

every_document = pytest.mark.parametrize("document", PLAIN.documents)


def subschemas(schema: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, Mapping):
        return
    yield place, schema
    for name, inner in schema.get("properties", {}).items():
        yield from subschemas(inner, f"{place}/properties/{name}")
    for keyword in SINGLE:
        yield from subschemas(schema.get(keyword), f"{place}/{keyword}")
    for keyword in ("allOf", "anyOf", "oneOf"):
        for at, inner in enumerate(schema.get(keyword, ())):
            yield from subschemas(inner, f"{place}/{keyword}/{at}")


@every_document
def test_a_document_is_a_valid_schema_with_its_own_id_and_title(document: str) -> None:
    schema = PLAIN.documents[document]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{document}")
    assert schema["title"]
    assert schema["description"]


@every_document
def test_every_property_has_a_description(document: str) -> None:
    schema = PLAIN.documents[document]
    places = [(place, inner) for place, inner in subschemas(schema) if "x-strict" not in place and "/then" not in place]
    properties = [
        (place, inner) for place, inner in places if place.split("/")[-2:-1] == ["properties"] and "/if" not in place
    ]
    assert [place for place, inner in properties if not inner.get("description")] == []


@every_document
def test_every_reference_leads_to_a_document(document: str) -> None:
    for _, schema in subschemas(PLAIN.documents[document]):
        if "$ref" in schema:
            assert PLAIN.whole(document)
            assert list(PLAIN._parts(Part(schema, document)))[1].schema["$id"]


@every_document
def test_what_cannot_be_put_in_words_says_what_is_expected(document: str) -> None:
    for place, schema in subschemas(PLAIN.documents[document]):
        if not place.endswith("/not") and any(word in schema for word in ("pattern", "not", "anyOf", "oneOf")):
            assert schema.get("x-expected"), place


OURS = (
    "create_purchase",
    "decide_fraud_review",
    "set_clock",
    "create_fault",
    "reset",
    "run_scenario",
    "set_token_status",
)


@every_document
def test_only_our_own_requests_refuse_unknown_members(document: str) -> None:
    ours = {f"requests/{name}.json" for name in OURS}
    closed = any(schema.get("additionalProperties") is False for _, schema in subschemas(PLAIN.documents[document]))
    assert closed == (document in ours)


@cache
def resembling_document(document: str) -> st.SearchStrategy[Any]:
    return resembling(PLAIN, PLAIN.whole(document))


@cache
def engines(mode: str, document: str) -> tuple[jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator]:
    documents = [(schema["$id"], dict(schema)) for schema in CATALOGUES[mode].documents.values()]
    resources = [(identity, referencing.Resource.from_contents(schema)) for identity, schema in documents]
    schema = dict(CATALOGUES[mode].documents[document])
    fast = jsonschema_rs.Draft202012Validator(schema, registry=jsonschema_rs.Registry(documents))
    return fast, jsonschema.Draft202012Validator(schema, registry=referencing.Registry().with_resources(resources))


@pytest.mark.parametrize("mode", CATALOGUES)
@every_document
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_engines_come_to_the_same_verdict(mode: str, document: str, data: st.DataObject) -> None:
    value = data.draw(resembling_document(document))
    fast, slow = engines(mode, document)
    assert fast.is_valid(value) == slow.is_valid(value)


@pytest.mark.parametrize("mode", CATALOGUES)
@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("components/country.json", "SE"),
        ("components/currency.json", "SEK"),
        ("components/locale.json", "sv-SE"),
        ("components/duration.json", "1h30m"),
    ],
)
def test_a_line_break_at_the_end_is_seen_by_both_engines(mode: str, document: str, text: str) -> None:
    for engine in engines(mode, document):
        assert engine.is_valid(text)
        assert not engine.is_valid(text + "\n")
