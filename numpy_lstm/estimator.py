"""A scikit-learn classifier of raw texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from numpy_lstm.data.prepare import prepare
from numpy_lstm.estimator_defaults import Auto, fill_in, is_auto, warn_if_scarce
from numpy_lstm.estimator_input import (
    check_labels,
    check_texts,
    check_unlabeled,
    weighted_corpus,
)
from numpy_lstm.losses import class_probabilities, likeliest
from numpy_lstm.predict.scoring import score
from numpy_lstm.settings import Settings, requirement_not_met
from numpy_lstm.train.progress_bar import Display
from numpy_lstm.training import TrainingState, initial_state, train
from numpy_lstm.types import Array, Model, Readout
from numpy_lstm.weights import Weights

# Names of the parameters, where possible those of scikit-learn, and of our settings.
SETTING_OF = {
    "hidden_size": "hidden_size",
    "bag_size": "bag_size",
    "readout": "readout",
    "max_length": "max_length",
    "max_features": "vocabulary_size",
    "vector_size": "vector_size",
    "dropout": "dropout",
    "learning_rate_init": "learning_rate",
    "batch_size": "batch_size",
    "max_iter": "epochs",
    "n_iter_no_change": "patience",
    "validation_fraction": "validation_fraction",
}


class ReviewClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Recurrent classifier of texts into two or more classes.

    Word vectors are computed from the training texts and trained further together with an LSTM or a
    vanilla RNN. Part of the texts is set aside; the epoch with the smallest loss on it is kept.

    :func:`numpy_lstm.data.tokenize` divides the texts: lower-case words of any script, numbers,
    ``!``, ``?``, emoji, and emoticons as emoji; HTML and other punctuation are dropped. Texts in a
    script without blanks, such as Chinese or Thai, must have been divided into words before.

    A parameter that is "auto" depends on the number of texts
    (:func:`numpy_lstm.estimator_defaults.fill_in`); from 10,000 on it is that of the training job.
    What was chosen is in ``weights_.settings``.

    Parameters
    ----------
    cell : {"lstm", "rnn"}
    hidden_size : int
        Hidden units.
    bag_size : int or "auto"
        Words averaged into one time step.
    readout : {"last", "mean", "max", "meanmax", "auto"}
        How the hidden states become features.
    max_length : int
        Words of a text that are read, from its end.
    max_features : int or "auto"
        Largest size of the vocabulary, padding and unknown included; at least 3.
    vector_size : int
        Numbers in a word vector.
    dropout : float or "auto"
        Share of inputs and of features dropped in training, in [0, 1).
    learning_rate_init : float or "auto"
        Adam's step size at the start; it falls linearly to 0.
    batch_size : int or "auto"
    max_iter : int or "auto"
        Largest number of epochs.
    n_iter_no_change : int or "auto"
        Stop after so many epochs without a better validation loss; 0 never stops early.
    validation_fraction : float
        Share of the training texts that is set aside, in (0, 1).
    class_weight : dict, "balanced" or None
        Weight of each class, as in scikit-learn; "balanced" makes all classes count the same.
    random_state : int, RandomState instance or None
        For the split, the initial weights, the order of the batches and dropout.
    verbose : int
        1 shows a progress bar, and a line for each epoch.

    Attributes
    ----------
    classes_ : ndarray, shape (C,)
        The labels, sorted.
    weights_ : Weights
        The best epoch's parameters with settings, vocabulary and classes, for
        :func:`numpy_lstm.weights.save_weights`.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch, nats per text.
    validation_scores_ : list of float
        Accuracy on the texts set aside, after each epoch.

    Examples
    --------
    >>> texts = ["a good film", "a bad film", "good fun", "bad luck"] * 10
    >>> classifier = ReviewClassifier(hidden_size=8, vector_size=8, bag_size=1, random_state=0)
    >>> classifier.set_params(max_iter=20, learning_rate_init=0.05).fit(texts, [1, 0, 1, 0] * 10)
    ReviewClassifier(bag_size=1, hidden_size=8, learning_rate_init=0.05,
                     max_iter=20, random_state=0, vector_size=8)
    >>> classifier.predict(["good", "bad"])
    array([1, 0])
    """

    def __init__(
        self,
        cell: Model = "lstm",
        *,
        hidden_size: int = 128,
        bag_size: int | Auto = "auto",
        readout: Readout | Auto = "auto",
        max_length: int = 800,
        max_features: int | Auto = "auto",
        vector_size: int = 128,
        dropout: float | Auto = "auto",
        learning_rate_init: float | Auto = "auto",
        batch_size: int | Auto = "auto",
        max_iter: int | Auto = "auto",
        n_iter_no_change: int | Auto = "auto",
        validation_fraction: float = 0.1,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.bag_size = bag_size
        self.readout = readout
        self.max_length = max_length
        self.max_features = max_features
        self.vector_size = vector_size
        self.dropout = dropout
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Iterable[str],
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        unlabeled: Iterable[str] | None = None,
    ) -> ReviewClassifier:
        """Learn from texts and their labels.

        Parameters
        ----------
        X : iterable of str, length n
        y : array-like, shape (n,)
            At least two different labels, of any kind that can be sorted.
        sample_weight : array-like, shape (n,), optional
            Weight of each text, not negative; a text of weight 0 is not read.
        unlabeled : iterable of str, optional
            Further texts without labels, from which the word vectors are computed too; never those
            that will be scored.

        Returns
        -------
        ReviewClassifier
            Itself, fitted.

        Raises
        ------
        ValueError
            If parameters, texts, labels or weights are not as described, or the texts are too few.
        numpy_lstm.training.Diverged
            If the loss is not finite: try a smaller `learning_rate_init`.

        Warns
        -----
        UserWarning
            If `max_iter` is "auto" and the texts are too few for the defaults.
        """
        texts = check_texts(X)
        classes, labels = check_labels(type(self).__name__, y, texts)
        weights = _check_sample_weight(
            sample_weight, texts, dtype=np.float64, ensure_non_negative=True
        )
        weights *= compute_sample_weight(self.class_weight, classes[labels])
        further = check_unlabeled(unlabeled)
        n_texts = int(np.count_nonzero(weights))
        settings = self._settings(n_texts, len(further))
        corpus = weighted_corpus(texts, labels, weights, further)
        if is_auto("epochs", self.max_iter):
            warn_if_scarce(type(self).__name__, n_texts)
        prepared = prepare(corpus, settings, keep_vectors=False)
        state = initial_state(self.cell, prepared.vectors, settings, len(classes))
        display = Display(bar=True)

        def after_step(state: TrainingState, steps: int, loss: float, accuracy: float) -> bool:
            if self.verbose:
                display.step(state, steps, loss, accuracy)
            return True

        def after_epoch(state: TrainingState) -> None:
            if self.verbose:
                display.epoch(state)

        shown = display.training(self.cell, state, settings) if self.verbose else nullcontext()
        with shown:
            train(
                state,
                prepared.splits,
                settings,
                after_step=after_step,
                after_epoch=after_epoch,
            )
        self.classes_ = classes
        self.weights_ = Weights(
            state.best_parameters, settings, prepared.vocabulary, tuple(classes.tolist())
        )
        self.n_iter_ = state.epoch
        self.loss_curve_ = [epoch.train_loss for epoch in state.history]
        self.validation_scores_ = [epoch.val_accuracy for epoch in state.history]
        return self

    def decision_function(self, X: Iterable[str]) -> Array:
        """Log-odds of the second of two classes, ``classes_[1]``, for each text: shape (n,).

        With C classes, more than two, a logit for each, of which the largest is predicted: shape
        (n, C). The other texts and their order may change the last bits of a text's values.

        Parameters
        ----------
        X : iterable of str, length n

        Warns
        -----
        UserWarning
            If a text has no known word: its result has no meaning.
        """
        check_is_fitted(self)
        logits, known, _ = score(self.weights_, check_texts(X))
        if not known.all():
            warnings.warn(
                f"{np.count_nonzero(known == 0)} of {len(known)} texts hold no word that the"
                " classifier knows; they are answered as if they said nothing.",
                UserWarning,
                stacklevel=2,
            )
        return logits

    def predict_proba(self, X: Iterable[str]) -> Array:
        """Probability of each class, in the order of ``classes_``: shape (n, C).

        Parameters
        ----------
        X : iterable of str, length n
        """
        return class_probabilities(self.decision_function(X))

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """The most probable label of each text: shape (n,).

        Parameters
        ----------
        X : iterable of str, length n
        """
        chosen = likeliest(self.decision_function(X))
        labels: npt.NDArray[Any] = self.classes_[chosen]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _settings(self, n_texts: int, n_unlabeled: int) -> Settings:
        given = {setting: getattr(self, name) for name, setting in SETTING_OF.items()}
        wanted = {
            name: requirement_not_met(setting, given[setting])
            for name, setting in SETTING_OF.items()
            if not is_auto(setting, given[setting])
        }
        wanted["cell"] = None if self.cell in ("lstm", "rnn") else "'lstm' or 'rnn'"
        for name, what in wanted.items():
            if what:
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must be {what}."
                    f" Got {getattr(self, name)!r} instead."
                )
        given = fill_in(given, n_texts, n_unlabeled)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        # NumPy's numbers, for example from a search, are not JSON; the probe is not used.
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in given.items()}
        return Settings(**plain, seed=int(seed), probes=1)
