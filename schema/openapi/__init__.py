"""The OpenAPI document of the trusted operations: made of them and of the schema, never written."""
