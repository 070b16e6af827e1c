"""Each step does what its documentation says, and a failed step reports what was expected and what happened."""

from pathlib import Path

import pytest

from tests.scenario.conftest import BUTTON, PURCHASE, UNREACHABLE_SHOP, RunSteps

CART = "cart: se-battery-pack, shopper: se-approved, wait: 0"


@pytest.mark.parametrize(
    "steps",
    [
        "- place: {}\n- expect_purchase: {state: placed}\n- expect_order: {order_amount: 124000, acknowledged: false}",
        "- place: {change: {order_amount: 1}}\n  status: 400\n  answer: {error_code: bad_value}",
        "- place: {change: {merchant_reference1: mine}}\n- expect_order: {order: {merchant_reference1: mine}}",
        "- place: {change: {locale: null}}\n  status: 400\n- expect_request: {operation: create_order, problems: [{path: locale}]}",
        "- place: {body: [1]}\n  status: 400",
        '- place: {credentials: ""}\n  status: 401',
        '- place: {credentials: "other:pw"}\n  status: 403',
        "- place: {token: made-up}\n  status: 404",
        "- get_authorization: {}\n  as: order\n- place: {body: '${order}'}\n- expect_purchase: {state: placed}",
        "- deny: {}\n- expect_purchase: {state: denied}\n- place: {}\n  status: 403",
        "- deny: {deny_code: other, deny_message: Not today}\n- expect_purchase: {consumer_message: Not today}",
        "- update_button: {name: renamed}\n  answer: {name: renamed}",
        "- expect_callback: {kind: place_order, outcome: refused, status: null, number: 1, count: 1}",
        "- expect_callback: {kind: push, count: 0}",
        "- expect_callback: {kind: push, count: 0, within: 0.01}",
        "- expect_callback: {kind: place_order}\n- resend: {kind: place_order}\n- expect_callback: {kind: place_order, count: 2}",
        "- resend: {kind: place_order, change: {order.name: x}}\n- expect_callback: {kind: place_order, body: {order: {name: x}}}",
        "- resend: {kind: place_order, body: [1]}\n- expect_callback: {kind: place_order, body: [1]}",
        "- resend: {kind: place_order, change: {'order.order_lines[9]': 1}}\n  status: 400",
        "- advance_clock: {to: next}\n- expect_event: {name: purchase_timed_out}",
        "- forge: {}\n  status: 201\n  answer: {kind: place_order}\n- expect_callback: {kind: place_order, count: 2}",
        "- forge: {authorization_token: x}\n- expect_callback: {kind: place_order, body: {authorization_token: x}}",
        "- expect_event: {name: purchase_authorized, order_amount: 124000, count: 1}",
        "- expect_request: {operation: create_button, status: 201, answer: {merchant_urls: {terms: {contains: klarna}}}}",
        "- advance_clock: 61s\n- expect_purchase: {state: timed_out}",
        "- advance_clock: {advance: 2h}\n- expect_event: {name: clock_moved, count: 1}",
        "- advance_clock: {set: '2099-01-01T00:00:00Z'}\n- expect_event: {name: purchase_timed_out}",
        "- fault: {on: request, operation: create_order, status: 503}\n- place: {}\n  status: 503\n- place: {}",
        "- pause: 1ms",
        "- repeat: {times: 2, steps: [{get_authorization: {}}]}\n- expect_request: {operation: get_authorization, count: 2}",
    ],
)
def test_a_step_passes_after_a_purchase(steps: str, run_steps: RunSteps) -> None:
    report = run_steps(f"{PURCHASE}\n{steps}")
    assert report.passed, "\n".join(report.details())


@pytest.mark.parametrize(
    "steps",
    [
        f"""- purchase: {{{CART}, outcome: PENDING}}
- place: {{}}
- decide_fraud: REJECTED
- expect_order: {{fraud_status: REJECTED}}""",
        f"""- purchase: {{{CART}, outcome: PENDING}}
  as: one
- purchase: {{{CART}}}
- place: {{of: one}}
- decide_fraud: {{of: one, fraud_status: ACCEPTED}}
- expect_purchase: {{of: one, fraud_status: ACCEPTED}}
- expect_purchase: {{state: authorized}}""",
        f"""- purchases: {{count: 4, {CART}}}
  as: all
- expect_purchase: {{state: authorized}}
- deny: {{}}
- expect_event: {{of: all, name: purchase_denied, count: 1}}""",
        f"""- purchases: {{count: 3, {CART}}}
- expect_callback: {{kind: place_order, outcome: refused, count: 3}}""",
        f"""- use_button: {{}}
- purchase: {{{CART}}}
- expect_purchase: {{state: authorized}}""",
        f"""- use_button: {{within: 2s}}
  as: it
- purchase: {{{CART}, button_key: '${{it.button_key}}'}}""",
        f"""- use_button: {{button_key: made-up}}
- purchase: {{{CART}}}
  status: 404""",
        f"""- purchase: {{{CART}, page: {{merchant_reference2: r2}}, integrator_url: 'https://shop/p'}}
- expect_purchase: {{order: {{merchant_reference2: r2, integrator_url: 'https://shop/p'}}}}""",
        """- purchase: {cart: se-battery-pack, shopper: {country: SE, given_name: Ada}, wait: 0}
- expect_purchase: {order: {billing_address: {given_name: Ada, country: SE}}}""",
        """- create_button: {}
  status: 400
  answer: {error_message: {contains: merchant_urls}}""",
    ],
)
def test_a_step_passes_after_the_creation_of_a_button(steps: str, run_steps: RunSteps) -> None:
    report = run_steps(f"{BUTTON}\n{steps}")
    assert report.passed, "\n".join(report.details())


