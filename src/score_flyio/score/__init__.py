"""Score file → validated Workload.

`load.py` reads files; everything else is a function from data to data.
"""
