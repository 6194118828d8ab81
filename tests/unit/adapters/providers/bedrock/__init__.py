"""Tests of the Bedrock adapter."""
