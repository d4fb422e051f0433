"""The server for development."""
