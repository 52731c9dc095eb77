"""Every metric of Frontdesk. `app/docs/metrics.md` explains them; the dashboard and the alerts there use them.

Nothing else in the code names a metric: what counts imports it from here.
"""

from app.metrics.recording import CounterMetric, FactMetric, HistogramMetric, LevelMetric, Metric

SHORT = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120)
MODES = ("chat", "agent-chat", "completion", "workflow", "advanced-chat")
LONG = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)

ANSWERS = CounterMetric(
    "frontdesk_answers_total",
    "Answers and workflow runs that ended, or paused for people.",
    ("app", "mode", "outcome"),
    last=("succeeded", "failed"),
)
ANSWER_FAILURES = CounterMetric(
    "frontdesk_answer_failures_total", "Answers and workflow runs that failed, by the error.", ("app", "mode", "cause")
)
FIRST_TOKEN = HistogramMetric(
    "frontdesk_first_token_seconds",
    "Seconds from the question to the first piece of text.",
    ("app", "mode"),
    SHORT,
)
ANSWER_SECONDS = HistogramMetric(
    "frontdesk_answer_seconds",
    "Seconds from the question to the end of the answer, pauses for people left out.",
    ("app", "mode"),
    LONG,
)
QUEUE_SECONDS = HistogramMetric(
    "frontdesk_queue_seconds", "Seconds from the question until a worker took it.", ("mode",), SHORT
)
TOKENS = CounterMetric(
    "frontdesk_tokens_total",
    "Tokens as model servers count them; kind is prompt or completion.",
    ("endpoint", "model", "kind"),
)
MODEL_CALLS = CounterMetric(
    "frontdesk_model_calls_total",
    "Calls of model servers; outcome is succeeded, stopped or failed.",
    ("endpoint", "kind", "outcome"),
    last=("succeeded", "failed"),
)
MODEL_FAILURES = CounterMetric(
    "frontdesk_model_failures_total", "Calls of model servers that failed, by the error.", ("endpoint", "kind", "cause")
)
MODEL_SECONDS = HistogramMetric(
    "frontdesk_model_call_seconds", "Seconds of a call of a model server, to its end.", ("endpoint", "kind"), LONG
)
MODEL_REPEATS = CounterMetric(
    "frontdesk_model_repeats_total", "Requests sent again, since a model server did not begin to answer.", ("endpoint",)
)
MODEL_FALLBACKS = CounterMetric(
    "frontdesk_model_fallbacks_total", "Calls that failed and went on to a fallback.", ("endpoint",)
)

CLIENT_RECONNECTS = CounterMetric("frontdesk_client_reconnects_total", "Clients that came back for an answer's events.")
REDIS_RECONNECTS = CounterMetric(
    "frontdesk_redis_reconnects_total",
    "Connections to Redis that were lost and made again.",
    ("part",),
    last=("hub", "publisher", "heartbeat"),
)
TAKE_OVERS = CounterMetric(
    "frontdesk_take_overs_total", "Answers that went on in another worker.", ("mode",), last=MODES
)
HAND_OVERS = CounterMetric("frontdesk_hand_overs_total", "Answers that a worker gave back for another one.")
LEASES_LOST = CounterMetric("frontdesk_leases_lost_total", "Leases that ran out: their worker is gone or too slow.")
EVENTS_LOST = CounterMetric(
    "frontdesk_events_lost_total",
    "Times that Redis lacked events of an answer, by who missed them.",
    ("side",),
    last=("writer", "reader"),
)
SLOW_READERS = CounterMetric(
    "frontdesk_slow_readers_total", "Times that a stream's queue was full, and it read on from the event log."
)
REQUESTS = CounterMetric("frontdesk_requests_total", "HTTP requests, probes and scrapes left out.", ("status",))

PROCESSES = LevelMetric("frontdesk_processes", "Processes of this host.")
RUNNING = LevelMetric("frontdesk_running_answers", "Answers that the processes of this host work at.")
RUNNING_LIMIT = LevelMetric("frontdesk_running_answers_limit", "Answers at once in these processes at most.")
DATABASE_CONNECTIONS = LevelMetric(
    "frontdesk_database_connections", "Connections to PostgreSQL that are in use.", ("pool",)
)
DATABASE_LIMIT = LevelMetric("frontdesk_database_connections_limit", "Connections to PostgreSQL at most.", ("pool",))
WEB_CONNECTIONS = LevelMetric("frontdesk_web_connections", "Connections of clients, streams included.")
WEB_LIMIT = LevelMetric("frontdesk_web_connections_limit", "Connections of clients at most.")
STREAMS = LevelMetric("frontdesk_streams", "Readers of answers' events.")
SANDBOX_PLACES = LevelMetric(
    "frontdesk_sandbox_places", "Places of the sandbox; state is used or waiting (for a place).", ("state",)
)
SANDBOX_LIMIT = LevelMetric("frontdesk_sandbox_places_limit", "Places of the sandbox at most.")
PARSERS = LevelMetric("frontdesk_document_parsers", "Document parsers that run.")
LEVELS_PROCESS = "process"

BUILD = FactMetric("frontdesk_build_info", "1, with the versions of the code and of Python.", ("version", "python"))
UP = FactMetric("frontdesk_up", "1 where the part is as it should be: database, schema, redis.", ("part",))
TASKS = FactMetric(
    "frontdesk_tasks",
    "Answers and workflow runs that have not ended; state is waiting, under_way or paused (for people).",
    ("app", "mode", "state"),
)
QUEUED = FactMetric("frontdesk_queue_length", "Celery tasks that wait for a worker.", ("queue",))
UNACKNOWLEDGED = FactMetric("frontdesk_unacknowledged_tasks", "Celery tasks that workers have and did not finish.")
WORKERS = FactMetric("frontdesk_workers", "Worker processes of all hosts with a fresh heartbeat.")

METRICS = {metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)}
