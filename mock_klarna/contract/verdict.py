"""The fast half of validation: whether a value satisfies a schema document, in microseconds and without a reason."""

import posixpath

import jsonschema_rs

from mock_klarna.contract.catalogue import Catalogue


class Verdict:
    """The documents of one catalogue, each compiled when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._registry = jsonschema_rs.Registry(
            [(document["$id"], dict(document)) for document in catalogue.documents.values()]
        )
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def schema(self, document: str) -> jsonschema_rs.Draft202012Validator:
        """Return the compiled document, by its path below `schemas/`."""
        if document not in self._compiled:
            contents = dict(self._catalogue.documents[document])
            self._compiled[document] = jsonschema_rs.Draft202012Validator(contents, registry=self._registry)
        return self._compiled[document]

    def accepts_entry(self, reference: str, value: object) -> bool:
        """Tell whether a value satisfies the component that a reference in another document leads to."""
        return self.schema(f"components/{posixpath.basename(reference)}").is_valid(value)
