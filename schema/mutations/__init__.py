"""Mutations: load, call one action, return."""
