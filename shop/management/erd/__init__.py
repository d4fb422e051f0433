"""The entity-relationship diagram, made from the models: read, described, laid out, drawn."""
