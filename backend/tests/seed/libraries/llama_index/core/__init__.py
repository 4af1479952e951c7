"""The part of llama-index-core, its workflows aside, that the seed calls."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.llms.openai import OpenAI


class ResponseSynthesizer:
    """Asks the model to answer a query from what was retrieved."""

    def synthesize(self, query: str, nodes: Sequence[object]) -> str:
        return str(OpenAI().complete(f"{query} From: {', '.join(map(str, nodes))}"))


def get_response_synthesizer() -> ResponseSynthesizer:
    return ResponseSynthesizer()
