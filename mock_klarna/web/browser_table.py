"""The rows of the API of lib.js and of the dialog in the table of endpoints."""

from functools import partial

from mock_klarna.web import browser_api, control, query
from mock_klarna.web.operation import ANY_OBJECT, Api, Operation

_SHOWN_SESSION = ((200, "session"),)
_SESSIONS = "/instantshopping/sdk/sessions"
_SESSION = f"{_SESSIONS}/{{session_id}}"
_browser_read = partial(Operation, api=Api.BROWSER, method="GET")
_browser_step = partial(
    Operation, api=Api.BROWSER, method="POST", body="required", answers=_SHOWN_SESSION, errors=(400, 404, 409, 413, 415)
)

BROWSER = (
    _browser_step(
        name="sdk_load",
        path="/instantshopping/sdk/load",
        handler=browser_api.load,
        answers=((200, "loaded_button"),),
        errors=(400, 413, 415),
    ),
    _browser_step(
        name="sdk_problem",
        path="/instantshopping/sdk/problems",
        handler=browser_api.report_problem,
        answers=((200, ANY_OBJECT),),
        errors=(400, 413, 415),
    ),
    _browser_step(
        name="sdk_sessions",
        path=_SESSIONS,
        handler=browser_api.create_session,
        answers=((200, "session"), (201, "session")),
    ),
    _browser_read(
        name="sdk_session", path=_SESSION, handler=browser_api.get_session, answers=_SHOWN_SESSION, errors=(404,)
    ),
    _browser_read(
        name="sdk_shoppers",
        path="/instantshopping/sdk/shoppers",
        handler=control.list_shoppers,
        answers=((200, "test_shoppers"),),
        parameters=(query.COUNTRY,),
        errors=(404,),
    ),
    _browser_step(name="sdk_identify", path=f"{_SESSION}/identify", handler=browser_api.identify),
    _browser_step(
        name="sdk_draft", path=f"{_SESSION}/draft", handler=browser_api.keep_draft, errors=(400, 404, 413, 415)
    ),
    _browser_step(name="sdk_specify", path=f"{_SESSION}/specify", handler=browser_api.specify),
    _browser_step(name="sdk_shipping", path=f"{_SESSION}/shipping", handler=browser_api.choose_shipping),
    _browser_step(name="sdk_checkboxes", path=f"{_SESSION}/checkboxes", handler=browser_api.answer_checkboxes),
    _browser_step(name="sdk_update", path=f"{_SESSION}/update", handler=browser_api.update),
    _browser_step(name="sdk_pay", path=f"{_SESSION}/pay", handler=browser_api.pay),
    _browser_read(
        name="sdk_wait",
        path=f"{_SESSION}/wait",
        handler=browser_api.wait,
        answers=_SHOWN_SESSION,
        parameters=(query.SECONDS,),
        errors=(400, 404),
    ),
    _browser_read(
        name="sdk_timeline",
        path=f"{_SESSION}/timeline",
        handler=browser_api.timeline,
        answers=((200, "journal"),),
        parameters=(query.AFTER,),
        errors=(400, 404),
    ),
)
"""What lib.js and the dialog call; the id of a session is the permission to use it."""
