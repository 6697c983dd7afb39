import xml.etree.ElementTree as ET

from coinfarm.reports.page import Figures, Table
from coinfarm.scorecard.scorecard_document import LiveScore, Scorecard
from coinfarm.scorecard.scorecard_page import page


def figures(card: Scorecard) -> list[str]:
    return [
        figure.svg for section in page(card).sections for each in section.elements if isinstance(each, Figures) for figure in each.figures
    ]


def tables(card: Scorecard) -> dict[str, Table]:
    return {section.title: each for section in page(card).sections for each in section.elements if isinstance(each, Table)}


def changed(card: Scorecard, **fields: object) -> Scorecard:
    return card.model_copy(update={"scores": (card.scores[0].model_copy(update=fields),)})


def test_shows_each_figure_beside_the_evaluated_one(card: Scorecard) -> None:
    found = tables(card)
    assert list(found) == ["Live and evaluated", "Baselines", "By symbol", "Paper profit"]
    assert [row[1] for row in found["Live and evaluated"].rows] == ["live", "evaluated"] * 4
    assert found["Live and evaluated"].rows[1][2] == "0.100"
    assert [row[:2] for row in found["By symbol"].rows] == [("DEMO1", "live"), ("DEMO2", "live")]
    assert [row[0] for row in found["Paper profit"].rows[:3]] == ["live", "evaluated", "buy and hold"]


def test_figures_are_drawn_and_have_their_own_names(card: Scorecard) -> None:
    drawn = figures(card)
    assert len(drawn) == 3
    assert len({ET.fromstring(svg).get("aria-label") for svg in drawn}) == 3
    assert card.scores[0].skill.reason.split(":")[0] in page(card).html()


def test_several_parts_have_a_section_each(card: Scorecard) -> None:
    hours = card.scores[0].model_copy(update={"interval": "1h"})
    both = page(card.model_copy(update={"scores": (card.scores[0], hours)}))
    assert len(both.sections) == 2 * len(page(card).sections)
    assert len(both.summary.reasons) == 2
    assert len(set(figures(card.model_copy(update={"scores": (card.scores[0], hours)})))) == 6


def test_the_answer_gives_the_colour(card: Scorecard) -> None:
    tones = []
    for answer in ("as evaluated", "worse than evaluated", "too early to tell"):
        tones.append(page(changed(card, skill=card.scores[0].skill.model_copy(update={"answer": answer}))).summary.tone)
    assert tones == ["good", "bad", "neutral"]


def test_a_scorecard_without_outcomes_or_evaluation_is_a_page(card: Scorecard) -> None:
    together = card.scores[0].together
    assert together is not None
    alone = together.model_copy(update={"evaluated": None})
    skill = card.scores[0].skill.model_copy(update={"blocks": (), "mean": None})
    assert "–" in page(changed(card, skill=skill, together=alone, evaluation=None, paper=None)).html()
    empty = changed(card, skill=skill, together=None, by_symbol={}, paper=None, first_close_ms=None, last_close_ms=None)
    assert isinstance(empty.scores[0], LiveScore)
    assert page(empty).sections == ()


def test_the_day_of_an_alarm_is_drawn(card: Scorecard) -> None:
    skill = card.scores[0].skill
    alarm = changed(card, skill=skill.model_copy(update={"decided_on": skill.blocks[3].first_day}))
    assert "worse from here on" in figures(alarm)[0]
    assert "worse from here on" not in figures(card)[0]
