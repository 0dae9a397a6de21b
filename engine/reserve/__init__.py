"""The customer protection reserve: pure modules that decide from facts and the date that come in.

Nothing here reads a clock, a file or a table. Source: 17 CFR 240.15c3-3 and 240.15c3-3a.
"""
