"""``pawld run``: wakes cycles, each in a process of its own, and answers whoever asks meanwhile.

    timer ──due──┐                      ┌─► child (``pawld cycle AGENT``)
    line  ──ask──┼─► inbox ─► loop ─────┤
    child ─ended─┤                      └─► plan ─► timer
    signals ─────┘

One thread decides (``loop``), and sleeps on its inbox; the others only put messages there. Nothing here imports the
HTTP client, pydantic, TUF or SQLite: what a cycle needs ends with the cycle.
"""
