"""The fast half of validation: whether a value satisfies a schema document, in microseconds and without a reason."""

import posixpath
from typing import TYPE_CHECKING

from mock_klarna.contract.catalogue import Catalogue

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator as Schema


class Verdict:
    """The documents of one catalogue, each compiled when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        from jsonschema_rs import Registry  # a server starts before the first body comes

        self._catalogue = catalogue
        self._registry = Registry([(document["$id"], dict(document)) for document in catalogue.documents.values()])
        self._compiled: dict[str, Schema] = {}

    def schema(self, document: str) -> "Schema":
        """Return the compiled document, by its path below `schemas/`."""
        from jsonschema_rs import Draft202012Validator

        if document not in self._compiled:
            contents = dict(self._catalogue.documents[document])
            self._compiled[document] = Draft202012Validator(contents, registry=self._registry)
        return self._compiled[document]

    def accepts_entry(self, reference: str, value: object) -> bool:
        """Tell whether a value satisfies the component that a reference in another document leads to."""
        return self.schema(f"components/{posixpath.basename(reference)}").is_valid(value)
