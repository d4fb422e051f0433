"""Ways to answer the benchmark's questions, each in a process of its own; see `worker`."""
