"""Conditions of hyperparameters, as `Table.parameters` has them."""

from __future__ import annotations


def is_active(condition, values: dict) -> bool:
    """Whether a condition holds of the hyperparameters before it; `None` always does."""
    if condition is None:
        return True
    if "all" in condition:
        return all(is_active(part, values) for part in condition["all"])
    if "any" in condition:
        return any(is_active(part, values) for part in condition["any"])
    return values.get(condition["name"]) in condition["in"]
