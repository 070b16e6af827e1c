"""Sessions: the options of key and page, the choices of the shopper, updates, and the resulting order."""

from typing import Any

import pytest

from mock_klarna.domain import session
from tests.domain.samples import EXPRESS, LINE, POST, item

KEY = {
    "button_key": "b-1",
    "name": "spring",
    "merchant_urls": {"place_order": "https://shop/place", "terms": "https://shop/terms"},
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
}


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({"locale": "sv-SE"}, {}, {"locale": "sv-SE"}),
        ({"locale": "sv-SE"}, {"locale": "en-SE"}, {"locale": "en-SE"}),
        ({"order_lines": [1, 2]}, {"order_lines": [3]}, {"order_lines": [3]}),
        ({"merchant_urls": {"a": 1, "b": 2}}, {"merchant_urls": {"b": 3}}, {"merchant_urls": {"a": 1, "b": 3}}),
        ({"options": {"a": True}}, {"options": {"b": True}}, {"options": {"a": True, "b": True}}),
        ({}, {"options": {"b": True}}, {"options": {"b": True}}),
        ({"customer": {"a": 1}}, {"customer": {"b": 2}}, {"customer": {"b": 2}}),
    ],
)
def test_the_pages_options_go_over_the_keys(below: Any, above: Any, merged: Any) -> None:
    assert session.merge(below, above) == merged


def test_a_session_has_the_options_of_key_and_page_and_the_address_of_the_page() -> None:
    page = {"order_lines": [LINE], "merchant_urls": {"confirmation": "https://shop/thanks"}, "setup": {"key": "b-1"}}
    opened = session.opened(KEY, page, "https://shop/product")
    assert opened["merchant_urls"] == {**KEY["merchant_urls"], "confirmation": "https://shop/thanks"}  # type: ignore[dict-item]
    assert (opened["name"], opened["integrator_url"]) == ("spring", "https://shop/product")
    assert opened["order_lines"] == [LINE]


@pytest.mark.parametrize("name", ["setup", "button_key", "disabled", "order_amount", "order_tax_amount", "styling"])
def test_options_that_are_not_part_of_an_order_are_not_in_the_session(name: str) -> None:
    assert name not in session.opened({**KEY, name: 1}, {"order_lines": [LINE], name: 2}, None)


@pytest.mark.parametrize(
    ("key", "page", "references"),
    [
        ({"order_lines": [LINE]}, {}, ["19-402-B"]),
        ({"order_lines": [LINE]}, {"items": [item("red")]}, ["shirt-red-m"]),
        ({"items": [item("red")]}, {"order_lines": [LINE]}, ["19-402-B"]),
        ({}, {"items": [item("red"), item("blue")]}, ["shirt-red-m"]),
        ({}, {"items": [item("red")], "order_lines": [LINE]}, ["19-402-B"]),
        ({"order_lines": [LINE], "items": [item("red")]}, {"items": [item("blue")]}, ["shirt-blue-m"]),
        ({}, {"items": [item("red")], "order_lines": []}, ["shirt-red-m"]),
    ],
)
def test_order_lines_win_over_items_and_the_page_over_the_key(key: Any, page: Any, references: list[str]) -> None:
    opened = session.opened({**KEY, **key}, page, None)
    assert [line["reference"] for line in opened["order_lines"]] == references


@pytest.mark.parametrize("where", ["key", "page"])
@pytest.mark.parametrize("inside", [True, False])
def test_checkboxes_may_stand_under_options_or_beside_them(where: str, inside: bool) -> None:
    boxes = [{"id": "news", "text": "News?"}]
    options: dict[str, Any] = (
        {"options": {"additional_checkboxes": boxes}} if inside else {"additional_checkboxes": boxes}
    )
    key, page = (options, {}) if where == "key" else ({}, options)
    opened = session.opened({**KEY, **key}, {"order_lines": [LINE], **page}, None)
    assert opened["options"]["additional_checkboxes"] == boxes
    assert "additional_checkboxes" not in opened


def test_checkboxes_of_the_page_replace_those_of_the_key_in_either_place() -> None:
    news, adult = {"id": "news", "text": "News?"}, {"id": "adult", "text": "18?"}

    def places(boxes: list[Any]) -> list[dict[str, Any]]:
        return [{"additional_checkboxes": boxes}, {"options": {"additional_checkboxes": boxes}}]

    for boxes in ([adult], []):
        for of_key in places([news]):
            for of_page in places(boxes):
                opened = session.opened({**KEY, **of_key}, {"order_lines": [LINE], **of_page}, None)
                assert opened["options"]["additional_checkboxes"] == boxes, (of_key, of_page)


