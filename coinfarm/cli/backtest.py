"""`coinfarm backtest`: test whether trading on predictions would have made money."""

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import on_interrupt
from coinfarm.cli.options import open_predictor
from coinfarm.cli.paths import EXISTING_FILE, FILE_TO_WRITE, FOLDER_TO_WRITE, ROOT
from coinfarm.cli.progress import stage_bar
from coinfarm.cli.tables import print_tables

if TYPE_CHECKING:
    from coinfarm.backtesting.backtest_result import BacktestResult
    from coinfarm.backtesting.checks.lookahead import LookaheadResult
    from coinfarm.backtesting.rules.user_rule import Rule, StepRule
    from coinfarm.backtesting.strategy import Strategy


def _print_example_strategy(context: click.Context, parameter: click.Parameter, target: str | None) -> None:
    """Write the example and exit: before the other options are required."""
    del parameter
    if target is None or context.resilient_parsing:
        return
    from coinfarm.backtesting.strategy_fields import example_strategy
    from coinfarm.storage.local_file import write_file

    if target == "-":
        click.echo(example_strategy(), nl=False)
    elif Path(target).exists():
        raise click.ClickException(f"{target} already exists: use another name, or remove it")
    else:
        FILE_TO_WRITE.convert(target, None, context)
        write_file(Path(target), example_strategy().encode())
    context.exit()


