"""`coinfarm verdict`: import, backfill and backtest with one command."""

from coinfarm.cli.verdict.verdict_command import verdict

__all__ = ["verdict"]
