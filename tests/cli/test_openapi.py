"""`openapi` prints the document that the server has at `/_mock/openapi.json`."""

import json

from mock_klarna import serve_in_thread
from tests.commands import Command


def test_the_document_is_that_of_the_server(command: Command) -> None:
    result = command("openapi")
    with serve_in_thread() as server:
        answer = server.send("GET", "/_mock/openapi.json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == answer.body
