"""Mutation tester: changes the modules of money, stock, access and limits, and runs their tests."""
