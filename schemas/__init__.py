"""The declared data model: every record once, every target derived from it."""
