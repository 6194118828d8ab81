"""What becomes of each parameter at Hugging Face's own tasks. Chat is OpenAI's and has its table there."""

from typing import Final

from domain.fidelity import Fidelity, dropped, mapped, refused

EMBEDDING_FIDELITY: Final[Fidelity] = {
    "dimensions": refused("feature extraction gives the model's own"),
    "encoding_format": mapped("", "base64 is made of its numbers"),
    "user": dropped(),
}

IMAGE_FIDELITY: Final[Fidelity] = {
    "background": dropped(),
    "moderation": dropped(),
    "n": refused("it makes one image a call"),
    "output_compression": dropped(),
    "output_format": dropped("the model's own, mostly JPEG"),
    "partial_images": dropped(),
    "quality": dropped(),
    "response_format": mapped("", "`b64_json`; with `url` a data URL"),
    "size": mapped("parameters.width, parameters.height"),
    "stream": refused("it answers whole"),
    "style": dropped(),
    "user": dropped(),
}

TRANSCRIPTION_FIDELITY: Final[Fidelity] = {
    "chunking_strategy": dropped(),
    "include": dropped(),
    "keywords": dropped(),
    "language": dropped("the task takes the recording alone"),
    "languages": dropped(),
    "prompt": dropped(),
    "response_format": mapped("", "`json` and `text`; others are refused"),
    "stream": refused("it answers whole"),
    "temperature": dropped(),
    "timestamp_granularities": dropped(),
}
