"""A language model behind SageMaker AI's interface for containers, and a tiny one for a processor."""
