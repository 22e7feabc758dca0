"""The benchmarks. `python -m bench` lists them; docs/benchmarks.md has the figures and how to read them."""
