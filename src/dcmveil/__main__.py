"""`dcmveil` and `python -m dcmveil`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; returns the exit status, 0 or 1."""
    if sys.argv[1:] in (["-v"], ["--version"]):
        from dcmveil import __version__

        print(f"dcmveil {__version__} (PS3.15 2026d)")
        return 0
    from dcmveil.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
