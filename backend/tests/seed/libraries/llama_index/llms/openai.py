"""The part of llama-index-llms-openai that the seed calls, over the `openai` client."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import openai


@dataclass(slots=True)
class CompletionResponse:
    """What the model has said so far, and what of it is new."""

    text: str
    delta: str | None = None

    def __str__(self) -> str:
        return self.text


class OpenAI:
    """A language model; key and address come from the environment, as the client library reads them."""

    def __init__(self, model: str = "gpt-3.5-turbo") -> None:
        self.model = model

    def complete(self, prompt: str) -> CompletionResponse:
        with openai.OpenAI() as client:
            answer = client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": prompt}])
        return CompletionResponse(answer.choices[0].message.content or "")

    async def acomplete(self, prompt: str) -> CompletionResponse:
        async with openai.AsyncOpenAI() as client:
            answer = await client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": prompt}]
            )
        return CompletionResponse(answer.choices[0].message.content or "")

    async def astream_complete(self, prompt: str) -> AsyncGenerator[CompletionResponse, None]:
        async def pieces() -> AsyncGenerator[CompletionResponse, None]:
            text = ""
            async with openai.AsyncOpenAI() as client:
                answer = await client.chat.completions.create(
                    model=self.model, messages=[{"role": "user", "content": prompt}], stream=True
                )
                async for chunk in answer:
                    if delta := chunk.choices[0].delta.content:
                        text += delta
                        yield CompletionResponse(text, delta)

        return pieces()
