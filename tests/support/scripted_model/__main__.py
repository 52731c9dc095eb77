"""The scripted model as a process: python -m tests.support.scripted_model --port 8000 --chunks 50 --delay-ms 20."""

import argparse
import contextlib
import signal
import sys

from tests.support.scripted_model import ScriptedModel


def main() -> None:
    parser = argparse.ArgumentParser(
        description="An OpenAI-compatible server that answers what markers in the messages say."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints its address")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--delay-ms", type=float, default=20)
    options = parser.parse_args()
    model = ScriptedModel(options.chunks, options.delay_ms / 1000, options.port, options.host)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(model.base_url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        model.serve_forever()


if __name__ == "__main__":
    main()
