"""All rules, in the order of the reports."""

from collections.abc import Mapping

from mock_klarna.certify import authorizations, keys, management, orders
from mock_klarna.certify.rule import Rule

RULES: tuple[Rule, ...] = (*keys.RULES, *authorizations.RULES, *orders.RULES, *management.RULES)
"""Every rule."""

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}
"""Every rule by its id."""
