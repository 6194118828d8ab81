"""From the `model` a client names to the deployments to try."""
