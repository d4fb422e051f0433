"""How the staff screens write times; one package for each language that has its own way."""
