"""Metrics of all processes of a host: what is counted, the files in which processes count, the text for Prometheus.

Every process counts into a file of its own in METRICS_DIR (process_values.py), which outlives it. Whoever is scraped
reads the files of all (host_values.py) and renders them (exposition.py). All names stand in names.py; recording.py is
what the rest of the code calls. Knows no Flask, database or Redis.
"""
