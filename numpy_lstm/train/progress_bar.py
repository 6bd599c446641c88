"""The progress of a run on the terminal, and requests to stop it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from numpy_lstm.settings import Settings
from numpy_lstm.training import TrainingState


class Display:
    """A progress bar, and one line per epoch.

    Parameters
    ----------
    bar : bool, optional
        Whether to show the bar; by default, only on a terminal.

    Attributes
    ----------
    stop_requested : bool
        Set by SIGINT (Ctrl-C) or SIGTERM: the run stops after the current step.
    """

    def __init__(self, bar: bool | None = None) -> None:
        self.stop_requested = False
        self._is_off = None if bar is None else not bar  # None: tqdm looks for a terminal
        self._model = ""
        self._accuracy = 0.5

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into :attr:`stop_requested`; a second Ctrl-C ends at once."""

        def request(number: int, frame: FrameType | None) -> None:
            self.stop_requested = True
            signal.signal(signal.SIGINT, signal.default_int_handler)

        before = {
            number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def training(self, model: str, state: TrainingState, settings: Settings) -> Iterator[None]:
        """Show the training of one model, on a terminal as a bar over all its steps."""
        from tqdm import tqdm

        self._model, self._settings = model, settings
        self._bar = tqdm(
            unit="step", desc=f"{model.upper():4}", disable=self._is_off, dynamic_ncols=True
        )
        with self._bar:
            yield

    def step(self, state: TrainingState, steps: int, loss: float, accuracy: float) -> None:
        """Show a finished step, one of `steps` in the epoch."""
        if self._bar.disable:
            return
        if self._bar.total is None:
            self._bar.reset(total=steps * self._settings.epochs)
            self._bar.update(steps * state.epoch + state.step - 1)
        # A running mean over about 50 batches, since one batch is noisy.
        self._accuracy += (accuracy - self._accuracy) / 50
        self._bar.update()
        if state.step % 10 == 0:
            self._bar.set_postfix_str(
                f"epoch {state.epoch + 1}/{self._settings.epochs},"
                f" loss {state.loss_sum / state.reviews:.3f},"
                f" accuracy {100 * self._accuracy:.1f} %,"
                f" {state.tokens / state.epoch_seconds:,.0f} tokens/s"
            )

    def epoch(self, state: TrainingState) -> None:
        """Print the scores of a finished epoch."""
        line = state.history[-1]
        text = (
            f"{self._model.upper():4} epoch {line.epoch}/{self._settings.epochs}"
            f"  training loss {line.train_loss:.4f}  validation loss {line.val_loss:.4f}"
            f"  accuracy {100 * line.val_accuracy:.2f} %"
            f"  {line.seconds:.1f} s  {line.tokens_per_second:,.0f} tokens/s"
        )
        self._bar.write(text, file=sys.stdout)
        sys.stdout.flush()
