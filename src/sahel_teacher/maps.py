"""Draw the countries of data/west_africa.geojson as small outlines for the quiz's map."""

import json
from math import cos, radians
from pathlib import Path
from typing import Any

WIDTH = 300  # units across; an outline keeps whole units only, which is enough for a map of this size
MARGIN = 0.5  # degrees around the countries that are asked for

Ring = list[tuple[float, float]]


def country_names(root: Path) -> dict[str, str]:
    """Return the names of the countries on the map by their three letters."""
    return {f["properties"]["iso3"]: f["properties"]["name"] for f in _features(root)}


def drawn(root: Path, codes: list[str]) -> tuple[dict[str, str], str, str]:
    """Return the outlines of some countries by code, the view box around them, and all others as one outline.

    Equirectangular, true to scale in the middle of the box.
    """
    rings = {f["properties"]["iso3"]: _rings(f) for f in _features(root)}
    points = [point for code in codes for ring in rings[code] for point in ring]
    west, east = min(lon for lon, _ in points) - MARGIN, max(lon for lon, _ in points) + MARGIN
    south, north = min(lat for _, lat in points) - MARGIN, max(lat for _, lat in points) + MARGIN
    across = WIDTH / (east - west)
    up = across / cos(radians((south + north) / 2))

    def path(code: str) -> str:
        placed = [
            [(round((lon - west) * across), round((north - lat) * up)) for lon, lat in ring]
            for ring in rings[code]
        ]
        seen = [ring for ring in placed if len(set(ring)) > 2]  # an islet of one unit would be no shape
        return "".join(map(_line, seen or placed))

    rest = "".join(path(code) for code in rings if code not in codes)
    return {code: path(code) for code in codes}, f"0 0 {WIDTH} {round((north - south) * up)}", rest


def _line(ring: list[tuple[int, int]]) -> str:
    """Return a ring as the data of an SVG path."""
    kept = [point for point, before in zip(ring, [None, *ring], strict=False) if point != before]
    return f"M{' '.join(f'{x},{y}' for x, y in kept)}Z"


def _rings(feature: dict[str, Any]) -> list[Ring]:
    return [ring for polygon in feature["geometry"]["coordinates"] for ring in polygon]


def _features(root: Path) -> list[dict[str, Any]]:
    text = (root / "data" / "west_africa.geojson").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)["features"]
    return found
