"""The class: roles that are played, codes that students send, and the board that a teacher sees.

All students, answers and codes here are made up.
"""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sahel import class_code
from sahel.quizzes import answer, bank, codes, marking, progress, twin
from sahel.quizzes.bank import QuizTrouble
from sahel.quizzes.codes import Kept, Sheet
from sahel_teacher import board, board_page
from sahel_teacher.__main__ import main
from sahel_teacher.bank import build_quizzes
from sahel_teacher.errors import BuildError
from tests.conftest import made_up_course

COURSE = Path(__file__).resolve().parents[1]
PLAYED = "content/en/quizzes/98-played.yaml"
LEFT, RIGHT, MIDDLE = "made-up-left-side", "made-up-right-side", "made-up-middle"
BOTH = ("quiz_items", "class_items")
SLOW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = made_up_course(tmp_path_factory.mktemp("course"), *BOTH)
    build_quizzes(root)
    return root / "src/sahel/built"


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture(scope="module")
def forms(built):
    """The forms of the made-up lessons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAHEL_BUILT", str(built))
        return board.all_forms()


@pytest.fixture(scope="module")
def every_form(forms):
    """The forms of the made-up lessons and of every lesson of the course."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SAHEL_BUILT", raising=False)
        return forms | board.all_forms()


def ask(which):
    from sahel.quizzes.widget import QuizWidget

    return QuizWidget(bank.find(which), confidence=True)


def send(widget, item, choice, **more):
    widget._receive(widget, {"item": item, "choice": choice, **more}, [])
    return widget.outcomes[item]


# --- roles that are played -------------------------------------------------------------------------------


def test_an_answer_in_a_role_is_neither_right_nor_wrong_and_gets_its_feedback(folder):
    widget = ask("98.2")
    assert not widget.questions[0]["confidence"], "nothing to be sure of"
    shown = send(widget, "98.2", [2])
    assert (shown["verdict"], shown["foot"]) == ("played", ["Source: Brief A, S1"])
    assert "Nothing here is right or wrong" in shown["headline"]
    assert [line["text"] for line in shown["lines"]] == ["The made-up right side stands here."]
    assert json.loads((folder / "98.json").read_text("utf-8"))["items"]["98.2"][0]["score"] is None


def test_an_answer_in_a_role_is_done_and_never_to_be_tried_again(capsys):
    send(ask("98.2"), "98.2", [0])
    progress()
    said = capsys.readouterr().out
    assert "answered 1 of 3. Right at the first answer: 0 of 1." in said
    assert not re.search(r"(again|repeat).*98\.2", said, re.IGNORECASE)


def test_the_text_version_of_a_role_calls_no_option_right(capsys):
    page = twin.twin_html(bank.find("98.2"))
    assert "not as yourself" in page
    assert "Show the answer" not in page
    answer("98.2")
    said = page + capsys.readouterr().out
    assert "right)" not in said
    assert "The made-up left side stands here." in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"On the left", ', '"On the left", right: true, ', "98.2: options 1 right: does not belong in a pl"),
        ("    played: true", "    played: true\n    confidence: true", "confidence: does not belong in a pl"),
        ("    question: Q91", "    played: true\n    question: Q91", "'probability' is none of: single"),
        (MIDDLE, "nobody", "roles: nobody is no row of actors"),
        (MIDDLE, "C901", "roles: C901 is no row of actors"),
        ("roles: [", "# [", "98.2: played: list roles above the items"),
        (f", {RIGHT}, {MIDDLE}", "", "roles: has 1 entries; it needs at least 2"),
        ('"Two", right: true,', '"Two",', "98.1: options 2: missing: right"),
    ],
)
def test_a_fault_in_a_role_is_refused_in_a_sentence(tmp_path, old, new, said):
    root = made_up_course(tmp_path / "course", *BOTH)
    text = (root / PLAYED).read_text("utf-8")
    assert old in text
    (root / PLAYED).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BuildError, match=re.escape(said)):
        build_quizzes(root)


def test_roles_are_built_with_their_names():
    assert bank.roles("98") == {
        LEFT: "Made-up Left Side",
        RIGHT: "Made-up Right Side",
        MIDDLE: "Made-up Middle",
    }
    assert bank.roles("99") == {}


# --- codes -----------------------------------------------------------------------------------------------


