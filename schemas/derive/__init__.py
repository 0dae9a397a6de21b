"""Targets: each file turns a RecordType into one thing that another layer reads."""
