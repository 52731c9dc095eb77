"""Clients of model servers: chat, embeddings, reranking, audio, and the route table."""
