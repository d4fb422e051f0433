"""Orders: what was bought, what became of it, and who may see it.

access   whose they are, and those that a secret opens
filters  enums, filters
lines    what was bought
events   what happened
parcels  what was shipped, and what came back
orders   the order itself
queries  root fields
"""
