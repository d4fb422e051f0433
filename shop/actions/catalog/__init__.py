"""Keeping the catalog: one module for each thing in it."""
