"""Benchmarks: the kit beside what people would use instead, in one interleaved run.

Absolute figures do not carry from one machine to another, ratios mostly do. So every round runs each way once, in an
order that changes from round to round, each in a process of its own; what is reported is the median of the rounds and
its ratio to the kit's. All ways must give the same answer, or the benchmark fails. A benchmark may have goals, which
say what the ratio to a peer is to be: ``make bench`` runs those that do, and prints a line for each goal.

Adding a file to ``benchmarks/entries`` that holds a :class:`~benchmarks.entry.Benchmark` named ``benchmark``, or
several by name in ``benchmarks``, is all it takes to add one.
"""
