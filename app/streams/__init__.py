"""A task's channel in Redis, its lease, and signals between processes. No database, no HTTP.

A task that is generated has a channel: an event log (a Redis stream) and live events (pub/sub), both written by one
worker under the task's epoch. The parts that keep threads for this, Hub, Publisher and WorkerRuntime, share one
contract, which WorkerLifecycle (app/worker.py) follows too:

* Making a part starts nothing. `start` begins its threads, is called once and returns the part.
* `stop` ends the threads, waits some seconds for them, and gives back what the part holds in Redis. It is safe to
  call twice, and before `start`. A part that was stopped stays stopped.
"""
