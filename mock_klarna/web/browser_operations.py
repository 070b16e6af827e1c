"""The endpoints that browsers call, one row each, beside those of `operations`."""

from collections.abc import Awaitable, Callable

from mock_klarna.web import sdk
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.operation import BROWSER_PATH, Operation

SESSIONS = f"{BROWSER_PATH}/sessions"
SESSION = SESSIONS + "/{session_id}"
_REFUSALS = (400, 404, 409, 413, 415)


def _step(name: str, handler: Callable[[Desk, Call], Awaitable[Reply]]) -> Operation:
    """Return the row of something that a shopper does in a session."""
    return Operation(f"sdk_{name}", "POST", f"{SESSION}/{name}", handler, "required", errors=_REFUSALS)


BROWSER = (
    Operation("sdk_load", "POST", f"{BROWSER_PATH}/load", sdk.load, "required", errors=(400, 413, 415)),
    Operation("sdk_sessions", "POST", SESSIONS, sdk.create_session, "required", ((200, ""), (201, "")), _REFUSALS),
    Operation("sdk_session", "GET", SESSION, sdk.get_session, errors=(404,)),
    _step("identify", sdk.identify),
    _step("specify", sdk.specify),
    _step("shipping", sdk.choose_shipping),
    _step("checkboxes", sdk.answer_checkboxes),
    _step("update", sdk.update),
    _step("pay", sdk.pay),
    Operation("sdk_wait", "GET", f"{SESSION}/wait", sdk.wait, errors=(400, 404), parameters=("seconds",)),
    Operation("sdk_timeline", "GET", f"{SESSION}/timeline", sdk.timeline, errors=(400, 404), parameters=("after",)),
)
"""What lib.js and the dialog call; the id of a session entitles to it."""
