import inspect

import pytest

from mock_klarna.domain import events
from mock_klarna.domain.events import Event, PurchaseDenied, SessionUpdated, event_data, event_name
from mock_klarna.domain.journal import Entry, JournalFilter

EVENTS = [
    kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event
]


def test_an_event_is_named_by_what_happened() -> None:
    assert event_name(SessionUpdated(changed=())) == "session_updated"


def test_no_two_events_have_the_same_name() -> None:
    names = {event_name(kind(**dict.fromkeys(kind.__struct_fields__))) for kind in EVENTS}
    assert len(names) == len(EVENTS) > 15


def test_an_events_data_leaves_out_what_is_not_set_and_whose_it_is() -> None:
    assert event_data(PurchaseDenied(purchase_id="p-1", deny_code="other")) == {"deny_code": "other"}
    assert event_data(SessionUpdated(changed=())) == {"changed": ()}


@pytest.mark.parametrize(
    ("watch", "matches"),
    [
        (JournalFilter(), True),
        (JournalFilter(merchant="shop", purchase_id="p-1", kind="event", name="session_updated"), True),
        (JournalFilter(merchant="other"), False),
        (JournalFilter(purchase_id="p-2"), False),
        (JournalFilter(kind="exchange"), False),
        (JournalFilter(name="session"), False),
    ],
)
def test_a_watch_matches_what_it_names(watch: JournalFilter, matches: bool) -> None:
    event = SessionUpdated(changed=())
    entry = Entry(seq=1, at=0.0, merchant="shop", kind="event", name="session_updated", purchase_id="p-1", data=event)
    assert watch.matches(entry) is matches
