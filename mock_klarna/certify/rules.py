"""All rules, in the order of the reports."""

from mock_klarna.certify import authorizations, keys, management, orders
from mock_klarna.certify.rule import Rule

RULES: tuple[Rule, ...] = (*keys.RULES, *authorizations.RULES, *orders.RULES, *management.RULES)
"""Every rule."""
