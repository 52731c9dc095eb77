"""What goes: rows that are too old, rows of people who are to be forgotten, app versions that nothing needs.

Every statement is bounded by a number of rows, so that none holds locks for long. Rows that somebody else has locked
are left for the next time.
"""
