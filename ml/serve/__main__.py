"""`python -m ml.serve FILMS [PORT]`: the tiny model on this machine, under the limits in its environment."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from causeway.flow.parameters import ServingParameters, from_environment, to_environment
from ml.serve.server import Server
from ml.serve.trigrams import Trigrams


def main() -> None:
    """Serve until it is told to end; then answer what was begun."""
    if len(sys.argv) not in (2, 3):
        sys.exit("python -m ml.serve local/demo/data/films-1940s.jsonl.gz [PORT]")
    logging.basicConfig(level=logging.INFO)
    parameters = from_environment(ServingParameters, {**to_environment(ServingParameters()), **os.environ})
    port = int(sys.argv[2]) if sys.argv[2:] else 8080
    with Server(Trigrams.of_films(Path(sys.argv[1])), parameters, ("127.0.0.1", port)) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"http://127.0.0.1:{server.server_port}/invocations", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
