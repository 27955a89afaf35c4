"""One quiet style for figures, and one way to show them so that everybody gets them.

A figure goes out as HTML with alternative text, caption, source line and its table, and as PNG beside it:
JupyterLab and nbconvert take the HTML, a viewer that cannot takes the picture, a screen reader the text.
"""

import base64
import io
import json
from functools import cache
from html import escape
from typing import Any

import pandas as pd

from sahel.data import data_folder
from sahel.errors import BadValue

# Okabe and Ito (2008), "Color Universal Design": eight colours that colour-blind readers can tell apart.
COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#6E6E6E",
}

_STYLE: dict[str, Any] = {
    "figure.figsize": (7.2, 4.0),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.5,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    # Pale colours have less than 3 : 1 against white (WCAG 2.2, 1.4.11): a dark edge shows where a bar ends.
    "patch.force_edgecolor": True,
    "patch.edgecolor": "black",
    "patch.linewidth": 0.6,
    "svg.hashsalt": "fortress-niger",
}


def style() -> None:
    """Give every figure that follows the course's quiet look (matplotlib settings; nothing is returned)."""
    import matplotlib as mpl
    from cycler import cycler

    names = ("blue", "orange", "green", "purple", "sky", "vermillion", "black", "yellow")
    mpl.rcParams.update(_STYLE)  # type: ignore[arg-type]
    mpl.rcParams["axes.prop_cycle"] = cycler(color=[COLOURS[name] for name in names])


def base_map(colours: dict[str, str] | None = None) -> tuple[Any, Any]:
    """Draw the outlines of 27 countries of West and North Africa.

    Args:
        colours: {ISO 3166 code: colour} of the countries to fill; the others stay light grey.

    Returns:
        A matplotlib figure and its axes, in degrees of longitude and latitude.
    """
    from matplotlib import pyplot as plt

    colours = colours or {}
    fig, ax = plt.subplots(figsize=(7.2, 5.4))
    for country in _outlines():
        colour = colours.get(country["properties"]["iso3"], "#EFEFEF")
        for polygon in country["geometry"]["coordinates"]:
            ax.fill(*zip(*polygon[0], strict=True), facecolor=colour, edgecolor="white", linewidth=0.8)
    # One degree of longitude is shorter than one of latitude: at 15 degrees north, by its cosine.
    ax.set_aspect(1 / 0.966)
    ax.axis("off")
    return fig, ax


def country_centres() -> dict[str, tuple[float, float]]:
    """Return {ISO 3166 code: (longitude, latitude)} of a point near the middle of each country, for a label."""
    centres = {}
    for country in _outlines():
        ring = max((polygon[0] for polygon in country["geometry"]["coordinates"]), key=len)
        longitudes, latitudes = zip(*ring, strict=True)
        middle = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
        centres[country["properties"]["iso3"]] = middle
    return centres


@cache
def _outlines() -> list[dict[str, Any]]:
    text = (data_folder() / "west_africa.geojson").read_text(encoding="utf-8")
    features: list[dict[str, Any]] = json.loads(text)["features"]
    return features


def show(
    fig: Any, alt: str, caption: str = "", source: str | list[str] = "", table: pd.DataFrame | None = None
) -> None:
    """Show a figure with alternative text, and close it.

    Args:
        fig: a matplotlib figure.
        alt: what the figure says, in words, for those who cannot see it: the finding, not "a chart".
        caption: one or two sentences below the figure.
        source: where the figures come from: a text, or ids for `cite` such as ["C012", "F030"].
        table: the numbers that are drawn, folded up below the figure.

    Raises:
        BadValue: the alternative text is missing or too short to say anything.
    """
    if len(alt.split()) < 4:
        raise BadValue("Say in `alt` what the figure shows, in a sentence: some readers have only that.")
    from IPython.display import display
    from matplotlib import pyplot as plt

    picture = _png(fig)
    plt.close(fig)
    page = figure_html(picture, alt, caption, source_line(source), table)
    display({"text/html": page, "image/png": picture, "text/plain": f"[Figure] {alt}"}, raw=True)


def _png(fig: Any) -> str:
    buffer = io.BytesIO()
    # Without the Software entry the same figure gives the same bytes under another matplotlib version.
    fig.savefig(buffer, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def source_line(source: str | list[str]) -> str:
    """Return the line below a figure that says where its figures come from (blank for no source)."""
    from sahel.cite import cite

    if isinstance(source, str):
        return source
    return "; ".join(dict.fromkeys(cite(row_id) for row_id in source))


def figure_html(picture: str, alt: str, caption: str, source: str, table: pd.DataFrame | None) -> str:
    """Return the HTML of a figure: picture (PNG as base64), words and folded table. All text is escaped."""
    parts = [
        f'<img alt="{escape(alt)}" src="data:image/png;base64,{picture}" style="max-width:100%;height:auto">'
    ]
    words = escape(caption) + (f" <small>Source: {escape(source)}</small>" if source else "")
    if words.strip():
        parts.append(f"<figcaption>{words.strip()}</figcaption>")
    if table is not None:
        rows = table.to_html(index=False, border=0, na_rep="")
        summary = '<summary style="padding:2px 0">The table behind this figure</summary>'
        parts.append(f"<details>{summary}{rows}</details>")
    return f'<figure style="margin:0.5em 0;max-width:52em">{"".join(parts)}</figure>'
