"""What a body must be: schemas compiled once, Klarna's arithmetic and URL rules, and words for every refusal."""

from mock_klarna.validation.json_body import MalformedBody, is_compact, read_json, set_at, write_json
from mock_klarna.validation.validator import LARGE_BODY, Validator, shared_validator

__all__ = [
    "LARGE_BODY",
    "MalformedBody",
    "Validator",
    "is_compact",
    "read_json",
    "set_at",
    "shared_validator",
    "write_json",
]
