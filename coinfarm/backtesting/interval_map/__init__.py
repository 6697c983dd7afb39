"""Backtests of the same model at several intervals, side by side: where would it pay?"""
