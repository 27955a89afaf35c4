"""The helper package, as a student calls it."""

import base64
import re
import subprocess
import sys
import zipfile

import pandas as pd
import pytest

import sahel
from sahel import cite, load
from sahel.errors import BadValue, DataMissing, NotFound


def test_load_gives_types_as_the_codebook_says():
    events = load("events")
    assert events["earliest"].dtype.kind == "M"
    assert events["event_id"].is_unique
    assert load("partnerships")["peak_strength"].dtype == "Int64"
    assert load("forecast_questions")["taught"].dtype == bool
    assert load("claims")["note"].isna().any(), "a blank is missing"


def test_load_gives_a_fresh_copy_each_time():
    first = load("events")
    first.loc[:, "title"] = "changed by a student"
    assert (load("events")["title"] != "changed by a student").all()


def test_every_table_loads_with_all_its_rows_and_columns(root):
    files = {path.stem: path for path in (root / "data").rglob("*.csv")}
    assert set(load.tables()["name"]) == set(files)
    for name, path in files.items():
        table = load(name)
        lines = path.read_text("utf-8").splitlines()
        assert list(table.columns) == lines[0].split(",")
        assert list(load.columns(name)["name"]) == list(table.columns)
        assert len(table) > 0, name


def test_a_word_like_none_or_na_in_a_text_is_not_taken_for_missing():
    checks = load("claim_checks")
    assert checks["basis"].notna().all()
    assert (checks["basis"] == "none").any()


def test_a_wrong_name_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'events'"):
        load("event")
    with pytest.raises(NotFound, match=r"load\.tables"):
        load("zzz")
    with pytest.raises(NotFound, match=r"load\.tables"):
        load(3)  # type: ignore[arg-type]


def test_a_student_sees_one_line_and_no_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shown = []
    shell._showtraceback = lambda etype, evalue, stb: shown.extend(stb)
    shell.run_cell('from sahel import load; load("event")')
    assert shown == ["NotFound: There is no table 'event'. Did you mean 'events'?"]


def test_cite_gives_author_document_and_paragraph():
    line = cite("C205")
    for part in ("Lebovich", "Niger coup forces a rethink", "paragraph D2", "brief B"):
        assert part in line
    assert "paragraph S1" in cite("C009")
    assert "Wassim Nasr" in cite("A")


def test_cite_says_where_only_a_copy_was_seen():
    sources = load("sources")
    copy = sources[sources["seen_via"].notna()].iloc[0]
    assert f"copy seen: {copy['seen_via']}" in cite(copy["source_id"])


def test_an_event_or_a_check_leads_to_all_that_it_rests_on():
    facts = load("event_facts")
    mine = facts[facts["event_id"] == "E095"]["fact_id"]
    assert set(cite(mine.iloc[0]).splitlines()) <= set(cite("E095").splitlines())
    assert set(cite.table("E095")["cited_for"]) == {"E095"}
    sources = load("check_sources")
    checks = load("claim_checks")
    without = checks[~checks["check_id"].isin(sources["check_id"])]["check_id"].iloc[0]
    assert cite(without).startswith("No source")
    assert len(cite("K035").splitlines()) == sources[sources["check_id"] == "K035"]["source_id"].nunique()


def test_every_claim_and_every_fact_can_be_cited():
    for row_id in [*load("claims")["claim_id"], *load("record_facts")["fact_id"]]:
        assert not re.search(r"\bnan\b", cite(row_id)), row_id


def test_cite_names_the_nearest_id():
    with pytest.raises(NotFound, match="Did you mean C205"):
        cite("c205")


def test_table_of_sources_has_one_row_a_source():
    table = cite.table("C205", "C207", "C009")
    assert len(table) == 2
    assert "C205, C207" in set(table["cited_for"])
    assert table.notna().all().all()


def test_table_of_sources_shows_links_and_escapes(monkeypatch):
    page = cite.table("C205", "F012")._repr_html_()
    assert '<a href="https://reliefweb.int/' in page
    assert page.count("<tr>") == 3
    table = cite.table("C205")
    table["title"] = "<script>"
    assert "<script>" not in table._repr_html_()


def test_data_that_is_not_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("SAHEL_DATA", str(tmp_path))
    with pytest.raises(DataMissing, match=r"course\.py doctor"):
        load("events")


def test_import_brings_neither_matplotlib_nor_widgets_along():
    heavy = "('matplotlib', 'ipywidgets', 'anywidget', 'IPython')"
    code = f"import sys, sahel; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_functions_are_functions_whatever_was_imported_before():
    code = (
        "import sahel.quizzes, sahel.checks, sahel.explorer\nfrom sahel import quiz, check, explore, hint\n"
    )
    code += "print(all(callable(f) for f in (quiz, check, explore, hint)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert set(sahel.__all__) >= {"load", "cite", "show", "quiz", "check"}


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_an_installed_wheel_carries_the_data_and_no_teacher(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    names = {path.name for path in (tmp_path / "site").iterdir()}
    assert "sahel_teacher" not in names
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import sahel; from sahel import load, cite; "
        "assert 'site' in sahel.__file__; print(len(load('events')), cite('C009')[:11])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(load("events"))), "Wassim", "Nasr"]


# --- figures ---------------------------------------------------------------------------------------------


def shown(monkeypatch, function):
    """Run something that displays, and return the one bundle that it sent."""
    import IPython.display

    sent = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **_: sent.append(data))
    function()
    assert len(sent) == 1
    return sent[0]


def test_a_figure_goes_out_with_words_picture_and_table(monkeypatch):
    from matplotlib import pyplot as plt

    from sahel import show

    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1])
    table = pd.DataFrame({"a <b>": ["x & y"]})
    alt = 'A line rises from 0 to 1, says "nobody" <script>'
    bundle = shown(monkeypatch, lambda: show(fig, alt, "A caption.", ["C205"], table))
    page = bundle["text/html"]
    assert 'alt="A line rises from 0 to 1, says &quot;nobody&quot; &lt;script&gt;"' in page
    assert "<script>" not in page
    assert "a &lt;b&gt;" in page
    assert "Lebovich" in page
    picture = re.search(r"base64,([^\"]+)", page).group(1)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert bundle["image/png"] == picture
    assert alt in bundle["text/plain"]
    assert plt.get_fignums() == []


def test_a_figure_without_words_is_refused():
    from matplotlib import pyplot as plt

    from sahel import show

    fig, _ = plt.subplots()
    with pytest.raises(BadValue, match="Say in `alt` what the figure shows"):
        show(fig, "a chart")
    plt.close(fig)


def test_an_explorer_keeps_a_still_twin_and_follows_its_control(monkeypatch):
    import ipywidgets as widgets
    from matplotlib import pyplot as plt

    from sahel import explore

    drawn = []

    def draw(year):
        drawn.append(year)
        return plt.figure()

    slider = widgets.IntSlider(value=3, min=1, max=5, description="Year")
    bundle = shown(
        monkeypatch, lambda: explore(draw, alt=lambda year: f"What the year {year} shows here", year=slider)
    )
    assert "What the year 3 shows here" in bundle["text/html"]
    assert "Year: 3" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    slider.value = 4
    assert drawn == [3, 4]
    assert plt.get_fignums() == []
