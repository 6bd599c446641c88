"""What comes before the first step: reading and tokenizing the reviews, and the word vectors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.plan import Plan
from numpy_lstm.data.corpus import select, split_by_film
from numpy_lstm.data.imdb import PUBLISHED_COUNTS, load_imdb, parse
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.data.vectors import cooccurrences, positive_pmi, reduce_pmi


def preparation(plan: Plan) -> dict[str, Any]:
    """Seconds of each part, once, on the reviews that NUMPY_LSTM_IMDB names."""
    named = os.environ.get("NUMPY_LSTM_IMDB")
    if plan.quick or not named:
        return {"cases": [], "skipped": "NUMPY_LSTM_IMDB names no reviews, or sizes are tiny"}
    seconds: dict[str, float] = {}

    def timed(what: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        seconds[what] = time.perf_counter() - start
        print(f"{what}: {seconds[what]:.1f} s", flush=True)
        return result

    settings = plan.job
    timed("parsing and tokenizing", lambda: parse(Path(named), PUBLISHED_COUNTS))
    corpus = timed("the same from the cache", load_imdb)
    rng = np.random.default_rng(settings.seed)

    def known() -> tuple[Vocabulary, list[Any]]:
        train, _ = split_by_film(corpus.train, settings.validation_fraction, rng)
        reviews = select(corpus.train, train)
        vocabulary = Vocabulary.from_corpus(corpus.words, reviews, settings.vocabulary_size)
        return vocabulary, [vocabulary.remap(corpus.words, r) for r in (reviews, corpus.unlabeled)]

    vocabulary, texts = timed("split and vocabulary", known)
    counts = timed("counting pairs of words", lambda: cooccurrences(texts, len(vocabulary)))
    pmi = timed("pointwise mutual information", lambda: positive_pmi(counts))
    timed(
        "singular value decomposition", lambda: reduce_pmi(pmi, settings.vector_size, settings.seed)
    )
    return {"cases": [], "seconds": seconds, "reviews": sum(PUBLISHED_COUNTS.values())}
