"""What is kept, printed, drawn and exchanged."""

from tests.faults import Fault

FAULTS: list[Fault] = []
