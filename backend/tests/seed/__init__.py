"""The seed suite: every Python block of the seed's engine part, run as it is printed.

`seed.txt` is the seed itself; `blocks.py` finds its code, which has lost its fences. `plan.py`, with `tutorial.py` and
`reference.py`, says of each block what has to come before it and what has to come of it, in the terms of `scene.py`;
what the seed leaves out is in `supplied.py`. `script.py` runs a block the way a reader would, line numbers and all.
`libraries/` stands for what the reader has installed beside the workflows, `llm_server.py` for the model behind it.
"""
