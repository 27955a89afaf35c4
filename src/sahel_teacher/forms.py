"""How answers to a task are compared, read off the worked one; light, for the process that grades loads it."""

import math
from typing import Any

from sahel import checks
from sahel_teacher.errors import BuildError


def describe(value: Any, declared: dict[str, Any], where: str) -> dict[str, Any]:
    """Return how answers to a task are compared: what the source declares, with kinds read off the worked one.

    Raises:
        BuildError: the worked answer does not suit the declared kind.
    """
    kind = declared.get("kind")
    got = checks.kind_of(value)
    if kind == "exact" and got in ("whole", "text", "bool", "date", "list", "column"):
        return {"kind": kind, "is": "list" if got == "column" else got}
    if kind == "number" and got in ("whole", "number") and declared.get("tolerance", 0) > 0:
        return {"kind": kind, "width": declared["tolerance"] / 2}
    if kind == "set" and got in ("set", "list", "column"):
        return {"kind": kind, "of": _kinds(checks.items_of(value))}
    if kind == "table" and got == "table" and isinstance(declared.get("ordered"), bool):
        names = declared.get("columns", list(value.columns))
        if set(names) - set(value.columns):
            raise BuildError(
                f"{where}: the worked table needs the columns {', '.join(names)} (use reset_index)"
            )
        columns = {str(name): _kinds(value[name].tolist()) for name in names}
        return {"kind": kind, "ordered": declared["ordered"], "columns": columns}
    if kind == "function" and got == "function" and declared.get("inputs"):
        returns = sorted({found for found, _ in checks.call(value, declared["inputs"])})
        return {"kind": kind, "inputs": declared["inputs"], "returns": returns}
    raise BuildError(f"{where}: compare {declared} does not suit a worked answer that is {got}")


def _kinds(items: list[Any]) -> list[str]:
    found = {checks.scalar(item)[0] for item in items}
    return sorted(found - {"missing"}) or ["missing"]


def forms(value: Any, compare: dict[str, Any], tolerance: float, where: str) -> list[str]:
    """Return every canonical form that counts as this value: one, or for a number each bucket in tolerance.

    A bucket is half a tolerance wide. So what is within tolerance always counts, wherever the edge of a
    bucket lies, and what is more than one and a half tolerances away never does.
    """
    try:
        form = checks.canonical(value, compare)
    except checks.WrongKind as wrong:
        raise BuildError(f"{where} cannot be compared with the worked one: {wrong}") from wrong
    if compare["kind"] != "number":
        return [form]
    slack = 1e-9  # what a computer's arithmetic may add or take away at an edge
    first = math.floor((float(value) - tolerance) / compare["width"] - slack)
    last = math.floor((float(value) + tolerance) / compare["width"] + slack)
    return [str(bucket) for bucket in range(first, last + 1)]
