"""Serve a model by OpenAI's protocol on 127.0.0.1: `python -m app.embedded.model_server GGUF PORT`."""

import os
import signal
import sys

import xllamacpp

SLOTS = 4
CONTEXT = 4096


def serve(weights: str, port: int) -> None:
    """Serve the model of a GGUF file on a port until SIGTERM or SIGINT."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {"local"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_parallel = SLOTS
    parameters.n_ctx = CONTEXT * SLOTS
    parameters.use_jinja = True
    parameters.cpuparams.n_threads = os.cpu_count() or 1
    parameters.cpuparams_batch.n_threads = os.cpu_count() or 1
    server = xllamacpp.Server(parameters)
    print(f"serving {weights} at {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    # At once: the library's own shutdown waits for running generations, and there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    # Blocked before the library starts its threads, which inherit it: only `sigwait` receives the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(sys.argv[1], int(sys.argv[2]))
