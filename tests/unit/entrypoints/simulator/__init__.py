"""The simulator, one module at a time; its behaviour on the wire is shown in tests/e2e."""
