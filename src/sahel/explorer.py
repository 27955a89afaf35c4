"""An explorer: a figure that follows a slider or a menu, with a twin for where no kernel runs."""

import re
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
        words = re.sub(r"\.?\n", ". ", words)  # often also the title: read aloud, a new line is no stop
        return figure_html(data, words, caption, line, None), data, words

    def put(html: str) -> None:
        picture.value = f'<div style="line-height:1.5">{html}</div>'  # widgets set lines far apart

    def redraw(_change: Any = None) -> None:
        put(page()[0])

    still, data, words = page()
    put(still)
    for control in controls.values():
        control.observe(redraw, names="value")
        control.layout.width, control.layout.max_width = (
            "100%",
            "36em",
        )  # room for the label and a steady hand
        control.style.description_width = "initial"
    box = widgets.VBox([*controls.values(), picture, *_slider_names()])
    at = ", ".join(f"{control.description}: {_shown(control)}" for control in controls.values())
    note = f"<p><em>Run this cell to move the controls. Shown here at {escape(at)}.</em></p>"
    bundle, metadata = _widget_bundle(box)
    bundle.update({"text/html": still + note, "image/png": data, "text/plain": f"[Figure] {words}"})
    display(bundle, metadata=metadata, raw=True)


# ipywidgets gives a slider's handle no name: a screen reader would say "140", and not of what. It gets its label's.
_NAMES = """
export default { render({ el }) {
  let tries = 50;
  const look = setInterval(() => {
    const handles = [...(el.closest('.widget-vbox')?.querySelectorAll('[role=slider]') ?? [])];
    for (const handle of handles) {
      const label = handle.closest('.jupyter-widgets').querySelector('label');
      handle.setAttribute('aria-label', label.textContent);
    }
    if (handles.length || !(tries -= 1)) clearInterval(look);
  }, 200);
  return () => clearInterval(look);
} };
"""


def _slider_names() -> list[Any]:
    """Return a widget without looks that gives the sliders beside it their names, or nothing without anywidget."""
    try:
        import anywidget
    except ImportError:
        return []
    return [anywidget.AnyWidget(_esm=_NAMES)]


def _shown(control: Any) -> str:
    """Return the value of a control as a reader would name it (a menu's label rather than its value)."""
    return str(getattr(control, "label", None) or control.value)


def _widget_bundle(box: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what ipywidgets would display, so that our twin can travel in the same output."""
    mime = "application/vnd.jupyter.widget-view+json"
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    return {mime: view}, {}
