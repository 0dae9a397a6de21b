"""ISO 20022 messages as tables: each message is declared once, everything else derives from it.

Owns: the declarations, their writer, reader, guideline schema and documentation, and the tolerant
reader of banks' statements. Does not own: when a message is sent, where it is kept, what it changes.
"""
