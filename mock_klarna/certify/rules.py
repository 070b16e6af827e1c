"""All rules, in the order of the reports."""

from mock_klarna.certify import authorizations, keys, management, orders
from mock_klarna.certify.rule import FAMILIES, Rule

_FOUND = (*keys.RULES, *authorizations.RULES, *orders.RULES, *management.RULES)
RULES: tuple[Rule, ...] = tuple(rule for letter in FAMILIES for rule in _FOUND if rule.id[0] == letter)
"""Every rule, in the order of its groups."""
