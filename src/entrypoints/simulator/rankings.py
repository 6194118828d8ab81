"""Rankings that follow from the words: the share of a query's words that each document has."""

from entrypoints.simulator.answers import words_of


def ranked_texts(query: str, documents: list[str]) -> list[tuple[int, float]]:
    """Each document's place and score, the best first, and of equal ones the earlier."""
    wanted = {word.strip().lower() for word in words_of(query)}
    scores = [
        len(wanted & {word.strip().lower() for word in words_of(text)}) / max(len(wanted), 1) for text in documents
    ]
    return sorted(enumerate(scores), key=lambda each: -each[1])
