from mock_klarna.shoppers import RiskDecision, decide_risk
from mock_klarna.shoppers.risk import DISPUTES, REJECT_REASONS

APPROVED = RiskDecision("ACCEPTED")
DENIED = RiskDecision("DECLINED", reason="denied")


def test_an_email_decides() -> None:
    for email, country, expected in (
        ("customer@email.se", "SE", APPROVED),
        ("john.doe@example.com", "US", APPROVED),
        ("denied@example.com", "SE", APPROVED),
        ("someone@denied+denied.example", "SE", APPROVED),
        ("customer+deniedly@email.se", "SE", APPROVED),
        ("customer+denied@email.se", "SE", DENIED),
        ("1573214000customer+denied@shop.example", "SE", DENIED),
        (" CUSTOMER+Denied@EMAIL.SE ", "SE", DENIED),
        ("a+pend-accept-05+denied@email.us", "US", DENIED),
        ("a+denied+reject_reason_other@email.us", "US", DENIED),
        ("a+pend-accept-05@email.us", "US", RiskDecision("PENDING", "ACCEPTED", 300, "pend-accept-05")),
        ("a+PEND-reject-99@email.uk", "uk", RiskDecision("PENDING", "REJECTED", 5940, "pend-reject-99")),
        ("a+pend-accept-00@email.uk", "GB", RiskDecision("PENDING", "ACCEPTED", 0, "pend-accept-00")),
        ("a+reject_reason_other+pend-reject-01@x.us", "US", RiskDecision("PENDING", "REJECTED", 60, "pend-reject-01")),
        ("a+pend-accept-5@email.us", "US", APPROVED),
        ("a+pend-accept-100@email.us", "US", APPROVED),
        ("a+pend-accept-\u0660\u0665@email.us", "US", APPROVED),
        ("a+pend-accept-05@email.se", "SE", RiskDecision("ACCEPTED", reason="pending is for US and GB only")),
        ("a+pend-accept-05+reject_reason_other@email.se", "SE", RiskDecision("DECLINED", reason="other")),
        ("a+reject_reason_HIGH_RISK@email.ca", "CA", RiskDecision("DECLINED", reason="high_risk")),
        ("a+reject_reason_bad_mood@email.ca", "CA", APPROVED),
        ("a+red@email.se", "SE", RiskDecision("ACCEPTED", reason="red")),
        ("a+new_user@email.se", "SE", RiskDecision("ACCEPTED", reason="new_user")),
        ("a+require_signup@email.se", "SE", RiskDecision("ACCEPTED", reason="require_signup")),
        ("a+disputed-bad_mood@email.se", "SE", APPROVED),
        ("a+denied+auth_id_scan@email.se", "SE", RiskDecision("ACCEPTED", reason="auth_id_scan")),
        ("a+denied+auth_nothing@email.se", "SE", DENIED),
        ("a+denied+auth_monthio@email.dk", "DK", RiskDecision("ACCEPTED", reason="auth_monthio")),
        ("a+denied+auth_monthio@email.se", "SE", DENIED),
        ("a+denied+auth_bank_id_fi@email.fi", "fi", RiskDecision("ACCEPTED", reason="auth_bank_id_fi")),
        ("", "SE", APPROVED),
        ("no-at-sign+denied", "SE", APPROVED),
    ):
        assert decide_risk(email, country) == expected, (email, country)


def test_pending_can_be_had_in_every_country() -> None:
    decided = decide_risk("a+pend-reject-07@email.se", "SE", pending_everywhere=True)
    assert decided == RiskDecision("PENDING", "REJECTED", 420, "pend-reject-07")


def test_each_reject_reason_declines_with_that_reason() -> None:
    for reason in REJECT_REASONS:
        assert decide_risk(f"a+reject_reason_{reason.upper()}@email.ca", "CA") == RiskDecision(
            "DECLINED", reason=reason
        )


def test_each_dispute_is_noted_and_approved() -> None:
    for dispute in DISPUTES:
        assert decide_risk(f"a+disputed-{dispute}@email.de", "DE") == RiskDecision(
            "ACCEPTED", reason=f"disputed-{dispute}"
        )


def test_the_words_are_as_many_as_the_test_data_lists() -> None:
    assert (len(REJECT_REASONS), len(DISPUTES)) == (12, 10)
