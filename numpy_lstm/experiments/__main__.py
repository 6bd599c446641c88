"""Run an experiment: ``python -m numpy_lstm.experiments NAME``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from joblib import parallel_config

from numpy_lstm.data.imdb import DataNotFoundError
from numpy_lstm.experiments.runner import EXPERIMENTS, module, run_experiment, title
from numpy_lstm.experiments.tables import table


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser("python -m numpy_lstm.experiments", description=__doc__)
    parser.add_argument(
        "name",
        choices=(*EXPERIMENTS, "all", "list"),
        metavar="NAME",
        help=f"{', '.join(EXPERIMENTS)}, all, list",
    )
    parser.add_argument("--seeds", type=_positive, default=5, metavar="N", help="(default: 5)")
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="trials at a time; -1 is one a core (default: 1)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="the scheduler of a Dask cluster that runs the trials (needs dask and distributed)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes and built-in reviews, to see that it works"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of NAME.json and NAME.png (default: results, or runs/quick with --quick)",
    )
    options = parser.parse_args(argv)
    if options.jobs == 0:
        parser.error("argument --jobs: must not be 0")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # "–" in ASCII
    if options.name == "list":
        for name in EXPERIMENTS:
            print(f"{name:14}{title(name)}")
        return 0
    folder = options.out or Path("runs/quick" if options.quick else "results")
    try:
        with _backend(options.cluster):
            for name in EXPERIMENTS if options.name == "all" else (options.name,):
                contents = run_experiment(
                    name,
                    seeds=1 if options.quick else options.seeds,
                    jobs=options.jobs,
                    quick=options.quick,
                    folder=folder,
                )
                print(f"{name}: results are in {folder / name}.json\n")
                print(table(contents["summary"], getattr(module(name), "PIVOT", None)))
    except KeyboardInterrupt:
        print(f"Stopped; the trials that were finished are in {folder}. The same command goes on.")
        return 130
    except (ValueError, OSError, DataNotFoundError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {number}")
    return number


@contextmanager
def _backend(address: str | None) -> Iterator[None]:
    """Make joblib run the trials in its own processes, or on a Dask cluster."""
    if address is None:
        yield
        return
    from dask.distributed import Client

    with (
        Client(address, timeout=10) as client,
        parallel_config("dask", client=client, wait_for_workers_timeout=60),
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())
