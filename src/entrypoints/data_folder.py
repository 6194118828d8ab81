"""The folder of what this installation keeps: made for its user only, or refused in one line."""

import os

from entrypoints.settings.model import Settings, SettingsError

FOLDER_MODE = 0o700


def prepare_data_folder(settings: Settings) -> None:
    """Make the data folder and the spool's for this user only. Raises `SettingsError` where that cannot be."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        (folder / "spool").mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"OMG_DATA_DIR: the folder {folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"OMG_DATA_DIR: the folder {folder} cannot be written by this user")
