"""Timings and memory of dcmveil next to `cp` and gdcmanon, on synthetic files.

    python -m pytest -n0 benchmarks      pytest-benchmark: scanner, whole files
    python -m benchmarks.memory          peak resident memory, files of 64 MiB to 8 GiB
    python -m benchmarks.compare         ratio to `cp` of the same file, start-up, time per file

Nothing here asserts a time. Temporary files stand under TMPDIR (pytest: --basetemp) and are removed.
"""
