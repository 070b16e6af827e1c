"""What a body must be: schemas compiled once, Klarna's arithmetic and URL rules, and words for every refusal."""

from mock_klarna.contract.checking import Contract, shared_contract
from mock_klarna.contract.reading import MalformedBody, read_json

__all__ = ["Contract", "MalformedBody", "read_json", "shared_contract"]
