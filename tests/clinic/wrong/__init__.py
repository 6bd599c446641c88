"""Wrong networks in the styles of public code; none of their faults stands in the catalogue.

Each file has the functions of the assignment, or adapters of these names. ``# WRONG (17)`` marks the
line that is wrong and the equation; ``(loop)`` what stands around the steps.
"""
