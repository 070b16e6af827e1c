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

from mock_klarna import resources as bundle
from mock_klarna.validation.schemas import Catalogue, Part, load
from tests.extent import extent
from tests.validation.strategies import resembling

CATALOGUES = {"lenient": load(bundle.schemas()), "strict": load(bundle.schemas(), strict=True)}
PLAIN = CATALOGUES["lenient"]
SINGLE = ("items", "additionalProperties", "not", "if", "then", "x-strict")


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


EVERYWHERE = [
    (document, place, schema) for document in PLAIN.documents for place, schema in subschemas(PLAIN.documents[document])
]


def test_a_document_is_a_valid_schema_with_its_own_id_and_title() -> None:
    for document, schema in PLAIN.documents.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"].endswith(f"/{document}")
        assert schema["title"], document
        assert schema["description"], document


def test_every_property_has_a_description() -> None:
    shown = [entry for entry in EVERYWHERE if not any(part in entry[1] for part in ("x-strict", "/then", "/if"))]
    properties = [entry for entry in shown if entry[1].split("/")[-2:-1] == ["properties"]]
    assert len(properties) > 100
    assert [(document, place) for document, place, schema in properties if not schema.get("description")] == []


def test_every_reference_leads_to_a_document() -> None:
    references = [(document, schema) for document, _, schema in EVERYWHERE if "$ref" in schema]
    assert len(references) > 100
    for document, schema in references:
        assert PLAIN.parts(document), document
        assert list(PLAIN._parts(Part(schema, document)))[1].schema["$id"], (document, schema)


def test_what_cannot_be_put_in_words_says_what_is_expected() -> None:
    wordless = ("pattern", "not", "anyOf", "oneOf")
    silent = [
        (document, place)
        for document, place, schema in EVERYWHERE
        if not place.endswith("/not") and any(word in schema for word in wordless) and not schema.get("x-expected")
    ]
    assert silent == []


@pytest.mark.parametrize("other", ["callbacks/create_order.json", "requests/page.json"])
def test_two_documents_of_the_same_name_are_an_error(other: str) -> None:
    catalogue = Catalogue({**PLAIN.documents, other: {}})
    with pytest.raises(ValueError, match=r"have the same name"):
        assert catalogue.operations


OURS = (
    "create_purchase",
    "decide_fraud_review",
    "set_clock",
    "create_fault",
    "forge_callback",
    "reset",
    "run_scenario",
    "set_token_status",
    "resend_callback",
    "load_snapshot",
    "sdk_draft",
    "sdk_problem",
)


def test_only_our_own_requests_refuse_unknown_members() -> None:
    closed = {document for document, _, schema in EVERYWHERE if schema.get("additionalProperties") is False}
    assert closed == {f"requests/{name}.json" for name in OURS}


@cache
def resembling_document(document: str) -> st.SearchStrategy[Any]:
    return resembling(PLAIN, PLAIN.parts(document))


@cache
def registries(mode: str) -> tuple[jsonschema_rs.Registry, referencing.Registry[Any]]:
    documents = [(schema["$id"], dict(schema)) for schema in CATALOGUES[mode].documents.values()]
    resources = [(identity, referencing.Resource.from_contents(schema)) for identity, schema in documents]
    return jsonschema_rs.Registry(documents), referencing.Registry[Any]().with_resources(resources).crawl()


@cache
def engines(mode: str, document: str) -> tuple[jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator]:
    fast, slow = registries(mode)
    schema = dict(CATALOGUES[mode].documents[document])
    return (
        jsonschema_rs.Draft202012Validator(schema, registry=fast),
        jsonschema.Draft202012Validator(schema, registry=slow),
    )


@pytest.mark.parametrize("document", PLAIN.documents)
@settings(max_examples=extent(usual=3, thorough=30), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_engines_come_to_the_same_verdict(document: str, data: st.DataObject) -> None:
    value = data.draw(resembling_document(document))
    for mode in CATALOGUES:
        fast, slow = engines(mode, document)
        assert fast.is_valid(value) == slow.is_valid(value), mode


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