@st.composite
def sheets(draw, form):
    """Any answers that a student of this lesson could have given."""
    kept = {}
    sure = draw(st.booleans())
    for item in form.items:
        if not draw(st.booleans()):
            continue
        number = st.integers(0, codes.answer_numbers(item) - 1)
        second = draw(st.none() | number) if item["type"] != "probability" else None
        level = draw(st.integers(0, 3)) if sure and marking.has_right_answer(item) else 0
        kept[item["id"]] = Kept(draw(number), second, level)
    return Sheet(form.lesson, draw(st.sampled_from(["", *form.roles])), kept)


def full_sheet(form):
    """The answers that need most room: the last of everything, in the last role."""
    last = {item["id"]: codes.answer_numbers(item) - 1 for item in form.items}
    kept = {
        item["id"]: Kept(
            last[item["id"]],
            None if item["type"] == "probability" else last[item["id"]],
            3 * marking.has_right_answer(item),
        )
        for item in form.items
    }
    return Sheet(form.lesson, [*form.roles, ""][-2] if form.roles else "", kept)


@SLOW
@given(data=st.data())
def test_whatever_was_answered_is_read_back_from_the_code(every_form, data):
    form = every_form[data.draw(st.sampled_from(sorted(every_form)))]
    sheet = data.draw(sheets(form))
    code = form.write(sheet)
    assert codes.read_code(code, every_form) == sheet
    sloppy = code.lower().replace("0", "o").replace("1", "l").replace("-", data.draw(st.sampled_from(" –_")))
    assert codes.read_code(f" {sloppy}\n", every_form) == sheet


def test_the_largest_answers_of_every_bank_fit_and_codes_stay_short(every_form):
    for form in every_form.values():
        code = form.write(full_sheet(form))
        assert codes.read_code(code, every_form) == full_sheet(form)
        assert len(code) <= 60, code
        assert re.fullmatch(r"\d\d(-[0-9A-HJKMNP-TV-Z]{2,4})+", code)


@SLOW
@given(data=st.data())
def test_every_answer_that_the_widget_takes_means_the_same_in_the_code(forms, data):
    item = data.draw(st.sampled_from([item for form in forms.values() for item in form.items]))
    size = len(item.get("options") or item.get("slots") or item.get("pairs") or [])
    several = st.integers(0, len(item.get("choices", [])) - 1 if "pairs" in item else size - 1)
    lists = {"min_size": size if "pairs" in item else 1, "max_size": size, "unique": "pairs" not in item}
    ways = {
        "single": st.integers(0, size - 1).map(lambda n: [n]),
        "order": st.permutations(range(size)),
        "number": st.sampled_from([0.4, 40, 3, -1]),
        "probability": st.integers(0, 100),
    }
    choice = data.draw(ways.get(item["type"], st.lists(several, **lists)))
    number = codes.answer_number(item, {"choice": choice, "known": True})
    assert 0 <= number < codes.answer_numbers(item)
    score = marking.mark(item, choice).score
    if "options" in item:
        assert codes.chosen(item, number) == sorted(choice)
    if item["type"] == "probability":
        percent, knew = codes.forecast(number)
        assert knew
        assert abs(percent - choice) <= 2
    elif score is not None:
        assert codes.credit(item, number) <= score + 1e-9
        assert score - codes.credit(item, number) < 0.1
        assert (codes.credit(item, number) == 1) == (score == 1)
    else:
        assert codes.credit(item, number) is None


def refused(code, forms):
    try:
        codes.read_code(code, forms)
    except QuizTrouble as trouble:
        return str(trouble)
    return ""


def test_every_wrong_character_swap_and_loss_is_caught_in_every_bank(every_form):
    for form in every_form.values():
        code = codes.bare(form.write(full_sheet(form)))
        for n, character in enumerate(code):
            others = set(codes.DIGITS) - {character}
            assert all(refused(code[:n] + other + code[n + 1 :], every_form) for other in others)
            assert refused(code[:n] + code[n + 1 :], every_form)
            assert all(refused(code[:n] + more + code[n:], every_form) for more in codes.DIGITS)
            swapped = code[:n] + code[n : n + 2][::-1] + code[n + 2 :]
            assert swapped == code or refused(swapped, every_form)


def test_a_code_of_another_version_or_lesson_is_named_as_such(forms):
    form = forms["98"]
    changed = [{**form.items[0], "rev": "another"}, *form.items[1:]]
    others = forms | {"98": codes.Form("98", changed, form.roles)}
    code = form.write(full_sheet(form))
    assert "another version of the questions of lesson 98" in refused(code, others)
    fewer = forms | {"98": codes.Form("98", form.items[:1], {})}
    assert "another version" in refused(code, fewer), "also where its codes have another length"
    assert "lesson 98, which has no questions here" in refused(code, {"99": forms["99"]})


