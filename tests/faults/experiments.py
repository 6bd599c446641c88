"""Conditions that do nothing, choices by the test reviews, figures that say the opposite."""

from tests.faults import Fault

FAULTS: list[Fault] = []
