"""Mutations of the catalog, for staff."""
