"""Plots of the benchmark page: one dot for each tool, the line through it from the least to the most of the rounds.

Dots, because bars have no honest length on a logarithmic axis. A tool has its colour in every plot, but its name and
figure stand beside it, so that nobody needs the colours; and a plot tells in words what it shows (title and desc).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.measure import Spread

__all__ = ["Panel", "draw"]

_STYLE: dict[str, object] = {
    "backend": "svg",  # needs no display
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "dcmveil",  # the same figures make the same file
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "figure.facecolor": "white",
}
_ROW = 0.29  # inches
_PANEL = 4.4


class Panel(NamedTuple):
    """One pair of axes: figures by tool, on a logarithmic axis called `axis`, which names the unit."""

    title: str
    axis: str
    figures: dict[str, Spread]


def draw(path: Path, title: str, panels: Sequence[Panel], colors: dict[str, str]) -> None:
    """Write `panels` side by side as SVG, the tools in the order of `colors`."""
    names = [name for name in colors if any(name in panel.figures for panel in panels)]
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        size = (1.6 + _PANEL * len(panels), 1.1 + _ROW * len(names))
        figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, sharey=True, layout="constrained")
        for one, panel in zip(axes[0], panels, strict=True):
            _draw_panel(one, panel, names, colors)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    _describe(path, title, panels)


def _draw_panel(axes: Axes, panel: Panel, names: Sequence[str], colors: dict[str, str]) -> None:
    for row, name in enumerate(names):
        if name in panel.figures:
            middle, least, most = panel.figures[name]
            axes.plot([least, most], [row, row], color=colors[name], linewidth=2, solid_capstyle="butt")
            axes.plot(middle, row, "o", color=colors[name], markersize=7)
            axes.annotate(_figure(middle), (most, row), xytext=(7, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.margins(x=0.16, y=0.06)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_xlabel(panel.axis)
    axes.set_title(panel.title, loc="left", fontsize=10)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _describe(path: Path, title: str, panels: Sequence[Panel]) -> None:
    """Title and description, as screen readers look for them."""
    told = (
        f"{panel.title}, {panel.axis}: {', '.join(f'{n} {_figure(one.middle)}' for n, one in panel.figures.items())}"
        for panel in panels
    )
    head = f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(". ".join(told))}.</desc>\n'
    before, opened, after = path.read_text(encoding="utf-8").partition("<svg ")
    inside, closed, rest = after.partition(">")
    opened += 'role="img" aria-labelledby="t d" '
    path.write_text(f"{before}{opened}{inside}{closed}\n{head}{rest}", encoding="utf-8")
