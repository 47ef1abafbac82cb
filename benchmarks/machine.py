"""What the figures were taken on: machine, file systems, revision."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["file_system", "load", "machine", "revision"]

_ROOT = Path(__file__).resolve().parents[1]


def machine() -> str:
    """Processor, cores, memory and kernel, as the system tells them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def load() -> str:
    """How many processes wanted to run in the last minute, on average: what else goes on takes part in the figures."""
    return f"{os.getloadavg()[0]:.1f}"


def file_system(folder: Path) -> str:
    """The type of the file system that `folder` stands on."""
    kinds = {mount: kind for mount, kind in _mounts() if folder.resolve().is_relative_to(mount)}
    return kinds[max(kinds, key=len)] if kinds else "unknown"


def revision() -> str:
    """The commit that the sources are at, and whether they have been changed since."""
    told = [_git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", "src", "ext")]
    return "unknown" if not told[0] else f"{told[0]}, changed since" if told[1] else told[0]


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _mounts() -> Iterator[tuple[str, str]]:
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, mount, kind = line.split()[:3]
        yield mount, kind
