"""Files written for LlamaIndex, run and loaded unchanged."""
