"""What a LiteLLM proxy has, in its config.yaml and its database, as a document of this gateway's configuration."""