@click.command(
    epilog="Example: coinfarm backtest --predictions build/predictions.parquet --candles build/store --report build/backtest.html"
)
@click.option(
    "--predictions",
    required=True,
    type=ROOT,
    help="Predictions: a Parquet file, a folder or an s3:// URI.  [default: all of coinfarm --stack]",
)
@click.option(
    "--candles",
    required=True,
    type=ROOT,
    help="A candle store, a folder of files such as BTCUSD-1m.parquet, or one such file.  [default: that of coinfarm --stack]",
)
@click.option(
    "--strategy", "strategy_file", type=EXISTING_FILE, help="A strategy, as a TOML file.  [default: thresholds chosen by walk-forward]"
)
@click.option(
    "--example-strategy",
    is_flag=False,
    flag_value="-",
    metavar="[FILE|-]",
    is_eager=True,
    expose_value=False,
    callback=_print_example_strategy,
    help="Write a strategy file with every field, its default and meaning, and exit.",
)
@click.option(
    "--horizon",
    type=click.IntRange(min=1),
    metavar="CANDLES",
    help="Which of the model's horizons to trade, instead of the strategy's exit.horizon_candles.",
)
@click.option("--sweep", is_flag=True, help="Try 400 pairs of thresholds instead of 40, and show the best.")
@click.option(
    "--check-lookahead", is_flag=True, help="First repeat some predictions without the candles that came later; fail if they differ."
)
@click.option("--model", "model_uri", type=ROOT, help="The model for --check-lookahead.  [default: as for coinfarm predict]")
@click.option(
    "--allow-mismatch", is_flag=True, help="Allow another horizon than the model's, or another interval than that of its training data."
)
@click.option(
    "--export",
    "export_folder",
    type=FOLDER_TO_WRITE,
    help="Write predictions, candles, trades and daily equity for pandas, freqtrade and others.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option("--report", type=FILE_TO_WRITE, help="Write a self-contained HTML page with plots and trades.")
def backtest(
    predictions: str,
    candles: str,
    strategy_file: Path | None,
    horizon: int | None,
    sweep: bool,
    check_lookahead: bool,
    model_uri: str | None,
    allow_mismatch: bool,
    export_folder: Path | None,
    as_json: bool,
    report: Path | None,
) -> None:
    """Backtest predictions: would they have made money?

    The first line is the verdict. Orders are filled at the next candle's open, with slippage and fees. If a candle reaches both stop and
    take-profit, the stop counts. Predictions of windows from the model's training period are left out.
    """
    from coinfarm.backtesting.backtest import backtest as run
    from coinfarm.backtesting.backtest import for_sweep
    from coinfarm.backtesting.reporting.backtest_document import backtest_document
    from coinfarm.backtesting.reporting.predictions_summary import predictions_summary
    from coinfarm.backtesting.strategy import Strategy
    from coinfarm.backtesting.unused_fields import Usage, unused_fields_text
    from coinfarm.cli.backtest_tables import backtest_tables
    from coinfarm.pipeline.run_scope import scope_of_run

    strategy = Strategy() if strategy_file is None else Strategy.read(strategy_file)
    if horizon is not None:
        strategy = strategy.at_horizon(horizon)
    if sweep:
        if unused := unused_fields_text(strategy, Usage(is_sweep=True)):
            click.echo(f"Warning: {unused}", err=True)
        strategy = for_sweep(strategy)
    folder = Path() if strategy_file is None else strategy_file.parent
    with (
        redirect_stdout(sys.stderr),  # a rule may print
        on_interrupt("No result was written. Run the same command again to start over."),
        stage_bar("reading") as progress,
    ):
        rule = strategy.load_rule(folder)
        lookahead = _check_lookahead(predictions, candles, strategy, folder, rule, model_uri) if check_lookahead else None
        result = run(
            predictions,
            candles,
            strategy,
            rule=rule,
            scope=scope_of_run(predictions),
            allow_mismatch=allow_mismatch,
            progress=progress,
        )
    if report is not None:
        from coinfarm.backtesting.reporting.backtest_report import page

        page(result).write(report)
    if export_folder is not None:
        _export(predictions, candles, result, export_folder)
    if as_json:
        click.echo(json.dumps(backtest_document(result) | {"lookahead": None if lookahead is None else asdict(lookahead)}))
    else:
        click.echo(result.verdict.headline)
        for reason in result.verdict.reasons:
            click.echo(reason)
        click.echo(predictions_summary(result))
        if lookahead is not None:
            click.echo(
                f"{lookahead.moments} predictions were repeated without later candles and match: the largest difference is "
                f"{lookahead.largest_difference_pct:.4f} percentage points, the rms difference at most "
                f"{100 * lookahead.rms_share:.1f} % of an output's standard deviation."
            )
        print_tables(*backtest_tables(result, sweep=sweep))


def _check_lookahead(
    predictions: str, candles: str, strategy: "Strategy", folder: Path, rule: "Rule | StepRule | None", model_uri: str | None
) -> "LookaheadResult":
    from coinfarm.backtesting.checks.lookahead import check_predictions, check_rule
    from coinfarm.backtesting.checks.scope_check import with_model_horizon
    from coinfarm.backtesting.market_data import read_predicted_coins
    from coinfarm.backtesting.rules.user_rule import StepRule
    from coinfarm.backtesting.stored_predictions import read_predictions

    stored, rule_name = read_predictions(predictions), strategy.entry.rule
    if rule is not None and rule_name is not None and not isinstance(rule, StepRule):  # a step rule has no later data
        horizon = with_model_horizon(strategy, stored[0].scope).exit.horizon_candles
        check_rule(rule_name, folder, rule, read_predicted_coins([each.at_horizon(horizon) for each in stored], candles, 1)[0])
    result = check_predictions(open_predictor(model_uri), stored, candles)
    if result.differing_rows:
        raise click.ClickException(
            f"the predictions use later candles: {result.differing_rows} of {result.moments} differ from those that were repeated without "
            f"the candles that came later, the first is {result.first_differing_row}"
        )
    if not result.passed:
        raise click.ClickException(
            f"the predictions use later candles, or were made by another model: {result.moments} of them, repeated without the candles "
            f"that came later, differ by up to {result.largest_difference_pct:.3f} percentage points, "
            f"rms up to {100 * result.rms_share:.0f} % of an output's standard deviation. Give the model that made them with --model"
        )
    return result


def _export(predictions: str, candles: str, result: "BacktestResult", folder: Path) -> None:
    from coinfarm.backtesting.reporting.export import export
    from coinfarm.backtesting.reporting.result_files import write_results
    from coinfarm.backtesting.stored_predictions import read_predictions

    written = export(read_predictions(predictions), candles, folder)
    written += write_results(result.trades, result.marked, result.period.first_day, result.strategy.size.capital, folder)
    for path in written:
        click.echo(path, err=True)