@pytest.mark.parametrize(
    ("wanted", "reference"),
    [
        ({}, "shirt-red-m"),
        ({"clr": "blue"}, "shirt-blue-m"),
        ({"size": "l"}, "shirt-blue-l"),
        ({"clr": "blue", "size": "l"}, "shirt-blue-l"),
        ({"clr": "green"}, None),
        ({"shape": "round"}, None),
    ],
)
def test_the_first_item_with_every_wanted_attribute_is_chosen(wanted: dict[str, str], reference: str | None) -> None:
    chosen = session.find_item([item("red"), item("blue"), item("blue", "l")], session.Variation(wanted))
    assert (chosen and chosen["reference"]) == reference


HAT: dict[str, Any] = item("red", reference="hat-red-m", name="Hat", group_identifier="hat")


def test_of_products_with_the_same_attributes_the_wanted_one_is_chosen() -> None:
    items = [item("red"), HAT]
    for group, reference in (("", "shirt-red-m"), ("shirt", "shirt-red-m"), ("hat", "hat-red-m"), ("shoe", None)):
        chosen = session.find_item(items, session.Variation({"clr": "red"}, group))
        assert (chosen and chosen["reference"]) == reference, group


def opened(*items: Any, **page: Any) -> Any:
    return session.opened(KEY, {"items": list(items), **page}, None)


def test_where_order_lines_count_there_are_no_items_to_choose_from() -> None:
    started = opened(item("red"), HAT)
    assert session.chosen_position(started) == 0
    assert "items" not in session.updated_by_page(started, {"order_lines": [LINE], "items": [HAT]})
    with_both = opened(item("red"), HAT, order_lines=[LINE])
    for now in (with_both, session.updated_by_page(with_both, {"items": [HAT]})):
        assert (now["order_lines"], session.chosen_position(now)) == ([LINE], None)


def test_the_chosen_item_is_known_from_the_line_that_the_merchant_answers() -> None:
    chosen = session.with_item(opened(item("red"), item("blue"), HAT), session.Variation({}, "hat"), 2)
    (line,) = chosen["order_lines"]
    plain = {name: line[name] for name in ("name", "reference", "unit_price", "tax_rate", "total_amount")}
    for answered, position in (
        (line, 2),
        (line | {"unit_price": 1}, 2),
        (line | {"reference": "of-the-merchant"}, 2),
        (plain, 2),
        (plain | {"reference": "shirt-blue-m"}, 1),
        (plain | {"reference": "of-the-merchant"}, 0),
    ):
        now = session.updated(chosen, {"order_lines": [answered]})
        assert session.chosen_position(now) == position, answered


GIFT: dict[str, Any] = {**LINE, "reference": "gift", "name": "Gift wrapping", "type": "surcharge", "quantity": 4}
OFF: dict[str, Any] = {**LINE, "reference": "off", "name": "10 % off", "type": "discount"}


def references(now: Any) -> list[str | None]:
    return [line.get("reference") for line in now["order_lines"]]


def test_a_choice_replaces_the_line_of_the_item_and_keeps_those_that_the_merchant_has_added() -> None:
    started = session.with_item(opened(item("red"), item("blue"), HAT), session.Variation({"clr": "red"}), 2)
    (line,) = started["order_lines"]
    plain = {name: line[name] for name in ("name", "quantity", "unit_price", "tax_rate", "total_amount")}
    for sold in (line, line | {"reference": "of-the-merchant"}, plain | {"reference": "shirt-red-m"}, plain):
        for lines, position in (([sold, OFF, GIFT], 0), ([GIFT, sold, OFF], 1), ([OFF, GIFT, sold], 2)):
            now = session.updated(started, {"order_lines": lines})
            assert (session.chosen_position(now), session.chosen_line(now)) == (0, position), lines
            now = session.with_item(now, session.Variation({"clr": "blue"}, "shirt"), 3)
            expected = [one["reference"] for one in lines if one is not sold]
            expected.insert(position, "shirt-blue-m")
            assert references(now) == expected, lines
            assert now["order_lines"][position]["quantity"] == 3, lines
            now = session.updated_by_page(now, {"items": [item("green"), item("blue", unit_price=1)]})
            assert references(now) == expected, lines
            assert [now["order_lines"][position][name] for name in ("quantity", "unit_price")] == [3, 1], lines


def test_where_no_line_is_an_item_the_first_one_is_replaced() -> None:
    now = session.updated(opened(item("red"), item("blue")), {"order_lines": [OFF, GIFT]})
    assert references(session.with_item(now, session.Variation({"clr": "blue"}), 1)) == ["shirt-blue-m", "gift"]


