"""What the gateway does while something breaks: `python -m bench.faults`. Each case is a row; see `case.py`."""
