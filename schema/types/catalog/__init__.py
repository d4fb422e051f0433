"""The catalog in the schema."""
