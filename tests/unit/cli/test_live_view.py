"""The table of live predictions, and the JSON lines."""

import io
import json

from rich.console import Console

from coinfarm.cli.live_view import JsonLines, live_table
from coinfarm.cli.tables import fitted
from coinfarm.live.live_message import EXAMPLE_MESSAGE


def shown(messages, width=80):
    console = Console(width=width, file=io.StringIO())
    console.print(fitted(live_table(messages), width))
    return console.file.getvalue()


def message(symbol, after_s=0.05, **fields):
    return EXAMPLE_MESSAGE | {"symbol": symbol, "predictedAt": EXAMPLE_MESSAGE["closeTime"] + int(1000 * after_s)} | fields


def test_a_row_for_each_symbol_fits_into_80_columns():
    lines = shown([message("ETHUSDT"), message("1000SATSUSDT", after_s=4_000, inSample=True)]).splitlines()
    rows = [line.split() for line in lines if "00:00" in line]
    assert [row[0] for row in rows] == ["1000SATSUSDT", "ETHUSDT"]
    assert all(value in rows[1] for value in ("90005", "+0.10", "-0.10", "+0.01", "0.05", "out"))
    assert all(value in rows[0] for value in ("67", "min", "in"))


def test_a_change_of_almost_nothing_has_no_minus():
    predictions = {"maxRisePct": 0.1, "maxDeclinePct": -0.1, "endChangePct": -0.001}
    assert "+0.00" in shown([message("ETHUSDT", predictions=predictions)])


def test_a_missing_prediction_has_dashes():
    row = next(line for line in shown([message("ETHUSDT", predictions=None, modelVersion=None)]).splitlines() if "ETHUSDT" in line)
    assert row.count("–") == 5


def test_json_lines_have_predictions_only(capsys):
    view = JsonLines()
    view.show([message("BTCUSDT", predictions=None), message("ETHUSDT")])
    view.notice("connected")
    printed = capsys.readouterr()
    assert [json.loads(line)["symbol"] for line in printed.out.splitlines()] == ["ETHUSDT"]
    assert printed.err == "connected\n"
