"""Leaks, and texts, splits, vectors and batches that are not what they are said to be."""

from tests.faults import Fault

FAULTS: list[Fault] = []
