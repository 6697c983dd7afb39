"""Runs the handler as Lambda would: reads one event per line and writes one response per line. Output of the handler goes to stderr."""

import json
import sys


def main():
    responses, sys.stdout = sys.stdout, sys.stderr
    from handler.app import lambda_handler
    from handler.local_events import LocalContext

    for line in sys.stdin:
        print(json.dumps(lambda_handler(json.loads(line), LocalContext())), file=responses, flush=True)


if __name__ == "__main__":
    main()
