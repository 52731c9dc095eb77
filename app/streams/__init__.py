"""A run's channel in Redis: its event log, its live events, its stop signal, its lease. No database, no HTTP."""
