"""Run an experiment: ``python -m numpy_lstm.experiments NAME``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numpy_lstm.terminal import program, run


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    # Trials must not die of what is printed; a list is there to be printed.
    return run(lambda: _main(arguments), needed="list" in arguments)


def _main(argv: list[str]) -> int:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    from numpy_lstm.data.imdb import DataNotFoundError
    from numpy_lstm.experiments.runner import EXPERIMENTS, check, module, run_experiment, title
    from numpy_lstm.experiments.tables import tables
    from numpy_lstm.training import Diverged

    options = _parse(argv, EXPERIMENTS)
    if options.name == "list":
        for name in EXPERIMENTS:
            print(f"{name:20}{title(name)}")
        return 0
    names = EXPERIMENTS if options.name == "all" else (options.name,)
    folder = options.out or Path("runs/quick" if options.quick else "results")
    if options.data:
        os.environ["NUMPY_LSTM_IMDB"] = options.data  # the processes of --jobs read it
    try:
        for name in names:
            check(name, quick=options.quick, folder=folder)
        with _backend(options.cluster):
            for name in names:
                contents = run_experiment(
                    name,
                    seeds=1 if options.quick else options.seeds,
                    jobs=options.jobs,
                    quick=options.quick,
                    folder=folder,
                )
                print(f"{name}: results are in {folder / name}.json\n")
                print(tables(contents["summary"], *getattr(module(name), "PIVOTS", ())))
    except KeyboardInterrupt:
        print(f"Stopped; the trials that were finished are in {folder}. The same command goes on.")
        return 130
    except (
        ValueError,
        OSError,
        DataNotFoundError,
        ImportError,
        Diverged,
        MemoryError,
        BrokenProcessPool,
    ) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        print(f"error: {reason}", file=sys.stderr)
        return 2
    return 0


def _parse(argv: list[str], experiments: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=program("experiments"),
        usage="%(prog)s [options] NAME",
        description="Run an experiment, or go on with one that was stopped.",
    )
    parser.add_argument(
        "name",
        choices=(*experiments, "all", "list"),
        metavar="NAME",
        help=f"{', '.join(experiments)}, all, or list, which tells what each asks",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="(default: 5)")
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="trials at a time; -1 is one a core (default: 1)",
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="an IMDB archive or an extracted aclImdb/; also the variable NUMPY_LSTM_IMDB",
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
    if options.seeds < 1:
        parser.error(f"argument --seeds: must be at least 1; got {options.seeds}")
    if options.jobs == 0:
        parser.error("argument --jobs: must not be 0")
    if options.data and options.quick:
        parser.error("argument --data: not together with --quick, which reads built-in reviews")
    if options.data and options.cluster:
        parser.error("argument --data: the workers of --cluster need NUMPY_LSTM_IMDB of their own")
    return options


@contextmanager
def _backend(address: str | None) -> Iterator[None]:
    """Make joblib run the trials in its own processes, or on a Dask cluster."""
    if address is None:
        yield
        return
    from joblib import parallel_config

    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ImportError('--cluster needs Dask: pip install "dask" "distributed"') from error
    with (
        Client(address, timeout=10) as client,
        parallel_config("dask", client=client, wait_for_workers_timeout=60),
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())