def test_every_item_can_be_chosen_also_if_another_one_has_its_attributes_and_more() -> None:
    plain, red, large = (item("red", reference=name) for name in ("plain", "red", "large"))
    plain["product_attributes"], red["product_attributes"] = [], red["product_attributes"][:1]
    for items in ([large, red, plain], [plain, red, large], [red, plain, large]):
        for nameless in (False, True):
            offered = [{**one, "reference": ""} if nameless else one for one in items]
            started = opened(*offered)
            assert session.chosen_position(started) == 0
            for at, one in enumerate(offered):
                now = session.with_item(started, session.Variation(session.attributes(one), "shirt"), 1)
                assert now["order_lines"][0]["product_attributes"] == one["product_attributes"]
                assert session.chosen_position(now) == at, (items, at)
        assert session.find_item(items, session.Variation(None, "shirt")) is items[0]


def test_new_items_of_the_page_replace_the_chosen_one_in_its_quantity() -> None:
    plain = {**item("red"), "product_attributes": []}
    dearer = [item("red", unit_price=30000), {**HAT, "unit_price": 40000}]
    for before, group, after, price in (
        ([item("red"), HAT], "hat", dearer, 40000),
        ([item("red"), HAT], "hat", [dearer[0]], 30000),  # the first: the hat is gone
        ([item("red"), HAT], "hat", [], 10000),  # as before
        ([plain], "shirt", [{**plain, "unit_price": 20000}], 20000),
    ):
        chosen = session.with_item(opened(*before), session.Variation({}, group), 2)
        (now,) = session.updated_by_page(chosen, {"items": after})["order_lines"]
        assert (now["unit_price"], now["quantity"]) == (price, 2), after


def test_an_empty_list_of_lines_leaves_the_choice_among_the_items() -> None:
    started = opened(item("red"), item("blue"))
    chosen = session.with_item(started, session.Variation({"clr": "blue"}), 2)
    echoed = {"type": "shipping_fee", "reference": EXPRESS["id"]}
    with_shipping = session.with_shipping({**chosen, "shipping_options": [EXPRESS]}, None)
    for before, lines in ((chosen, []), (with_shipping, [echoed])):
        for update in (session.updated, session.updated_by_page):
            assert update(before, {"order_lines": lines})["order_lines"] == chosen["order_lines"], (update, lines)
    (line,) = session.updated_by_page(chosen, {"order_lines": [], "items": [item("red"), item("blue")]})["order_lines"]
    assert (line["reference"], line["quantity"]) == ("shirt-blue-m", 2)


def test_a_page_can_sell_items_in_place_of_its_lines() -> None:
    started = session.opened(KEY, {"order_lines": [{**LINE, "quantity": 2}]}, None)
    page = {"order_lines": [], "items": [item("red"), HAT]}
    now = session.updated_by_page(started, page)
    assert now["order_lines"] == session.opened(KEY, page, None)["order_lines"]
    assert (now["items"], session.chosen_position(now)) == (page["items"], 0)


@pytest.mark.parametrize(
    ("quantity", "members", "total", "tax", "discount"),
    [
        (1, {}, 10000, 2000, None),
        (3, {}, 30000, 6000, None),
        (2, {"total_discount_amount": 1000}, 18000, 3600, 2000),
        (1, {"total_tax_amount": 1999}, 10000, 1999, None),
        (3, {"total_tax_amount": 1999}, 30000, 6000, None),
        (1, {"total_amount": 9999}, 10000, 2000, None),
    ],
)
def test_a_chosen_item_becomes_a_line_with_its_amounts(
    quantity: int, members: dict[str, Any], total: int, tax: int, discount: int | None
) -> None:
    line = session.item_line(item("red", **members), quantity)
    assert (line["quantity"], line["total_amount"], line["total_tax_amount"]) == (quantity, total, tax)
    assert line.get("total_discount_amount") == discount


def test_the_line_of_an_item_has_all_its_members() -> None:
    line = session.item_line(item("red", merchant_data='{"id":7}'), 2)
    assert (line["merchant_data"], line["group_identifier"]) == ('{"id":7}', "shirt")


@pytest.mark.parametrize(
    ("options", "wanted", "chosen"),
    [
        ([EXPRESS, POST], None, "express_priority"),
        ([EXPRESS, {**POST, "preselected": True}], None, "post"),
        ([EXPRESS, {**POST, "preselected": True}], "express_priority", "express_priority"),
        ([EXPRESS, POST], "gone", "express_priority"),
        ([], None, None),
        ([], "post", None),
    ],
)
def test_the_shipping_option_is_the_chosen_else_the_preselected_else_the_first(
    options: list[Any], wanted: str | None, chosen: str | None
) -> None:
    selected = session.with_shipping({"shipping_options": options}, wanted).get("selected_shipping_option")
    assert (selected and selected["id"]) == chosen


