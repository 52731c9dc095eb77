"""The connections of clients to a web worker: how requests are read and refused, and what bounds them.

`bounded_worker` is gunicorn's worker class. A `ClientSocket` gives each wait for a client an end, `waiting_clients`
cuts the oldest ones where too many wait, `request_parser` reads requests, and `refusals` answers those that never reach
the app.
"""
