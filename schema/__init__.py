"""The GraphQL API of the shop."""
