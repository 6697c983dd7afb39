"""Runs the Python blocks of one page in one namespace. Reads one JSON object per line, and writes one line with the outcome."""

import json
import os
import sys
import traceback


def main() -> None:
    outcomes = os.fdopen(os.dup(1), "w")
    namespace = {"__name__": "__main__"}
    for line in sys.stdin:
        block = json.loads(line)
        log = os.open(block["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        os.chdir(block["folder"])
        try:
            exec(compile(block["script"], block["page"], "exec"), namespace)
            outcome = "done"
        except BaseException as error:  # noqa: BLE001 - SystemExit too: a block must not end the process
            traceback.print_exc()
            outcome = f"raised {type(error).__name__}"
        sys.stdout.flush()
        sys.stderr.flush()
        print(outcome, file=outcomes, flush=True)


if __name__ == "__main__":
    main()
