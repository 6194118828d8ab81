"""Every endpoint × every adapter × every feature, with the official clients through a real gateway."""