def test_the_chosen_shipping_is_the_last_line_and_counts() -> None:
    order = session.order({**KEY, "order_lines": [LINE], "selected_shipping_option": EXPRESS})
    assert order["order_lines"] == [
        LINE,
        {
            "type": "shipping_fee",
            "reference": "express_priority",
            "name": "Express 1-2 days",
            "quantity": 1,
            "unit_price": 5000,
            "tax_rate": 2500,
            "total_amount": 5000,
            "total_tax_amount": 1000,
            "product_attributes": [],
        },
    ]
    assert (order["order_amount"], order["order_tax_amount"]) == (124000, 24800)


def test_without_shipping_options_there_is_no_shipping_line() -> None:
    order = session.order({**KEY, "order_lines": [LINE]})
    assert order["order_lines"] == [LINE]
    assert "selected_shipping_option" not in order


def test_a_sales_tax_line_is_tax_as_a_whole() -> None:
    goods = {**LINE, "tax_rate": 0, "total_tax_amount": 0}
    tax = {**goods, "type": "sales_tax", "unit_price": 900, "total_amount": 900}
    order = session.order({**KEY, "order_lines": [goods, tax]})
    assert (order["order_amount"], order["order_tax_amount"]) == (119900, 900)


EMPTY: tuple[Any, ...] = (None, "", [], {})


def test_members_without_a_value_are_left_out_of_an_order() -> None:
    for empty in EMPTY:
        for name in ("merchant_data", "merchant_reference1", "attachment", "customer"):
            assert name not in session.order({**KEY, "order_lines": [LINE], name: empty}), (name, empty)


@pytest.mark.parametrize("missing", [{}, {"merchant_urls": None}, {"merchant_urls": {}}])
def test_the_merchant_urls_of_an_order_are_always_an_object(missing: Any) -> None:
    assert session.order({"order_lines": [LINE], **missing})["merchant_urls"] == {}


def test_an_order_has_only_known_members() -> None:
    order = session.order({**KEY, "order_lines": [LINE], "shipping_options": [EXPRESS], "items": [item("red")]})
    assert set(order) == {
        "name",
        "purchase_country",
        "purchase_currency",
        "locale",
        "order_amount",
        "order_tax_amount",
        "order_lines",
        "merchant_urls",
    }


def test_the_shipping_address_is_the_billing_address_unless_there_is_another() -> None:
    billing, other = {"city": "Lund"}, {"city": "Umeå"}
    assert session.identified({}, billing, None, {})["shipping_address"] == billing
    assert session.identified({}, billing, other, {})["shipping_address"] == other


@pytest.mark.parametrize(
    ("answers", "requested"),
    [
        ({}, {"news": False, "terms": False}),
        ({"news": True}, {"news": True, "terms": False}),
        ({"news": True, "terms": True}, {"news": True, "terms": True}),
        ({"unknown": True}, {"news": False, "terms": False}),
    ],
)
def test_every_checkbox_is_answered(answers: dict[str, bool], requested: dict[str, bool]) -> None:
    opened = {"options": {"additional_checkboxes": [{"id": "news"}, {"id": "terms"}]}}
    assert session.answered(opened, answers)["merchant_requested"] == requested


def test_without_checkboxes_nothing_is_requested() -> None:
    assert "merchant_requested" not in session.answered({"options": {}}, {"news": True})


def test_answers_to_checkboxes_that_the_page_removes_are_removed() -> None:
    news, adult, terms = ({"id": name, "text": name} for name in ("news", "adult", "terms"))
    options = {"phone_mandatory": True, "additional_checkboxes": [news, adult]}
    ticked = session.answered({**OPENED, "options": options}, {"news": True, "adult": True})
    for boxes, requested in (
        ([], None),
        ([news], {"news": True}),
        ([adult, terms], {"adult": True, "terms": False}),
        ([{**news, "text": "Other news?"}, adult], {"news": True, "adult": True}),
    ):
        for changes in ({"additional_checkboxes": boxes}, {"options": {"additional_checkboxes": boxes}}):
            now = session.updated_by_page(ticked, changes)
            assert now.get("merchant_requested") == requested, changes
            assert session.update_body(now, "session_updated", "b-1").get("merchant_requested") == requested, changes
            assert now["options"]["phone_mandatory"] is True


