"""Amazon Bedrock: Converse for chat, the bodies of InvokeModel for embeddings and images."""
