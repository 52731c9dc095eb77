"""A web process learns of changes before it has served a stream."""

import subprocess
import sys
import time

from app.services.operator import apps
from app.streams import signals
from tests.support.paths import PROJECT

# A process of its own, as a change made in this one needs no message. One line in: GET /site; one line out: its status.
SERVE = """
import sys
from wsgi import app
for line in sys.stdin:
    code, passport = line.split()
    headers = {"X-App-Code": code, "X-App-Passport": passport}
    print(app.test_client().get("/api/site", headers=headers).status_code, flush=True)
"""
WAIT_SECONDS = 5.0


def listeners(redis_db):
    return redis_db.pubsub_numsub(signals.CHANGES)[0][1]


def wait_until(holds):
    ends = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_disabled_app_is_forgotten_without_a_stream(alice, settings, tmp_path, redis_db):
    before = listeners(redis_db)
    environment = settings | {"DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def status():
            print(alice.app.code, alice.headers["X-App-Passport"], file=process.stdin, flush=True)
            return int(process.stdout.readline())

        assert status() == 200
        wait_until(lambda: listeners(redis_db) > before)
        apps.set_enabled(alice.app.code, False)
        wait_until(lambda: status() == 400)
        process.stdin.close()
