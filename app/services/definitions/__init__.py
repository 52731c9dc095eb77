"""What app files say: published versions, model configs, input forms, prompts."""
