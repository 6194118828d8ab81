"""Amazon Bedrock: where it is, who asks, and its capabilities."""
