import inspect

import pytest

from mock_klarna.domain import events
from mock_klarna.domain.events import Event, PurchaseDenied, SessionUpdated, event_data, event_name
from mock_klarna.domain.journal import Entry, JournalFilter

EVENTS = [
    kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event
]


def test_the_name_of_an_event_is_that_of_its_class_in_snake_case() -> None:
    assert event_name(SessionUpdated(changed=())) == "session_updated"


def test_no_two_events_have_the_same_name() -> None:
    names = {event_name(kind(**dict.fromkeys(kind.__struct_fields__))) for kind in EVENTS}
    assert len(names) == len(EVENTS) > 15


def test_the_data_of_an_event_has_no_unset_members_and_no_purchase_id() -> None:
    assert event_data(PurchaseDenied(purchase_id="p-1", deny_code="other")) == {"deny_code": "other"}
    assert event_data(SessionUpdated(changed=())) == {"changed": ()}


@pytest.mark.parametrize(
    ("chosen", "matches"),
    [
        (JournalFilter(), True),
        (JournalFilter(merchant="shop", purchase_id="p-1", kind="event", name="session_updated"), True),
        (JournalFilter(merchant="other"), False),
        (JournalFilter(purchase_id="p-2"), False),
        (JournalFilter(kind="exchange"), False),
        (JournalFilter(name="session"), False),
    ],
)
def test_a_journal_filter_matches_entries_by_all_its_members(chosen: JournalFilter, matches: bool) -> None:
    event = SessionUpdated(changed=())
    entry = Entry(seq=1, at=0.0, merchant="shop", kind="event", name="session_updated", purchase_id="p-1", data=event)
    assert chosen.matches(entry) is matches