def test_checkboxes_without_an_answer_are_not_answered_by_an_update() -> None:
    boxes = {"additional_checkboxes": [{"id": "news", "text": "News?"}]}
    assert "merchant_requested" not in session.updated_by_page(OPENED, boxes)


OPENED: dict[str, Any] = {
    "merchant_urls": {"place_order": "https://shop/place", "terms": "https://shop/terms"},
    "purchase_country": "SE",
    "order_lines": [LINE],
    "shipping_options": [EXPRESS, POST],
    "selected_shipping_option": POST,
}
CHEAPER = {**LINE, "unit_price": 100, "total_amount": 100, "total_tax_amount": 20}
SHIPPING = {"type": "shipping_fee", "reference": "post", "name": "Post"}


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, {}),
        ({"order_lines": [CHEAPER]}, {"order_lines": [CHEAPER]}),
        ({"merchant_data": "7"}, {"merchant_data": "7"}),
        ({"merchant_reference2": "r"}, {"merchant_reference2": "r"}),
        (
            {"merchant_urls": {"confirmation": "https://shop/thanks"}},
            {"merchant_urls": {**OPENED["merchant_urls"], "confirmation": "https://shop/thanks"}},
        ),
        ({"shipping_countries": ["SE", "NO"]}, {"shipping_countries": ["SE", "NO"]}),
        ({"locale": "en-SE"}, {"locale": "en-SE"}),
    ],
)
def test_an_update_changes_only_the_members_that_it_has(changes: Any, changed: Any) -> None:
    assert session.updated(OPENED, changes) == {**OPENED, **changed}


@pytest.mark.parametrize("name", ["order_amount", "billing_address", "customer", "button_key", "update_context", "x"])
def test_other_members_are_not_changed_by_an_update(name: str) -> None:
    assert session.updated(OPENED, {name: "changed"}) == OPENED


@pytest.mark.parametrize(
    ("options", "selected"),
    [([POST, EXPRESS], "post"), ([EXPRESS], "express_priority"), ([], None)],
)
def test_new_shipping_options_keep_the_choice_where_it_still_exists(options: list[Any], selected: str | None) -> None:
    chosen = session.updated(OPENED, {"shipping_options": options}).get("selected_shipping_option")
    assert (chosen and chosen["id"]) == selected


def test_a_chosen_option_whose_price_changes_is_charged_at_the_new_price() -> None:
    dearer = {**POST, "price": 900, "tax_amount": 0}
    order = session.order(session.updated(OPENED, {"shipping_options": [dearer]}))
    assert order["order_amount"] == 119900


def test_a_shipping_line_that_the_merchant_echoes_is_not_charged_twice() -> None:
    changed = session.updated(OPENED, {"order_lines": [LINE, SHIPPING]})
    assert changed["order_lines"] == [LINE]


def test_a_shipping_fee_of_the_merchants_own_stays() -> None:
    own = {**SHIPPING, "reference": "crane"}
    assert session.updated(OPENED, {"order_lines": [LINE, own]})["order_lines"] == [LINE, own]


def test_the_update_callback_carries_the_order_at_top_level_with_the_merchants_lines() -> None:
    body = session.update_body({**OPENED, "purchase_currency": "SEK"}, "session_updated", "b-1")
    assert (body["update_context"], body["button_key"]) == ("session_updated", "b-1")
    assert body["order_lines"] == [LINE]
    assert body["selected_shipping_option"]["id"] == "post"
    assert "authorization_token" not in body


def test_the_shipping_method_is_spelled_in_kebab_case() -> None:
    for sent, spelled in (
        ("PickUpStore", "pick-up-store"),
        ("BoxReg", "box-reg"),
        ("BoxUnreg", "box-unreg"),
        ("PickUpPoint", "pick-up-point"),
        ("Home", "home"),
        ("DHLPackstation", "dhl-packstation"),
        ("PICKUPSTORE", "pick-up-store"),
        ("PICKUPPOINT", "pick-up-point"),
        ("BOXUNREG", "box-unreg"),
        ("DHL_PACKSTATION", "dhl-packstation"),
        ("PRIME_DELIVERY", "prime-delivery"),
        ("box-reg", "box-reg"),
    ):
        order = session.with_kebab_case({"selected_shipping_option": {**POST, "shipping_method": sent}})
        assert order["selected_shipping_option"]["shipping_method"] == spelled, sent


@pytest.mark.parametrize("order", [{}, {"selected_shipping_option": POST}])
def test_an_order_without_a_shipping_method_stays_as_it_is(order: Any) -> None:
    assert session.with_kebab_case(order) == order
