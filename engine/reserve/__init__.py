"""The customer protection reserve: pure modules that decide from facts and the date that come in.

Nothing here reads a clock or a table. `case_files.py` and `csv_columns.py` read the files of a case,
`sources.py` writes one; everything else goes from facts to facts. Source: 17 CFR 240.15c3-3 and 240.15c3-3a.
"""
