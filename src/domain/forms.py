"""What clients send as a form (`multipart/form-data`): files, and fields that are text."""

import msgspec


class UploadedFile(msgspec.Struct, frozen=True):
    """A file of a form. `field` is the name of its part, brackets included (`image[]`)."""

    name: str
    content_type: str
    data: bytes
    field: str = "file"
