"""What the results depend on besides the settings and the seed."""

from __future__ import annotations

import platform
from pathlib import Path

from numpy_lstm import __version__


def versions() -> dict[str, str]:
    """Versions of the package, of Python, of the main dependencies, and what computes.

    ``machine``, ``processor``, ``blas`` (library, kernel, threads) and ``simd`` (NumPy's vector
    instructions) decide the last digits of a product of matrices.
    """
    from importlib.metadata import version

    import numpy as np
    from threadpoolctl import threadpool_info

    packages = ("numpy", "scikit-learn", "scipy", "matplotlib", "threadpoolctl")
    libraries = [
        f"{each['internal_api']} {each['version']} {each.get('architecture', '')}".strip()
        + f", threads: {each['num_threads']}"
        for each in threadpool_info()
        if each["user_api"] == "blas"
    ]
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "numpy_lstm": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "blas": "; ".join(sorted(libraries)) or "unknown",
        "simd": " ".join([*simd.get("baseline", []), *simd.get("found", [])]),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
