"""`dcmveil` and `python -m dcmveil`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; returns the exit status, 0 or 1."""
    if sys.argv[1:] in (["-v"], ["--version"]):
        from dcmveil import __version__

        return _print(f"dcmveil {__version__} (PS3.15 2026d)\n")
    from dcmveil.cli import run

    return run(sys.argv[1:])


def _print(text: str) -> int:
    """Write and flush, so that an error is met here; 1 if there is one."""
    problem = "is closed"
    if sys.stdout is not None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
            return 0
        except OSError as error:
            problem = str(error.strerror)
            sys.stdout = None  # or its buffer would be tried once more at the end
    print(f"dcmveil: standard output: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
