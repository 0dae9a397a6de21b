"""The compiled pass over trading commands, stage by stage: what admits, matches, reserves, records, posts."""
