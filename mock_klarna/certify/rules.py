"""All rules, in the order of the reports."""

from mock_klarna.certify import (
    callback_rules,
    denial_rules,
    key_rules,
    management_rules,
    order_rules,
    transport_rules,
    validation_rules,
)

_MODULES = (key_rules, callback_rules, validation_rules, order_rules, denial_rules, management_rules, transport_rules)
RULES = tuple(rule for module in _MODULES for rule in module.RULES)
"""Every rule, in the order of `FAMILIES`."""
