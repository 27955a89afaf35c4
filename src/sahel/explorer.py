"""An explorer: a figure that follows a slider or a menu, with a twin for where no kernel runs."""

from collections.abc import Callable
from html import escape
from typing import Any

from sahel.figures import figure_html, source_line


def explore(
    draw: Callable[..., Any],
    *,
    alt: str | Callable[..., str],
    caption: str = "",
    source: str | list[str] = "",
    **controls: Any,
) -> None:
    """Show controls and the figure that `draw` makes of their values, drawn anew at each change.

    Args:
        draw: called with the value of each control by name; returns a matplotlib figure.
        alt: what the figure says in words: a text, or a function of the same values that returns one.
        caption: one or two sentences below the figure.
        source: a text, or ids for `cite`.
        controls: name=ipywidgets control (a slider, a menu). Each needs a description.

    The saved notebook keeps the figure at the controls' first values, and says which these are.
    """
    import ipywidgets as widgets
    from IPython.display import display
    from matplotlib import pyplot as plt

    from sahel.figures import _png

    line = source_line(source)
    picture = widgets.HTML()

    def page() -> tuple[str, str, str]:
        values = {name: control.value for name, control in controls.items()}
        fig = draw(**values)
        data = _png(fig)
        plt.close(fig)
        words = alt(**values) if callable(alt) else alt
        return figure_html(data, words, caption, line, None), data, words

    def redraw(_change: Any = None) -> None:
        picture.value = page()[0]

    still, data, words = page()
    picture.value = still
    for control in controls.values():
        control.observe(redraw, names="value")
        control.layout.width, control.layout.max_width = (
            "100%",
            "36em",
        )  # room for the label and a steady hand
        control.style.description_width = "initial"
    box = widgets.VBox([*controls.values(), picture])
    at = ", ".join(f"{control.description}: {_shown(control)}" for control in controls.values())
    note = f"<p><em>Run this cell to move the controls. Shown here at {escape(at)}.</em></p>"
    bundle, metadata = _widget_bundle(box)
    bundle.update({"text/html": still + note, "image/png": data, "text/plain": f"[Figure] {words}"})
    display(bundle, metadata=metadata, raw=True)


def _shown(control: Any) -> str:
    """Return the value of a control as a reader would name it (a menu's label rather than its value)."""
    return str(getattr(control, "label", None) or control.value)


def _widget_bundle(box: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what ipywidgets would display, so that our twin can travel in the same output."""
    mime = "application/vnd.jupyter.widget-view+json"
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    return {mime: view}, {}
