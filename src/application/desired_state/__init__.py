"""The configuration as a document: what it says should be, held against what is, and made so."""
