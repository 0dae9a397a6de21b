"""The products: each folder holds README.md, assets.py and checks.py.

A README tells rule, inputs, output, deadline, owner, and what to do on failure.

`orchestration/definitions.py` lists them in the order of a business day.
"""
