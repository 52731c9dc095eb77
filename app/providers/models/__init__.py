"""Clients of model servers (chat, embeddings, reranking, speech, transcription) and the route table."""
