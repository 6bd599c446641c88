"""Reviews: their sources, their word ids, and word vectors.

Read `corpus` (the data structures) first, then `text`, `imdb` and `vectors`.
"""

from numpy_lstm.data.cache import cache_folder
from numpy_lstm.data.corpus import Corpus, Reviews, keep_last, select, split_by_film
from numpy_lstm.data.imdb import DataNotFoundError, load_imdb
from numpy_lstm.data.text import Vocabulary, number_tokens, tokenize
from numpy_lstm.data.vectors import word_vectors

__all__ = [
    "Corpus",
    "DataNotFoundError",
    "Reviews",
    "Vocabulary",
    "cache_folder",
    "keep_last",
    "load_imdb",
    "number_tokens",
    "select",
    "split_by_film",
    "tokenize",
    "word_vectors",
]
