"""Runs the Python blocks of one page, in one namespace: a JSON object a line in, a line out that says how it went."""

import json
import os
import sys
import traceback


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    namespace = {"__name__": "__main__"}
    for line in sys.stdin:
        asked = json.loads(line)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        os.chdir(asked["folder"])
        try:
            exec(compile(asked["script"], asked["page"], "exec"), namespace)
            answer = "done"
        except BaseException as error:  # noqa: BLE001 - SystemExit too: a block that ends the process has not run to its end
            traceback.print_exc()
            answer = f"raised {type(error).__name__}"
        sys.stdout.flush()
        sys.stderr.flush()
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main()
