"""What is wrong with a script, in words that say where."""


class ScriptInvalid(ValueError):
    """A script or a model name cannot be understood. `path` points into the script (`.personas.a.models[0]`)."""

    def __init__(self, message: str, path: str = "", line: int | None = None) -> None:
        where = f"line {line}, " if line is not None else ""
        super().__init__(f"{where}{path.lstrip('.')}: {message}" if path else f"{where}{message}")
        self.message = message
        self.path = path
        self.line = line

    def under(self, prefix: str) -> "ScriptInvalid":
        """The same fault, seen from further up."""
        return ScriptInvalid(self.message, prefix + self.path, self.line)
