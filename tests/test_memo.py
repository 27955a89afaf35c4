"""The memo check: what a student is told about ids, caution, length and bare paragraphs, and about nonsense."""

import pytest

from sahel import check_memo, load


@pytest.fixture
def told(capsys):
    """Return what check_memo prints about a text."""

    def run(memo, **options):
        assert check_memo(memo, **options) is None
        return capsys.readouterr().out

    return run


def flagged(report):
    """The lines of a report under 'Cited as if settled'."""
    part = report.split("Cited as if settled")[1].split("Paragraphs without")[0]
    return [line for line in part.splitlines() if line.startswith("- ")]


def with_verdict(verdict):
    """A claim with this verdict that is neither talk nor a forecast, and its check."""
    both = load("claim_checks").merge(load("claims"), on="claim_id")
    plain = both[(both["verdict"] == verdict) & ~both["kind"].isin(["rumour", "allegation", "forecast"])]
    return plain.iloc[0]["claim_id"], plain.iloc[0]["check_id"]


def test_it_says_that_it_checks_citations_and_not_arguments(told):
    assert told("The soldiers left (F121), so the price of millet fell.").startswith(
        "This check reads citations and words. It cannot judge an argument."
    )


def test_a_digit_too_many_is_seen_and_the_id_without_it_is_offered(told):
    report = told("They ended it (F1270, K21199).")
    assert "F1270; nearest: F127\n" in report
    assert "K21199; nearest: K211\n" in report


def test_an_id_that_does_not_exist_is_named_with_the_nearest(told):
    report = told(
        "Contact preserves influence (c216, F9999). See (source abba-2024-lepiont), table violence."
    )
    assert "Ids that do not exist: 3." in report
    for line in (
        "c216; nearest: C216",
        "F9999; nearest: F",
        "abba-2024-lepiont; nearest: source abba-2024-lepoint",
    ):
        assert line in report
    assert "Ids that do not exist: none." in told(
        "Counted (table violence; source abba-2024-lepoint; SV14; E008)."
    )


def test_a_misspelt_source_is_seen_without_a_digit_and_plain_prose_is_not(told):
    report = told("It grew (source kent-estimative-probabilty, source colpos; table voilence).")
    for near in ("source kent-estimative-probability", "source colpus", "table violence"):
        assert f"nearest: {near}\n" in report
    prose = "A source close to the court said so. The table shows it, the table counts it (table coups)."
    assert "Ids that do not exist: none." in told(prose)


@pytest.mark.parametrize("verdict", ["contested", "contradicted", "unverified"])
def test_what_is_not_settled_needs_a_word_or_the_check(told, verdict):
    claim, check = with_verdict(verdict)
    assert flagged(told(f"It is so ({claim}).")) == [f"- paragraph 1: {claim}, {verdict}; see {check}"]
    assert not flagged(told(f"It is so ({claim}). That is not the whole story ({check})."))
    word = {"contradicted": "Brief A is wrong here", "contested": "This is contested"}.get(
        verdict, "Brief A says so"
    )
    assert not flagged(told(f"{word} ({claim})."))
    assert flagged(told(f"{word}. But in another sentence it stands alone ({claim})."))


def test_talk_forecasts_and_polls_of_a_town_are_not_told_as_facts(told):
    report = told(
        "French troops went alone (C317). Iran wants uranium (C006). Contact keeps influence (C216)."
    )
    assert [line.split(", ")[1].split(";")[0] for line in flagged(report)] == [
        "rumour",
        "allegation",
        "forecast",
    ]
    assert flagged(told("Nigériens are against French forces (SV36)."))
    assert not flagged(told("Of those asked in Niamey, most were against French forces (SV36)."))
    assert flagged(told("In May 2024 contact preserved influence (C216)."))  # a month is no word of caution
    assert not flagged(told("Contact may preserve influence (C216)."))


def test_a_rumour_is_not_made_good_by_saying_that_a_brief_says_it(told):
    assert flagged(told("Brief B says that French troops went alone (C317)."))
    assert not flagged(told("Rumours had it that French troops went alone (C317)."))


def test_a_repeated_claim_takes_the_check_of_its_fullest_wording(told):
    claims = load("claims")
    pair = claims[claims["claim_id"] == "C007"].iloc[0]
    assert pair["repeats"] == "C081"
    assert flagged(told("The armies achieve little (C007).")) == ["- paragraph 1: C007, contested; see K054"]


def test_inferences_gaps_and_doubts_are_listed_without_blame(told):
    report = told("Russia gains influence (C023). It stays open (C295). His post was in question (F014).")
    assert not flagged(report)
    for line in ("Weigh as well (inferred): C023.", "(not checked): C295.", "(some doubt): F014."):
        assert line in report


