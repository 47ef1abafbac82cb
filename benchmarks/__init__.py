"""Timings and memory of dcmveil next to `cp`, gdcmanon and other de-identifiers, on synthetic files.

    python -m benchmarks.page            PAGE.md and plots: everything that is compared, side by side
    python -m pytest -n0 benchmarks      pytest-benchmark: scanner, whole files
    python -m benchmarks.memory          peak resident memory, files and pipes, up to 6 GiB
    python -m benchmarks.compare         ratio to `cp` of the same file, start-up, time per file
    python -m benchmarks.reversible      what encrypted originals cost
    python -m benchmarks.options         what the Options cost

Nothing here asserts a time. Temporary files stand under TMPDIR (pytest: --basetemp) and are removed.
"""

import tests  # noqa: F401 - which leaves out programs that only seem to be gdcmanon
