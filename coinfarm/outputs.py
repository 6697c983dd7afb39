"""What is foretold of the horizon, by name and in the order in which the numbers stand everywhere."""

OUTPUT_NAMES = ("maxRisePct", "maxDeclinePct", "endChangePct")
