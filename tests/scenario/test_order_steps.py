"""The steps after a purchase use the order and the customer token of the purchase, or those that are given."""

import pytest

from tests.scenario.conftest import BUTTON, PURCHASE, UNREACHABLE_SHOP, RunSteps

PLACED = f"{PURCHASE}\n- place: {{}}\n  as: placed"
REPEATED_CAPTURE = "- repeat: {times: 2, steps: [{capture: {captured_amount: 5, idempotency_key: k}}]}"
SUBSCRIPTION = (
    f'- create_button: {{merchant_urls: {{create_customer_token: "{UNREACHABLE_SHOP}", terms: "{UNREACHABLE_SHOP}"}}}}\n'
    "- purchase: {cart: se-battery-pack, shopper: se-approved, wait: 0}"
)


@pytest.mark.parametrize(
    "steps",
    [
        "- read_order: {}\n  answer: {status: AUTHORIZED, order_amount: 124000}",
        "- read_order: {order_id: '${placed.order_id}'}\n  answer: {order_id: '${placed.order_id}'}",
        "- acknowledge: {}\n- expect_order: {acknowledged: true}",
        "- capture: {}\n  as: all\n- read_order: {}\n  answer: {status: CAPTURED, captured_amount: 124000}",
        "- capture: {captured_amount: 1000, reference: r1}\n- read_order: {}\n  answer: {remaining_authorized_amount: 123000}",
        "- capture: {}\n- refund: {}\n- read_order: {}\n  answer: {refunded_amount: 124000}",
        "- capture: {}\n- refund: {refunded_amount: 5}\n- read_order: {}\n  answer: {refunded_amount: 5}",
        f"{REPEATED_CAPTURE}\n- read_order: {{}}\n  answer: {{captured_amount: 5}}",
        "- cancel: {}\n- read_order: {}\n  answer: {status: CANCELLED}",
        "- capture: {captured_amount: 5}\n- release: {}\n- read_order: {}\n  answer: {remaining_authorized_amount: 0}",
        "- extend: {}\n- expect_event: {name: authorization_time_extended}",
        "- update_references: {merchant_reference1: r}\n- read_order: {}\n  answer: {merchant_reference1: r}",
        "- read_order: {credentials: 'other:pw'}\n  status: 404",
    ],
)
def test_a_step_uses_the_order_of_the_purchase(steps: str, run_steps: RunSteps) -> None:
    report = run_steps(f"{PLACED}\n{steps}")
    assert report.passed, "\n".join(report.details())


@pytest.mark.parametrize(
    "steps",
    [
        "- read_token: {}\n  answer: {status: ACTIVE}",
        "- read_token: {token: '${created.token_id}'}\n  answer: {status: ACTIVE}",
        "- read_token: {token: made-up}\n  status: 404",
        "- cancel_token: {}\n- read_token: {}\n  answer: {status: CANCELLED}",
    ],
)
def test_a_step_uses_the_customer_token_of_the_purchase(steps: str, run_steps: RunSteps) -> None:
    report = run_steps(f"{SUBSCRIPTION}\n- create_token: {{}}\n  as: created\n{steps}")
    assert report.passed, "\n".join(report.details())


def test_a_step_fails_if_no_order_was_placed(run_steps: RunSteps) -> None:
    failure = run_steps(f"{PURCHASE}\n- read_order: {{}}").failure
    assert failure is not None
    assert failure.actual.startswith("no order was placed: the purchase is authorized; place it before this step; ")


def test_a_step_fails_if_the_purchase_has_no_customer_token(run_steps: RunSteps) -> None:
    failure = run_steps(f"{SUBSCRIPTION}\n- read_token: {{}}").failure
    assert failure is not None
    assert failure.actual.startswith("the purchase has no customer token; add a create_token step before this one; ")


def test_a_step_fails_without_a_purchase(run_steps: RunSteps) -> None:
    failure = run_steps(f"{BUTTON}\n- capture: {{}}").failure
    assert failure is not None
    assert failure.actual.startswith("there is no purchase yet")