@pytest.mark.parametrize(
    "steps",
    [
        """- order: {cart: se-battery-pack, shopper: se-approved}
  answer: {fraud_status: ACCEPTED, order_management: {status: AUTHORIZED}}
- capture: {captured_amount: 24000}
- refund: {}
- expect_order: {order_management: {status: PART_CAPTURED, refunded_amount: 24000}}""",
        """- order: {cart: se-variations, group_identifier: t-shirt, product_attributes: {clr: blue, size: m}, quantity: 2}
- expect_order: {order_amount: 39800}
- expect_purchase: {state: placed}""",
        """- order: {cart: us-battery-pack, outcome: PENDING}
  as: pending
- order: {cart: se-battery-pack}
- decide_fraud: {of: pending, fraud_status: REJECTED}
- expect_order: {of: pending, fraud_status: REJECTED}
- capture: {}""",
        """- order: {cart: se-battery-pack, shopper: {email: a+denied@example.com}}
  status: 409""",
    ],
)
def test_an_order_in_one_call_needs_no_button(steps: str, run_steps: RunSteps) -> None:
    report = run_steps(steps)
    assert report.passed, "\n".join(report.details())


def test_an_order_in_one_call_has_the_options_of_the_latest_button(run_steps: RunSteps) -> None:
    report = run_steps(
        f"{BUTTON}\n- order: {{cart: se-battery-pack}}\n- expect_order: {{push_url: '{UNREACHABLE_SHOP}'}}"
    )
    assert report.passed, "\n".join(report.details())


def test_a_cart_file_is_found_from_the_folder_of_the_scenario(run_steps: RunSteps, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"purchase_country: SE\npurchase_currency: SEK\nlocale: sv-SE\nmerchant_urls: {{terms: '{UNREACHABLE_SHOP}'}}\n"
        "order_lines: [{name: a, quantity: 1, unit_price: 100, tax_rate: 0, total_amount: 100, total_tax_amount: 0}]\n"
    )
    report = run_steps(
        f"{BUTTON}\n- purchase: {{cart: ./mine.yaml, wait: 0}}\n- expect_purchase: {{order_amount: 100}}"
    )
    assert report.passed, "\n".join(report.details())


def test_repeated_steps_can_use_the_number_of_their_turn(run_steps: RunSteps) -> None:
    turns = (
        "- repeat: {times: '${n}', steps: [{purchase: {cart: se-battery-pack, wait: 0, page: {name: 'turn ${turn}'}}}]}"
    )
    report = run_steps(f"{BUTTON}\n{turns}\n- expect_purchase: {{order: {{name: turn 3}}}}", "vars: {n: 3}\n")
    assert report.passed, "\n".join(report.details())


