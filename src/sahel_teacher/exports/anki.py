"""An Anki deck for each lesson in one .apkg file, through genanki.

Ids of notes come from ids of questions, ids of decks and of the kind of note from their names: so a second import
finds the cards of the first, changes what has changed, and leaves the days on which they are due alone.
"""

import hashlib
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path

from sahel.quizzes.bank import Item
from sahel.quizzes.twin import RENDERERS, foot
from sahel_teacher.exports.shared import Export, ExportTrouble, bullets, converted, paragraphs

NAME = "Fortress Niger"
HINTS = ["Hint 1", "Hint 2", "Hint 3"]
FIELDS = ["Id", "Question", *HINTS, "Answer", "Source"]
ASKED = "".join(f"{{{{#{hint}}}}}<div>{{{{hint:{hint}}}}}</div>{{{{/{hint}}}}}" for hint in HINTS)
FRONT = '<p class="small">{{Id}}</p>{{Question}}'
BACK = f'{FRONT}<hr id="answer">{{{{Answer}}}}<div class="small">{{{{Source}}}}</div>'
STYLE = ".card { font: 18px/1.4 sans-serif; max-width: 40em; margin: 0 auto; } .small { font-size: 14px; }"
NOTHING = "a card needs an answer to remember: {why}"
REASONS = {
    "all": "Anki marks nothing and gives no partial credit: you compare your answer with the back yourself",
    "region": "the list of countries, without the map",
    "vote": "the card shows the answer at once; there is no second vote",
    "confidence": "Anki asks how well you knew it, in its own four steps, and gives no certainty-based marks",
    "probability": NOTHING.format(why="this forecast has none"),
    "played": NOTHING.format(why="here nothing is right or wrong"),
}


def export(lessons: dict[str, list[Item]]) -> Export:
    """Return one .apkg file with a deck a lesson, and what is lost.

    Raises:
        ExportTrouble: genanki is not installed.
    """
    try:
        import genanki
    except ImportError as error:
        raise ExportTrouble(
            "The package genanki, which writes Anki files, is not installed. It comes with the extra teach: "
            'pip install "genanki>=0.13". In the course\'s own .venv: delete that folder and call this again.'
        ) from error
    card = {"name": "Card", "qfmt": FRONT + ASKED, "afmt": BACK}
    model_fields = [{"name": name} for name in FIELDS]
    model = genanki.Model(_stable("question"), NAME, fields=model_fields, templates=[card], css=STYLE)
    decks, losses = [], []
    for lesson, items in lessons.items():
        deck = genanki.Deck(_stable(f"lesson {lesson}"), f"{NAME}::Lesson {lesson}")
        made, lost = converted(items, BUILDERS, REASONS)
        for values in made:
            guid = genanki.guid_for(NAME, values[0])
            deck.add_note(genanki.Note(model, values, guid=guid, tags=[f"lesson-{lesson}"]))
        decks.append(deck)
        losses += lost
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.apkg"
        genanki.Package(decks).write_to_file(str(path))
        return Export({"fortress-niger.apkg": path.read_bytes()}, losses)


def _stable(name: str) -> int:
    """Return a positive number of 31 bits that is always the same for a name: what Anki uses as an id."""
    return int.from_bytes(hashlib.sha256(f"{NAME} {name}".encode()).digest()[:4], "big") >> 1 | 1 << 30


def _note(item: Item) -> list[str]:
    """Return the fields of a question's note as HTML: asked as in the text version, answered with reasons."""
    shown = RENDERERS[item["type"]](item)
    right = [f"<p><b>{escape(o['text'])}</b></p>" for o in item.get("options", []) if o["right"]]
    return [
        item["id"],
        paragraphs(item["stem"], shown.task) + bullets(shown.lines),
        *(escape(hint, quote=False) for hint in [*item["hints"], "", "", ""][:3]),
        "".join(right) + bullets(shown.answer),
        paragraphs(*foot(item)),
    ]


BUILDERS: dict[str, Callable[[Item], list[str]]] = dict.fromkeys(
    ("single", "multiple", "region", "order", "match", "classify", "number"), _note
)