def test_first_and_second_vote_are_kept_and_of_other_questions_the_last_answer():
    vote, other = bank.find("98.1")[0], bank.find("99.1")[0]

    def kept(item, *choices):
        return codes.keep(item, [{"choice": c, "rev": item["rev"], "confidence": 2} for c in choices])

    assert kept(vote, [0]) == Kept(0, None, 2)
    assert kept(vote, [0], [1], [2]) == Kept(0, 1, 2), "the third comes after the explanation"
    assert kept(other, [0], [1], [2]) == Kept(0, 2, 2)
    assert kept(other, [0], [0]) == Kept(0, 0, 2)
    assert kept(other, [77], "no", [1]) == Kept(1, None, 2), "an edited file breaks nothing"
    assert codes.keep(other, [{"choice": [1], "rev": "of before"}]) is None
    forecast = bank.find("98.3")[0]
    assert codes.keep(forecast, [{"choice": 33, "rev": forecast["rev"], "known": True}] * 2) == Kept(
        15, None, 0
    )


def said_by(capsys, *arguments, **more):
    class_code(*arguments, **more)
    return capsys.readouterr().out.strip()


def test_a_student_gets_a_code_with_nothing_personal_in_it(forms, folder, capsys):
    widget = ask("98")
    send(widget, "98.1", [0], confidence=3)
    send(widget, "98.1", [1], confidence=1)
    send(widget, "98.2", [2])
    said = said_by(capsys, "98", role="made-up right side")
    code, _, sentence = said.partition("\n")
    assert codes.read_code(code, forms) == Sheet(
        "98", RIGHT, {"98.1": Kept(0, 1, 3), "98.2": Kept(2, None, 0)}
    )
    assert "2 of 3 questions" in sentence
    path = folder / "98.json"
    saved = json.loads(path.read_text("utf-8"))
    saved["pseudonym"] = "s-ffffff"
    for attempts in saved["items"].values():
        for attempt in attempts:
            attempt["at"] = attempt["at"].replace("20", "19", 1)
    path.write_text(json.dumps(saved), encoding="utf-8")
    assert said_by(capsys, "98", role=RIGHT) == said, "pseudonym and time change nothing"
    assert f'class_code("98", role="..."). The sides: Made-up Left Side ({LEFT})' in said_by(capsys, "98")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("98",), "There are no answers to lesson 98 yet"),
        (("98", "nobody"), "There is no role nobody in lesson 98. The roles: Made-up Left Side"),
        (("98", 3), "There is no role 3 in lesson 98."),
        (("99", LEFT), "Nobody plays a role in lesson 99"),
        (("77",), "There is no quiz for lesson 77."),
        ((98,), 'such as quiz("02")'),
    ],
)
def test_what_cannot_be_a_code_is_said_in_one_sentence(arguments, said, capsys):
    out = said_by(capsys, *arguments)
    assert said in out
    assert len(out.splitlines()) == 1


# --- the board -------------------------------------------------------------------------------------------


def code_of(forms, role="", **kept):
    """A code of lesson 98: one=Kept(...) is question 98.1, two=, three=."""
    names = {"one": "98.1", "two": "98.2", "three": "98.3"}
    return forms["98"].write(Sheet("98", role, {names[key]: value for key, value in kept.items()}))


@pytest.fixture(scope="module")
def class_codes(forms):
    """Twelve made-up students."""
    votes = [(1, 1), (1, 1), (1, 0), (0, 1), (0, 1), (0, 1), (2, 2), (2, None), (0, None)]
    made = [
        code_of(
            forms, LEFT, one=Kept(first, second, 1 + n % 2), two=Kept(0, None, 0), three=Kept(2 * n, None, 0)
        )
        for n, (first, second) in enumerate(votes)
    ]
    return made + [code_of(forms, RIGHT, two=Kept(2, 2, 0)) for _ in range(3)]


def rows_of(forms, found, item):
    table = board_page.answer_table(forms["98"], found.sheets)
    return table[table["item"] == item]


def words_of(page):
    """A page without the bytes of its pictures, in which any letters can stand."""
    return re.sub(r'base64,[^"]*', "", page)


