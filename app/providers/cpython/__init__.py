"""CPython for code of app authors: the programs of processes that are confined by the kernel and live for one call.

The worker starts one *zygote* (zygote.py): a process that has loaded the standard library and the operator's packages
(modules.py), is confined, and forks a child for each call. A child (call.py) confines itself further, to computing;
what it requests by HTTP (web.py) goes to the worker as a message. The worker's side is in the room `sandbox`.
"""
