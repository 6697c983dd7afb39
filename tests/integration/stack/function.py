"""A function as Lambda would start it: an event a line in, its answer a line out. What the handler prints goes to stderr."""

import json
import sys


def main():
    answers, sys.stdout = sys.stdout, sys.stderr
    from handler.app import lambda_handler
    from handler.local_events import LocalContext

    for line in sys.stdin:
        print(json.dumps(lambda_handler(json.loads(line), LocalContext())), file=answers, flush=True)


if __name__ == "__main__":
    main()
