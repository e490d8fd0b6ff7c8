"""Colours and one theme for all charts.

The colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart by colour-blind
people too; those that carry a meaning have it in every notebook. Nothing is painted behind a chart
and its texts are of a middle grey, so that it can be read on light pages and on dark ones.
"""

from __future__ import annotations

from typing import Any, Final

import altair as alt

ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A8F98"

CATEGORIES: Final = (SKY, ORANGE, GREEN, PURPLE, VERMILION, BLUE, YELLOW, GREY)

#: What is known of a period of a stream, the best first.
STANDINGS: Final = {
    "complete": GREEN,
    "ended": "#0072B277",
    "excluded": BLUE,
    "unobserved": "#8A8F9855",
    "doubled": YELLOW,
    "unknown": PURPLE,
    "lost": VERMILION,
}

_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_TEXT: Final = "#7A7F88"
_LINE: Final = "#8A8F9833"


@alt.theme.register("pipedream", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Return the look of every chart."""
    axis: dict[str, Any] = {
        "domainColor": _LINE,
        "gridColor": _LINE,
        "tickColor": _LINE,
        "labelColor": _TEXT,
        "titleColor": _TEXT,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelOverlap": True,
        "labelLimit": 220,
    }
    words = {"labelColor": _TEXT, "titleColor": _TEXT, "labelFontSize": 11, "titleFontSize": 11}
    return alt.theme.ThemeConfig(
        {
            "config": {
                "background": "transparent",
                "font": _FONT,
                "view": {"stroke": None},
                "axis": axis,
                "axisX": {"grid": False},
                "legend": {**words, "orient": "top", "symbolType": "square"},
                "header": {**words},
                "title": {"color": _TEXT, "anchor": "start", "fontSize": 13, "fontWeight": 600},
                "range": {"category": list(CATEGORIES)},
                "bar": {"color": SKY},
                "rect": {"opacity": 0.9},
                "line": {"color": SKY, "strokeWidth": 2},
            }
        }
    )