def test_the_board_counts_votes_moves_certainty_and_roles(forms, class_codes):
    found = board.gather_text("\n".join(class_codes), forms)
    one, two, three = forms["98"].items
    rows = rows_of(forms, found, "98.1")
    assert board_page.spread(one, rows["first"]) == [4, 3, 2]
    assert board_page.spread(one, rows["second"]) == [1, 5, 1]
    assert board_page.moves(one, rows) == {
        "twice": 7,
        "first": 3,
        "second": 5,
        "to_right": 3,
        "to_wrong": 1,
    }
    levels = board_page.calibration(forms["98"], board_page.answer_table(forms["98"], found.sheets))
    assert [(v.sure, v.answers, v.students, v.right, v.wrong) for v in levels] == [
        (1, 5, 5, 2, 3),
        (2, 4, 4, 1, 3),
    ]
    assert [v.marks for v in levels] == [pytest.approx(0.4), pytest.approx(-1)]
    roles = board_page.by_role(two, rows_of(forms, found, "98.2"))
    assert roles == [
        ("Made-up Left Side", True, [9, 0, 0]),
        ("Made-up Right Side", True, [0, 0, 3]),
    ]
    vote = {**two, "vote": True}
    assert board_page.by_role(vote, rows_of(forms, found, "98.2"))[2:] == [
        ("Made-up Right Side", False, [0, 0, 3])
    ]
    assert "No two roles have 5 answers" in board_page.widest_gap(two, roles)
    more = board.gather_text("\n".join(class_codes + class_codes[-3:]), forms)
    gap = board_page.widest_gap(two, board_page.by_role(two, rows_of(forms, more, "98.2")))
    assert gap.endswith("apart on A: 100 % as Made-up Left Side, 0 % as Made-up Right Side.")
    forecasts = board_page.spread(three, rows_of(forms, found, "98.3")["first"])
    assert forecasts == [2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0], "0, 5, 10, ... 40 percent"


def test_choosing_several_counts_at_each_and_only_all_of_them_is_right(forms):
    item = forms["99"].items[1]
    numbers = [codes.answer_number(item, {"choice": choice}) for choice in ([0, 2], [2, 0], [0], [1, 2, 3])]
    table = board_page.answer_table(
        forms["99"], [Sheet("99", "", {"99.2": Kept(number, None, 0)}) for number in numbers]
    )
    assert board_page.spread(item, table["first"]) == [3, 1, 3, 1]
    assert "2 right (50 %)" in board_page.sections(
        [(forms["99"], [Sheet("99", "", {"99.2": Kept(n, None, 0)}) for n in numbers])]
    )


def test_codes_are_found_in_any_mess_and_names_are_not_kept(forms, class_codes):
    a, b, c = class_codes[:3]
    mess = "\n".join(
        [
            "Name;Code",
            f"Amina Made-Up: {a}, thanks! And 98 is the lesson",
            f'"Bako";"{b.lower().replace("-", " ")}"',
            f"12. Chaibou-{c.replace('-', '–')} {a.replace('-', '')}",
            f"student 98 {b}\t{c}",
            "2026-11-22 14:05 +227 90-12-34-56 dawda@made.up",
        ]
    )
    found = board.gather_text(mess, forms)
    assert len(found.sheets) == 6
    assert found.refused == []
    page = words_of(board.board_html(found, forms))
    assert not re.search(r"amina|bako|chaibou|dawda|227", page, re.IGNORECASE)
    assert "repeat another, letter for letter: 3." in page
    assert "these lines, which were left out: 1, 6." in page


def test_a_mistyped_code_is_listed_by_line_and_all_others_count(forms, class_codes):
    a, b = class_codes[:2]
    wrong = "Z" if a[5] != "Z" else "Y"
    lines = [a, a[:5] + wrong + a[6:], f"Amina {a[:-1]}", f"{b}X", "U" + a[1:], a[:6] + "U" + a[7:], b]
    found = board.gather_text("\n".join(lines), forms)
    assert len(found.sheets) == 2
    assert [text.split(":")[0] for text in found.refused] == [f"Line {n}" for n in range(2, 7)]
    assert "check characters do not fit" in found.refused[0]
    assert "characters without hyphens, not" in found.refused[1]
    assert "No code has the character U" in found.refused[4]
    assert "Amina" not in "".join(found.refused)


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=300) | st.text("0123456789OILABC -–_\n", max_size=300))
def test_any_other_text_is_no_code_and_breaks_nothing(forms, text):
    found = board.gather_text(text, forms)
    assert found.sheets == []
    with pytest.raises(board.BoardTrouble, match="No code or file of answers"):
        board.board_html(found, forms)


