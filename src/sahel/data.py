"""Find and load the course's tables.

The tables lie in `data/`, described by `data/datapackage.json` (a Frictionless Data Package). In a clone that
folder stands beside `src/`; in an installed wheel it is inside the package.
"""

import json
import os
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from sahel.errors import DataMissing, NotFound

# How the types of the data package are read by pandas; dates are parsed apart.
_DTYPES = {"string": "str", "integer": "Int64", "number": "float64"}


def data_folder() -> Path:
    """Return the folder that holds the tables.

    Looks at the environment variable SAHEL_DATA, then inside the package, then in the clone around it.

    Raises:
        DataMissing: where none of these holds a datapackage.json.
    """
    here = Path(__file__).resolve()
    named = os.environ.get("SAHEL_DATA")
    places = [Path(named)] if named else [here.parent / "data", here.parents[2] / "data"]
    for place in places:
        if (place / "datapackage.json").is_file():
            return place
    raise DataMissing(
        f"The course's data is not in {places[-1]}. Run `course.py doctor` in the course's folder: it helps."
    )


@cache
def _resources(folder: Path) -> dict[str, dict[str, Any]]:
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in package["resources"] if "schema" in resource}


def _resource(name: str) -> dict[str, Any]:
    known = _resources(data_folder())
    if name in known:
        return known[name]
    near = get_close_matches(str(name), known, n=1)
    advice = f"Did you mean {near[0]!r}?" if near else "load.tables() lists the tables."
    raise NotFound(f"There is no table {name!r}. {advice}")


class Load:
    """`load("events")` gives a table; `load.tables()` lists them; `load.columns("events")` explains one."""

    def __call__(self, name: str) -> pd.DataFrame:
        """Return a table of the course as a fresh DataFrame, so that changing it changes nothing else.

        Args:
            name: a table's name, such as "events".

        Returns:
            One row per thing that the table lists, columns as in CODEBOOK.md: text as str, dates as
            datetime64, whole numbers as Int64, true/false as boolean; what is blank in the file is missing.

        Raises:
            NotFound: no such table (the message names the nearest).
        """
        resource = _resource(name)
        fields = resource["schema"]["fields"]
        return pd.read_csv(
            data_folder() / resource["path"],
            dtype={f["name"]: _DTYPES[f["type"]] for f in fields if f["type"] in _DTYPES},
            parse_dates=[f["name"] for f in fields if f["type"] == "date"],
            keep_default_na=False,  # only a blank is missing: a word such as "None" in a text stays a word
            na_values=[""],
            encoding="utf-8",
        )

    def tables(self) -> pd.DataFrame:
        """Return one row per table: its name, what one row of it is, and its title."""
        found = _resources(data_folder()).values()
        return pd.DataFrame({key: [r[key] for r in found] for key in ("name", "row", "title")})

    def columns(self, name: str) -> pd.DataFrame:
        """Return one row per column of a table: its name, type and meaning.

        Raises:
            NotFound: no such table (the message names the nearest).
        """
        fields = _resource(name)["schema"]["fields"]
        return pd.DataFrame({key: [f[key] for f in fields] for key in ("name", "type", "description")})

    def __repr__(self) -> str:
        return 'load("name") gives a table; load.tables() lists them; load.columns("name") explains one.'


load = Load()
