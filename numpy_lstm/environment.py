"""Versions that the results depend on."""

from __future__ import annotations

import platform

from numpy_lstm import __version__


def versions() -> dict[str, str]:
    """Versions of the package, of Python, of the main dependencies, and the machine."""
    from importlib.metadata import version

    packages = ("numpy", "scikit-learn", "scipy", "matplotlib", "threadpoolctl")
    return {
        "numpy_lstm": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}",
    }
