"""Google's generateContent over OpenAI's chat, and its embedContent over OpenAI's embeddings."""
