"""Cells that do not work, each with its reason: the endpoint, the row's label and the feature."""

from collections.abc import Mapping

NO_ENDPOINT = "The upstream has no such API, and its chat cannot carry it: `unsupported_endpoint`."

_A_TEXT_SERVER = (
    "At the router Hugging Face draws and hears; at an address of one's own, as the simulator's is, it is a server of"
    " texts."
)

LACKING: Mapping[tuple[str, str], str] = {
    (endpoint, "huggingface"): _A_TEXT_SERVER for endpoint in ("images.generations", "audio.transcriptions")
}
"""By endpoint and row: what the row's upstream does not serve where this test reaches it."""

_CHATS = ("chat.completions", "responses", "messages", "models.generate_content")
_IN_WORDS = "Its API has no sign for a refusal: a model that declines says so in its text."
_NO_LIST = "Vertex AI does not list what a project may call: its models are those that the settings name."
_UNTOLD = "It does not tell which tokens came from a cache."

GAPS: Mapping[tuple[str, str, str], str] = {
    **{(endpoint, row, "refusal"): _IN_WORDS for endpoint in _CHATS for row in ("cohere", "ollama")},
    **{("models", row, "plain"): _NO_LIST for row in ("vertex (Gemini)", "vertex (Claude)")},
    **{(endpoint, "ollama", "cached"): _UNTOLD for endpoint in _CHATS},
}
