"""Tests of the Bedrock dialect."""