def test_words_are_counted_without_ids_and_comments(told):
    memo = "# Memo\n\nOne two three (F121, source abba-2024-lepoint).<!-- not\n\ncounted --> Four."
    assert "Words: 5 of at most 1,000." in told(memo)
    assert "Words: 1,001 of at most 1,000, too many." in told("word " * 1001)
    assert "of at most 4, too many." in told(memo, limit=4)
    assert "Words: 6 of" in told("Here a comment <!-- is never closed.")


def test_paragraphs_without_a_citation_are_named(told):
    memo = "# Title\n\nTo: the Council\nSubject: talks\n\nA fact (F121).\n\nAn opinion.\n\n- a list (F122)\n- goes on"
    report = told(memo)
    assert "(one that only asks for something needs none): 1.\n- paragraph 2: 'An opinion.'" in report


def test_a_file_is_read_and_never_written(told, tmp_path, monkeypatch):
    file = tmp_path / "memo.md"
    file.write_text("The last soldiers left (F121).", encoding="utf-8-sig")
    before = file.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert told("memo.md") == told(file) == told("The last soldiers left (F121).")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["memo.md"]


def test_the_same_memo_gives_the_same_report(told):
    memo = "It is so (C022, C229, C216). And so (F999, C317)."
    assert told(memo) == told(memo)


@pytest.mark.parametrize(
    ("memo", "sentence"),
    [
        ("", "empty"),
        ("  \n<!-- only a comment -->\n", "empty"),
        ("no-such-file.md", "cannot be read"),
        ("word " * 100_000, "far too long"),
        ("a\0b", "not plain text"),
        ("\ud800 half a character", "not plain text"),
        ("\0.md", "cannot be read"),
        (b"bytes", "neither"),
        (None, "neither"),
        (load("surveys"), "neither"),
    ],
)
def test_nonsense_gets_one_sentence(told, memo, sentence):
    answer = told(memo)
    assert sentence in answer
    assert answer.count("\n") == 1


def test_a_picture_or_a_folder_gets_one_sentence(told, tmp_path):
    picture = tmp_path / "memo.txt"
    picture.write_bytes(bytes(range(256)) * 10)
    assert "not plain text" in told(picture)
    assert "cannot be read" in told(tmp_path)


@pytest.mark.parametrize(
    "memo", ["(" * 90_000, "<!--" * 20_000, "\n" * 90_000 + "a", "C022 " * 15_000, ". " * 45_000]
)
def test_odd_texts_are_answered_in_good_time(told, memo):
    import time

    start = time.perf_counter()
    told(memo)
    assert time.perf_counter() - start < 5


# --- the lesson that uses it -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson_09(root):
    from sahel_teacher.build import lesson_sources
    from sahel_teacher.nb import read_source

    return read_source(lesson_sources(root, ["09"])[0])


def test_the_outlines_and_the_figure_on_them_name_the_same_rows(lesson_09):
    """The lesson writes its three outlines as text, and again as two lists for the figure."""
    import re

    (text,) = [c.source for c in lesson_09.cells if "**1. Talk" in c.source]
    (code,) = [c.source for c in lesson_09.cells if c.source.startswith("leans =")]
    names = {}
    exec(code.split("rows =")[0], names)
    parts = re.split(r"\*\*\d\. ", text)[1:]
    for part, line in zip(parts, names["leans"], strict=True):
        items = {item.split(":*")[0]: item for item in part.split("\n- *")[1:]}
        for where, listed in (("Leans on", names["leans"]), ("Strongest objections", names["objects"])):
            assert set(re.findall(r"\b[FK]\d{3}\b", items[where])) == set(listed[line].split()), (line, where)


def test_the_anchors_are_what_the_lesson_says_they_are(lesson_09, told):
    """A is flagged, B and C are not: the machine does not see what sets them apart."""
    (code,) = [c.source for c in lesson_09.cells if "anchors = {}" in c.source]
    names = {}
    exec(code, names)
    assert [bool(flagged(told(names["anchors"][name]))) for name in "ABC"] == [True, False, False]
    assert all("Ids that do not exist: none." in told(text) for text in names["anchors"].values())


def test_the_lesson_makes_a_file_when_asked_and_never_writes_over_one(lesson_09, tmp_path, monkeypatch):
    from pathlib import Path

    (code,) = [c.source for c in lesson_09.cells if "write_text" in c.source and c.cell_type == "code"]
    monkeypatch.chdir(tmp_path)
    names = {"Path": Path, "memo": "the frame"}
    exec(code, names)
    assert not list(tmp_path.iterdir()), "as the lesson stands, nothing is written"
    wanted = code.replace("make_file = False", "make_file = True")
    assert wanted != code
    exec(wanted, names)
    assert Path("memo.md").read_text("utf-8") == "the frame"
    Path("memo.md").write_text("three hours of work", encoding="utf-8")
    exec(wanted, names)
    assert Path("memo.md").read_text("utf-8") == "three hours of work"