def response_file(path, pseudonym, choices, lesson="98", **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    rev = bank.find(f"{lesson}.1")[0]["rev"]
    attempts = [{"at": f"2020-01-0{n + 1}", "choice": [c], "rev": rev} for n, c in enumerate(choices)]
    content = {"version": 1, "lesson": lesson, "pseudonym": pseudonym, "items": {f"{lesson}.1": attempts}}
    path.write_text(json.dumps(content | more), encoding="utf-8")


def test_a_folder_of_files_of_answers_whatever_they_are_called(forms, tmp_path):
    response_file(tmp_path / "Amina" / "98.json", "s-000001", [0, 1])
    response_file(tmp_path / "Bako" / "responses" / "98.json", "s-000002", [1])
    response_file(tmp_path / "chaibou.json", "s-000003", [2, 2])
    response_file(tmp_path / "chaibou (2).json", "s-000003", [2])
    for name, text in {"Dawda.json": "{", "list.json": "[]", "newer.json": '{"version": 9}'}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = board.gather(str(tmp_path), forms)
    kept = sorted(sheet.kept["98.1"][:2] for sheet in found.sheets)
    assert kept == [(0, 1), (1, None), (2, 2)], "of two files of one student the fullest"
    assert [text.partition(",")[0] for text in found.refused] == [f"File {n} of 7" for n in (3, 6, 7)]
    assert "newer version" in found.refused[2]
    said = " ".join(found.refused + found.notes)
    assert "second file of the same student and lesson: 1." in said
    assert not re.search(
        "amina|bako|chaibou|dawda|s-00", words_of(board.board_html(found, forms)), re.IGNORECASE
    )


def test_the_page_stands_alone_says_every_figure_in_words_and_flags_small_groups(
    forms, class_codes, tmp_path
):
    source = tmp_path / "codes.csv"
    source.write_text("\n".join(class_codes), encoding="utf-16")
    lines = board.write_board(str(source), tmp_path / "out" / "deep")
    page = (tmp_path / "out" / "deep" / "class-board.html").read_text("utf-8")
    assert lines[0] == "Lesson 98: 12 counted."
    assert str(tmp_path / "out" / "deep") in lines[-1]
    assert [path.name for path in (tmp_path / "out" / "deep").iterdir()] == ["class-board.html"], (
        "no draft left"
    )
    pictures = re.findall(r"<img ([^>]*)>", page)
    assert len(pictures) == page.count("<table>") == 5
    assert all(len(re.search(r'alt="([^"]*)"', picture).group(1).split()) > 8 for picture in pictures)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "Three &lt;of them&gt;" in page
    assert "<of them>" not in page
    assert "3, too few" in page
    assert "nobody's own opinion" in page.replace("&#x27;", "'")
    alone = board.board_html(board.gather_text(class_codes[0], forms), forms)
    assert "Fewer than 5: too few to read anything into." in alone


def test_a_question_that_nobody_or_only_those_who_knew_answered_is_said(forms):
    knew = code_of(forms, three=Kept(41, None, 0))
    page = board.board_html(board.gather_text(knew, forms), forms)
    assert "Nobody has answered 98.1, 98.2." in page
    assert "All 1 who answered knew the outcome already." in page


def test_every_type_of_question_can_be_drawn(every_form):
    for form in (every_form["98"], every_form["99"], every_form["04"]):
        page = board_page.sections([(form, [full_sheet(form)] * 6)])
        assert page.count("<h3>") >= len(form.items)


def test_the_command_says_what_it_wrote_and_what_it_cannot_read(class_codes, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("codes.txt").write_text(class_codes[0], encoding="utf-8")
    assert main(["board", "codes.txt", "--out", "here"]) == 0
    assert Path("here/class-board.html").is_file()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(class_codes[0].encode())))
    assert main(["board", "-", "--out", "here", "--lesson", "98"]) == 0
    assert Path("here/class-board-98.html").is_file()
    capsys.readouterr()
    for arguments, said in {
        (
            "codes.txt",
            "--lesson",
            "99",
        ): "No code or file of answers of lesson 99 could be read. There are some of",
        ("nothing.txt",): "nothing.txt cannot be read: No such file or directory.",
        (".",): "No code or file of answers could be read.",
        ("codes.txt", "--out", "codes.txt"): "cannot be written",
    }.items():
        assert main(["board", *arguments]) == 1
        out = capsys.readouterr().out
        assert said in out
        assert len(out.splitlines()) == 1


def test_the_notebooks_box_draws_the_board_or_says_why_not(forms, class_codes):
    box, button, below = board.panel_box(forms).children
    button.click()
    assert "No code or file of answers could be read." in below.value
    box.value = "\n".join(class_codes)
    button.click()
    assert "Lesson 98: 12 students" in below.value
