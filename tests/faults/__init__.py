"""Faults of the pipeline: results that are wrong without an error.

None touches a gradient, so no gradient check notices. Each is a slip of the kind that a tired
maintainer makes: a leak, a choice by the wrong number, a wrong sign, a label exchanged. Each row
names the test of ours that must catch it; :mod:`tests.test_faults` plants them one by one.
"""

from typing import Any, NamedTuple


class Fault(NamedTuple):
    """One mistake: `old` stands exactly once in `file` and is replaced by `new`."""

    what: str  # what is wrong then
    file: str
    old: str
    new: str
    caught_by: str  # test file and test, such as "data.test_text.test_tokens_of_examples"
    # What pytest would pass to it, as pairs; `tmp_path` comes by itself.
    arguments: tuple[tuple[str, Any], ...] = ()
