"""Norms, decays and statistics that measure something else."""

from tests.faults import Fault

FAULTS: list[Fault] = []
