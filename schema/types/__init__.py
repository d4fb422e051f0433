"""Object types, filters and orderings, one package or module per domain."""
