"""`make calibrate`: the error rates of verdicts and the coverage of intervals, on synthetic daily profits with a known edge."""
