"""Is a quantity held? Looks for rows of numbers in a learner's arrays, by value.

Wherever an array may hold a row, it is looked for: along any axis and from any place on, so that
transposed arrays, slices of stacks and of concatenations, batches and single examples are all the
same. A row of zeros is held by nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from numpy_lstm.clinic.watching import Seen
from numpy_lstm.types import Array

TOLERANCE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 2e-4}


class Index:
    """All places where a row may stand in the values that were seen."""

    def __init__(self, seen: Sequence[Seen], tolerance: float) -> None:
        self.seen = seen
        self.tolerance = tolerance
        self._tables: dict[int, tuple[Array, Array, Array, Array]] = {}

    def windows(self, width: int) -> tuple[Array, Array]:
        """Every row of that width that can be read out of the values, and whose value it is.

        Parameters
        ----------
        width : int

        Returns
        -------
        rows : ndarray, shape (places, width)
        owner : ndarray, shape (places,)
            Index into ``seen``.
        """
        return self._table(width)[:2]

    def _table(self, width: int) -> tuple[Array, Array, Array, Array]:
        if width not in self._tables:
            rows, owner = [np.zeros((0, width))], [np.zeros(0, int)]
            for i, each in enumerate(self.seen):
                for block in _windows(each.value, width):
                    rows.append(block)
                    owner.append(np.full(len(block), i))
            all_rows, all_owners = np.concatenate(rows), np.concatenate(owner)
            weights = np.cos(np.arange(1.0, width + 1))
            with np.errstate(all="ignore"):
                keys = all_rows @ weights
            order = np.argsort(keys, kind="stable")
            self._tables[width] = all_rows, all_owners, order, keys[order]
        return self._tables[width]

    def find(self, row: Array, sign: int = 1) -> int | None:
        """The first value that holds a row.

        Parameters
        ----------
        row : ndarray, shape (width,)
        sign : {1, -1}
            -1 looks for the row with the opposite sign.

        Returns
        -------
        int or None
            Index into ``seen``.
        """
        owners = self.owners(row * sign)
        return int(owners.min()) if len(owners) else None

    def owners(self, row: Array) -> Array:
        """All values that hold a row.

        Parameters
        ----------
        row : ndarray, shape (width,)

        Returns
        -------
        ndarray of int
            Indices into ``seen``.
        """
        rows, owner, order, keys = self._table(len(row))
        size = float(np.abs(row).max())
        if not 0 < size < np.inf:
            return np.zeros(0, int)
        weights = np.cos(np.arange(1.0, len(row) + 1))
        key, slack = float(row @ weights), self.tolerance * size * float(np.abs(weights).sum())
        near = order[
            np.searchsorted(keys, key - slack) : np.searchsorted(keys, key + slack, "right")
        ]
        limit = self.tolerance * size
        same = (np.abs(rows[near] - row) <= limit).all(axis=1)
        return owner[near[same]]

    def holds(self, rows: Array) -> Array:
        """Which of many rows are held.

        Parameters
        ----------
        rows : ndarray, shape (many, width)

        Returns
        -------
        ndarray of bool, shape (many,)
        """
        keys = self._table(rows.shape[1])[3]
        weights = np.cos(np.arange(1.0, rows.shape[1] + 1))
        with np.errstate(all="ignore"):
            key = rows @ weights
            slack = self.tolerance * np.abs(rows).max(axis=1) * float(np.abs(weights).sum())
        near = np.searchsorted(keys, key - slack) < np.searchsorted(keys, key + slack, "right")
        near[near] = [len(self.owners(row)) > 0 for row in rows[near]]
        return near

    def find_all(self, value: Array, sign: int = 1) -> int | None:
        """The value with which all rows have been seen, or None if one was not.

        Parameters
        ----------
        value : ndarray, shape (rows, width)
        sign : {1, -1}

        Returns
        -------
        int or None
        """
        found = -1
        for row in value:
            place = self.find(row, sign)
            if place is None:
                return None
            found = max(found, place)
        return found

    def holder(self, numbers: Array) -> int | None:
        """The first value of just these numbers, in whatever order, that has a name.

        Parameters
        ----------
        numbers : ndarray

        Returns
        -------
        int or None
            Index into ``seen``.
        """
        wanted = np.sort(np.asarray(numbers, np.float64), axis=None)
        for i, each in enumerate(self.seen):
            if each.names and each.value.size == wanted.size:
                if np.array_equal(np.sort(each.value, axis=None), wanted):
                    return i
        return None

    def names(self, value: Array) -> set[str]:
        """What the learner calls the values that hold all rows, or the first of them.

        Parameters
        ----------
        value : ndarray, shape (rows, width)

        Returns
        -------
        set of str
        """
        holders = [set(self.owners(row).tolist()) for row in value if np.abs(row).max() > 0]
        if not holders:
            return set()
        whole = set.intersection(*holders) or holders[0]
        return {name for i in whole for name in self.seen[i].names}


def _windows(value: Array, width: int) -> Iterator[Array]:
    for axis in range(value.ndim):
        if value.shape[axis] >= width:
            moved = np.lib.stride_tricks.sliding_window_view(value, width, axis)
            yield moved.reshape(-1, width)