@pytest.mark.parametrize(
    ("steps", "expected", "actual"),
    [
        (
            "- expect_purchase: {state: placed, within: 0}",
            "purchase with {state: placed}",
            "state: expected placed, was authorized",
        ),
        ("- expect_purchase: {order_amount: 1, within: 0}", "order_amount: 1", "order_amount: expected 1, was 124000"),
        ("- expect_order: {order_amount: 1, within: 0}", "order with {order_amount: 1}", "no order was placed"),
        (
            "- place: {change: {order_amount: 1}}",
            "place to be answered with success",
            "answered 400: bad_value:order_amount",
        ),
        ("- place: {}\n  status: 404", "place to be answered 404", "answered 200"),
        (
            "- place: {}\n  answer: {fraud_status: PENDING}",
            "{fraud_status: PENDING}",
            "fraud_status: expected PENDING, was ACCEPTED",
        ),
        ("- expect_callback: {kind: push, within: 0}", "callback push", "there was no push"),
        (
            "- expect_callback: {kind: place_order}\n- expect_callback: {kind: place_order, status: 200, within: 0.2}",
            "{status: 200}",
            "found 1 place_order: status: expected 200, was nothing",
        ),
        (
            "- expect_callback: {kind: place_order}\n- expect_callback: {kind: place_order, count: 0}",
            "callback place_order exactly 0 times",
            "one as expected",
        ),
        (
            "- expect_callback: {kind: place_order, count: 2, within: 1h}",
            "callback place_order exactly 2 times within 3600 s",
            "found 1 place_order",
        ),
        ("- expect_event: {name: purchase_placed, within: 0}", "event purchase_placed", "there was no purchase_placed"),
        ("- expect_request: {operation: create_order, within: 0}", "request create_order", "there was no create_order"),
        ("- place: {change: {'order_lines[5].name': x}}", "a step that can be executed", "order_lines[5].name"),
        ("- expect_purchase: {state: placed, of: word}", "a step that can be executed", "'word' is not a purchase"),
        ("- resend: {kind: push}", "a step that can be executed", "no push was sent yet"),
        (
            "- get_authorization: {}\n  as: it\n- pause: '${it.locale}'",
            "a step that can be executed",
            "].pause is invalid: 'sv-SE'; expected a duration such as 90s",
        ),
        (
            "- get_authorization: {}\n  as: it\n- purchase: {cart: '${it.locale}'}",
            "a step that can be executed",
            "unknown cart 'sv-SE'",
        ),
        ("- purchase: {page: {name: '${word.x}'}}", "a step that can be executed", "has no member x"),
        (
            "- get_authorization: {}\n  as: it\n- purchase: {cart: se-battery-pack, shipping_option: '${it.locale}'}",
            "purchase to be answered with success",
            "express_priority",
        ),
        (
            "- fault: {on: request, operation: create_order, drop: true}\n- place: {}",
            "place to be answered with success",
            "no answer from http://127.0.0.1:",
        ),
        (
            f"- fault: {{on: request, operation: create_button, garbage: true}}\n{BUTTON}\n- capture:",
            "a step that can be executed",
            "no order was placed",
        ),
        (
            "- decide_fraud: ACCEPTED",
            "a step that can be executed",
            "no order was placed: the purchase is authorized; place",
        ),
        (
            "- use_button: {name: Unused name, within: 0}",
            "a button key named Unused name",
            "none in the journal",
        ),
    ],
)
def test_a_failed_step_reports_what_was_expected_and_what_happened(
    steps: str, expected: str, actual: str, run_steps: RunSteps
) -> None:
    report = run_steps(f"{PURCHASE}\n{steps}", "vars: {word: soon}\n")
    assert report.failure is not None
    assert expected in report.failure.expected
    assert actual in report.failure.actual


def test_a_step_that_refers_to_a_purchase_fails_without_one(run_steps: RunSteps) -> None:
    failure = run_steps(f"{BUTTON}\n- place: {{}}").failure
    assert failure is not None
    assert "there is no purchase yet" in failure.actual


@pytest.mark.parametrize("step", ["get_authorization", "place", "deny", "create_token"])
def test_a_step_that_needs_an_authorization_says_that_a_declined_purchase_has_none(
    step: str, run_steps: RunSteps
) -> None:
    failure = run_steps(f"{BUTTON}\n- purchase: {{cart: se-battery-pack, shopper: se-denied}}\n- {step}: {{}}").failure
    assert failure is not None
    assert failure.actual == (
        "there is no authorization token: the purchase is declined; only a purchase that Klarna has authorized has one"
    )


def test_a_button_is_not_updated_before_a_key_is_known(run_steps: RunSteps) -> None:
    failure = run_steps("- update_button: {name: x}").failure
    assert failure is not None
    assert failure.actual.startswith("there is no button key yet; add a create_button step before this one, or a use_b")


def test_a_failure_has_the_line_of_its_step_and_the_timeline_of_its_purchase(run_steps: RunSteps) -> None:
    report = run_steps(f"{PURCHASE}\n- place: {{change: {{'order_lines[0].total_tax_amount': 9}}}}\n- pause: 1h")
    assert report.failure is not None
    assert (report.failure.step, report.failure.place.line) == ("place", 5)
    text = "\n".join(report.details())
    assert "POST /instantshopping/v1/authorizations/" in text
    assert "order_lines[0].total_tax_amount [line_tax]: sent 9, expected 23800" in text
    assert "place_order at http://127.0.0.1:1/klarna fails: refused" in text


def test_a_failure_in_repeated_steps_has_the_line_of_the_inner_step(run_steps: RunSteps) -> None:
    report = run_steps(
        f"{PURCHASE}\n- repeat:\n    times: 2\n    steps:\n      - get_authorization: {{}}\n      - deny: {{}}"
    )
    assert report.failure is not None
    assert (report.failure.step, report.failure.place.line) == ("get_authorization", 8)
