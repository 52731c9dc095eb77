"""Break the whole product while people use it, by a seed, and count what they lost: `make chaos`.

`schedule` says what breaks when; `faults` breaks and mends it on a `chaos_stack`; `callers` use the product meanwhile
as good clients do; `ledger` compares what they and the rows have with what the model said.
"""
