"""The result of the soak test of a backfill."""

from dataclasses import dataclass
from typing import Any

from benchmarks.soak.checks import Check
from coinfarm.backfill.window_outcomes import WindowCounts

WORKERS = 2
VISIBILITY_TIMEOUT_S = 5
"""The messages of a killed worker become visible again after this time; in production it is two minutes."""
INVALID_MESSAGES = ("not JSON", '{"symbol": "DEMOBTC", "interval": "7 apples", "date": "2024-01-02"}', '{"symbol": "DEMOBTC"}')


@dataclass(frozen=True)
class BackfillResult:
    """The outcome of a backfill with killed workers, compared with an undisturbed run.

    `differing` are the keys of results that differ from those of the undisturbed run; `unexpected_keys` other keys in the bucket.
    `rewritten` is the number of shards written more than once, `rewritten_differently` those with different contents. `redelivered` is the
    number of messages processed at a later delivery. `valid_dead_letters` were moved back, `lost` shards sent again.
    """

    shards: int
    seconds: float
    undisturbed_s: float
    kills: int
    max_lifetime_s: float
    unexpected_exits: list[str]
    exit_codes: list[int]
    counts: WindowCounts
    rows: int
    max_rows_per_window: int
    missing: int
    differing: list[str]
    unexpected_keys: list[str]
    failure_notes: int
    rewritten: int
    rewritten_differently: int
    redelivered: int
    valid_dead_letters: int
    redrives: int
    lost: int
    left_in_queue: int
    dead_letters: list[str]

    @property
    def shards_per_s(self) -> float:
        return self.shards / self.seconds

    @property
    def windows_per_s(self) -> float:
        return self.counts.predicted / self.seconds

    def checks(self) -> list[Check]:
        counts = self.counts
        all_predicted = counts.is_consistent and not self.missing and counts.predicted == self.rows == counts.requested
        only_invalid = sorted(self.dead_letters) == sorted(INVALID_MESSAGES) and not self.left_in_queue
        return [
            Check(
                "every window is predicted once",
                all_predicted and self.max_rows_per_window == 1,
                f"{self.rows:,} of {counts.requested:,}, {self.missing} shards missing",
            ),
            Check("results equal those of an undisturbed run", not self.differing, f"{len(self.differing)} of {self.shards:,} differ"),
            Check(
                "results written twice are identical",
                not self.rewritten_differently,
                f"{self.rewritten_differently} of {self.rewritten} differ",
            ),
            Check("no partial results are left", not self.unexpected_keys, f"{len(self.unexpected_keys)} unexpected keys"),
            Check("no message is lost from the queue", not self.lost, f"{self.lost} shards sent again"),
            Check(
                "only invalid messages remain in the dead-letter queue",
                only_invalid,
                f"{len(self.dead_letters)} for {len(INVALID_MESSAGES)} invalid messages; {self.valid_dead_letters} valid ones moved back",
            ),
            Check(
                "workers exit only on SIGTERM, with code 0",
                not any(self.exit_codes) and not self.unexpected_exits,
                f"exit codes {self.exit_codes}, {len(self.unexpected_exits)} unexpected exits",
            ),
        ]

    def document(self) -> dict[str, Any]:
        """The result for soak.json."""
        return {
            "shards": self.shards,
            "frames": self.counts.predicted,
            "seconds": self.seconds,
            "undisturbedSeconds": self.undisturbed_s,
            "shardsPerSecond": self.shards_per_s,
            "framesPerSecond": self.windows_per_s,
            "workers": WORKERS,
            "kills": self.kills,
            "maxLifetimeS": self.max_lifetime_s,
            "visibilityTimeoutS": VISIBILITY_TIMEOUT_S,
            "redelivered": self.redelivered,
            "writtenTwice": self.rewritten,
            "missing": self.missing,
            "differing": self.differing[:10],
            "unexpectedKeys": self.unexpected_keys[:10],
            "failureNotes": self.failure_notes,
            "invalidMessages": len(INVALID_MESSAGES),
            "deadLetters": len(self.dead_letters),
            "validDeadLetters": self.valid_dead_letters,
            "redrives": self.redrives,
            "sentAgain": self.lost,
            "unexpectedExits": self.unexpected_exits,
        }
