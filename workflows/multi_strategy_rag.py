"""Ask a question, and let three ways of searching compete for the best answer.

RAG means retrieval-augmented generation: first find passages that bear on a question, then write an answer from them.
Bad questions find bad passages, so `judge_query` looks at the question first and sends it round the loop through
`improve_query` until it will do. Then three strategies search a small library about weaving at the same time, and
`judge_response` waits for all three answers and keeps the best. The question in the form is misspelt on purpose: watch
the loop. With OPENAI_API_KEY or OPENAI_BASE_URL set (and OPENAI_MODEL, if you like) a language model rewrites the
question, writes the answers and judges them; without, answers are sentences quoted from the library, and say so.
"""

from __future__ import annotations

import asyncio
import difflib
import functools
import importlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from treadle import Context, Event, StartEvent, StopEvent, Workflow, step

DOCUMENTS = Path(__file__).parent / "documents"
EXTRACTIVE = "extractive answer, no language model configured"
NOT_FOUND = "The documents do not say."

# Words that carry no subject. Short on purpose: ready-made lists drop words such as "mill", which matter here.
STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about all also an and any are as at be been before but by can could did do does for from get got had has
        have how i if in into is it its many me more most much my of on or our out please she so some take tell than
        that the their them then there they this to up us was we were what when where which who whom whose why will
        with would you your
        """,
    )
)

# What newcomers call things, and what the library calls them.
SYNONYMS = {
    "app": "program", "automation": "automatic machine", "fabric": "cloth", "foot": "treadle", "laptop": "computer",
    "pedal": "treadle", "pc": "computer", "robot": "automata", "software": "program", "strike": "rising weavers",
    "textile": "cloth", "thread": "yarn warp weft",
}  # fmt: skip


# The events, in the order in which a question meets them.


class QueryStartEvent(StartEvent):
    """A question to the library."""

    query: str = Field(
        default="How did we get from jaquard to computrs?",
        description="Anything about weaving, looms, yarns, or what looms have to do with computers.",
        min_length=1,
    )
    top_k: int = Field(default=8, ge=3, le=20, description="How many passages the high top-k strategy reads.")
    max_improvements: int = Field(default=3, ge=0, le=5, description="How often the question may be improved.")


class BadQueryEvent(Event):
    """The question will not find much, for the reason given."""

    query: str
    reason: str
    improvements: int


class JudgeEvent(Event):
    """An improved question, to be judged again. `settled` means that no further improvement is known."""

    query: str
    improvements: int
    settled: bool = False


class NaiveRAGEvent(Event):
    """Search the plain way."""

    query: str


class HighTopKEvent(Event):
    """Search wide: read many passages."""

    query: str
    top_k: int


class RerankEvent(Event):
    """Search twice: find candidates, then look at them closely."""

    query: str


class ResponseEvent(Event):
    """The answer of one strategy, the passages it rests on, and how well it fits the question (0 to 1)."""

    strategy: str
    answer: str
    sources: list[dict[str, Any]]
    score: float


class MultiStrategyRAG(Workflow):
    """Improves a question until it is good, answers it in three ways at once, and returns the best answer."""

    def __init__(self, timeout: float | None = 180.0, **options: Any) -> None:
        # A language model may take its time: more than the ten seconds a workflow has by default.
        super().__init__(timeout=timeout, **options)

    @step
    async def judge_query(
        self, ctx: Context, ev: QueryStartEvent | JudgeEvent
    ) -> BadQueryEvent | NaiveRAGEvent | HighTopKEvent | RerankEvent | None:
        """Send a poor question to be improved; send a good one to all three strategies at once."""
        if isinstance(ev, QueryStartEvent):
            await ctx.set("top_k", ev.top_k)
            await ctx.set("max_improvements", ev.max_improvements)
        improvements = ev.get("improvements", 0)
        # Loading libraries and building the index takes a moment; in a thread it holds nobody up.
        index = await asyncio.to_thread(load_index)
        complaint = index.complaint(ev.query)
        if complaint and not ev.get("settled", False) and improvements < await ctx.get("max_improvements"):
            return BadQueryEvent(query=ev.query, reason=complaint, improvements=improvements)
        await ctx.set("query", ev.query)
        ctx.send_event(NaiveRAGEvent(query=ev.query))
        ctx.send_event(HighTopKEvent(query=ev.query, top_k=await ctx.get("top_k")))
        ctx.send_event(RerankEvent(query=ev.query))
        return None

    @step
    def improve_query(self, ev: BadQueryEvent) -> JudgeEvent:
        """Mend one fault of the question: its spelling, or that it is too vague."""
        # A step without `async` runs in a thread of its own, so it may compute or wait for a network as it likes.
        better = rewritten(ev.query, reason=ev.reason) if model_configured() else load_index().improved(ev.query)
        return JudgeEvent(query=better, improvements=ev.improvements + 1, settled=better == ev.query)

    @step
    def naive_rag(self, ev: NaiveRAGEvent) -> ResponseEvent:
        """Answer from the two passages that BM25, the classic of keyword search, likes best."""
        return respond("naive", ev.query, load_index().by_bm25(ev.query, count=2))

    @step
    def high_top_k(self, ev: HighTopKEvent) -> ResponseEvent:
        """Answer from many passages, found by TF-IDF: more context, and more noise."""
        return respond("high top-k", ev.query, load_index().by_tfidf(ev.query, count=ev.top_k))

    @step
    def rerank(self, ev: RerankEvent) -> ResponseEvent:
        """Take twelve candidates from BM25 and keep the three with the best single sentence."""
        return respond("rerank", ev.query, load_index().reranked(ev.query, candidates=12, count=3))

    @step
    async def judge_response(self, ctx: Context, ev: ResponseEvent) -> StopEvent | None:
        """Wait for all three answers, then return the best of them."""
        collected = ctx.collect_events(ev, [ResponseEvent] * 3)
        if collected is None:
            return None
        # They come in the order in which they were ready, which differs from run to run.
        responses = sorted(collected, key=lambda response: str(response["strategy"]))
        query = await ctx.get("query")
        best = await asyncio.to_thread(best_response, query, responses)
        scores = {response["strategy"]: response["score"] for response in responses}
        return StopEvent(
            result={
                "answer": best.answer, "strategy": best.strategy, "query": query,
                "sources": best.sources, "scores": scores,
            }
        )  # fmt: skip


# The library, and three ways of searching it.


@dataclass(frozen=True, slots=True)
class Passage:
    """One paragraph of one document."""

    title: str
    document: str
    text: str

    @property
    def sentences(self) -> list[str]:
        """Its sentences, one by one."""
        return re.split(r"(?<=[.!?])\s+", self.text)


class Index:
    """All passages, with what BM25 and TF-IDF need to search them."""

    def __init__(self, passages: list[Passage]) -> None:
        self.passages = passages
        texts = [f"{passage.title}. {passage.text}" for passage in passages]
        self.words = sorted({word for text in texts for word in content_words(text)})
        self._known = set(map(stem, self.words))
        self._synonyms = {stem(word): others.split() for word, others in SYNONYMS.items()}
        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every index it builds
        self._bm25 = _library("bm25s").BM25()
        self._bm25.index([stems(text) for text in texts], show_progress=False)
        self._tfidf = _library("sklearn.feature_extraction.text").TfidfVectorizer(analyzer=stems, sublinear_tf=True)
        self._rows = self._tfidf.fit_transform(texts)

    def complaint(self, query: str) -> str:
        """Why `query` would not find much; empty when it is good."""
        if misspelt := self._misspelt(query):
            return f"unknown words: {', '.join(misspelt)}"
        known = set(stems(query)) & self._known
        if not known:
            return "no word of the question occurs in the documents"
        return "" if len(known) > 2 else f"too vague: it has only {len(known)} of the words in the documents"

    def improved(self, query: str) -> str:
        """`query` with one fault mended, or unchanged when there is no remedy."""
        if misspelt := self._misspelt(query):
            return re.sub(r"\w+", lambda word: misspelt.get(word[0].lower(), word[0]), query)
        have = stems(query)
        synonyms = [word for name in have for word in self._synonyms.get(name, [])]
        wanted = [word for word in synonyms if stem(word) not in have] or self._companions(query, count=3)
        return f"{query.rstrip(' ?.!')} ({', '.join(wanted)})?" if wanted else query

    def by_bm25(self, query: str, *, count: int) -> list[Passage]:
        """The `count` passages that BM25 ranks first."""
        asked = stems(query)
        return self._top(self._bm25.get_scores(asked), count=count) if asked else []

    def by_tfidf(self, query: str, *, count: int) -> list[Passage]:
        """The `count` passages whose TF-IDF vectors point most nearly where the query's does."""
        return self._top(self._likeness(query, self._rows), count=count)

    def reranked(self, query: str, *, candidates: int, count: int) -> list[Passage]:
        """Of the `candidates` first by BM25, the `count` that hold the sentences closest to the query."""

        def closest(passage: Passage) -> float:
            return float(max(self._sentence_likeness(query, [passage])))

        return sorted(self.by_bm25(query, count=candidates), key=closest, reverse=True)[:count]

    def quotation(self, query: str, passages: list[Passage], *, count: int = 3) -> str:
        """The sentences of `passages` closest to the query, in reading order, each with the number of its source."""
        found = [(text, number) for number, passage in enumerate(passages, 1) for text in passage.sentences]
        if not found:
            return ""
        likeness = self._sentence_likeness(query, passages)
        best = sorted(sorted(range(len(found)), key=lambda at: -likeness[at])[:count])
        return " ".join(f"{found[at][0]} [{found[at][1]}]" for at in best if likeness[at] > 0)

    def fit(self, query: str, answer: str) -> float:
        """How well an answer fits a question, 0 to 1: half the words it takes up, half how close it stays to them."""
        asked = set(stems(query))
        covered = len(asked & set(stems(answer))) / len(asked) if asked else 0.0
        likeness = float(self._likeness(query, self._tfidf.transform([answer]))[0])
        return round((covered + likeness) / 2, 3)

    def _misspelt(self, query: str) -> dict[str, str]:
        familiar = self._known | self._synonyms.keys()
        unknown = [word for word in content_words(query) if stem(word) not in familiar]
        close = {word: difflib.get_close_matches(word, self.words, n=1, cutoff=0.82) for word in unknown}
        return {word: found[0] for word, found in close.items() if found}

    def _companions(self, query: str, *, count: int) -> list[str]:
        # Query expansion by feedback: words that the best passages share are likely to be to the point.
        have = set(stems(query))
        best = [passage.text for passage in self.by_bm25(query, count=5)]
        if not best:
            return []
        rows = self._tfidf.transform(best)
        weights = rows.sum(axis=0).A1 * (rows.astype(bool).sum(axis=0).A1 > 1)
        spelled = {stem(word): word for word in reversed(content_words(" ".join(best)))}
        names = self._tfidf.get_feature_names_out()
        ranked = [names[at] for at in (-weights).argsort(kind="stable") if weights[at] > 0]
        return [spelled[name] for name in ranked if name not in have][:count]

    def _likeness(self, query: str, rows: Any) -> Any:
        return (rows @ self._tfidf.transform([query]).T).toarray().ravel()

    def _sentence_likeness(self, query: str, passages: list[Passage]) -> Any:
        # Half alone, half with its title, because a sentence seldom names the subject of its article again.
        pairs = [(passage.title, sentence) for passage in passages for sentence in passage.sentences]
        alone = self._tfidf.transform([sentence for _, sentence in pairs])
        titled = self._tfidf.transform([f"{title}. {sentence}" for title, sentence in pairs])
        return self._likeness(query, alone) + self._likeness(query, titled)

    def _top(self, scores: Any, *, count: int) -> list[Passage]:
        ranked = sorted(range(len(self.passages)), key=lambda at: -scores[at])
        return [self.passages[at] for at in ranked[:count] if scores[at] > 0]


def content_words(text: str) -> list[str]:
    """The words of `text` that carry a subject, in small letters."""
    return [word for word in re.findall(r"\w+", text.lower()) if word not in STOPWORDS]


def stem(word: str) -> str:
    """`word` without its ending, so that weaving, weaver and weaves count as one word. Rough, but it serves English."""
    bare = re.sub(r"(?<=\w{3})(ings?|ers?|ed|es|e|(?<!s)s)$", "", word)
    return re.sub(r"([bdgmnprt])\1$", r"\1", bare)


def stems(text: str) -> list[str]:
    """The content words of `text`, each without its ending."""
    return [stem(word) for word in content_words(text)]


@functools.cache
def load_index() -> Index:
    """The index of all documents: built when it is first needed, then kept for as long as the process lives."""
    passages = []
    for path in sorted(DOCUMENTS.glob("*.md")):
        title, *paragraphs = path.read_text(encoding="utf-8").strip().split("\n\n")
        passages += [Passage(title.lstrip("# "), path.name, " ".join(text.split())) for text in paragraphs]
    return Index(passages)


def _library(name: str) -> Any:
    # Imported late, so that the studio can show this workflow before its libraries are installed.
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        needed = name.partition(".")[0]
        raise RuntimeError(
            f"This workflow needs {needed}. Install the gallery's libraries: pip install 'treadle[gallery]'"
        ) from missing


# Writing and judging answers, with a language model or without.


def respond(strategy: str, query: str, passages: list[Passage]) -> ResponseEvent:
    """Answer `query` from `passages`."""
    index = load_index()
    sources = [{"number": n, "title": p.title, "document": p.document} for n, p in enumerate(passages, 1)]
    if model_configured() and passages:
        text = answer = ask_model(
            "Answer the question from the numbered passages only, in at most five sentences, and cite them like [1]."
            f" If they do not hold the answer, say: {NOT_FOUND}",
            f"Question: {query}\n\n" + "\n\n".join(f"[{n}] {p.title}: {p.text}" for n, p in enumerate(passages, 1)),
        )
    else:
        text = index.quotation(query, passages) or NOT_FOUND
        answer = text if model_configured() else f"{text}\n\n({EXTRACTIVE})"
    return ResponseEvent(strategy=strategy, answer=answer, sources=sources, score=index.fit(query, text))


def best_response(query: str, responses: list[Any]) -> Any:
    """The response the language model prefers; without a model, or a clear reply, the one with the best score."""
    # Of two answers that fit equally well, the one that needed fewer passages.
    best = max(responses, key=lambda response: (response.score, -len(response.sources)))
    if not model_configured():
        return best
    listed = "\n\n".join(f"{number}. {response.answer}" for number, response in enumerate(responses, 1))
    reply = ask_model(
        "Which of the numbered answers is the best? Reply with its number only.", f"Question: {query}\n\n{listed}"
    )
    choice = re.search(rf"\b[1-{len(responses)}]\b", reply)
    return responses[int(choice[0]) - 1] if choice else best


def rewritten(query: str, *, reason: str) -> str:
    """The query as a language model would put it."""
    reply = ask_model(
        "Rewrite this search query about weaving, textiles and early computing so that it finds more. Correct the"
        " spelling, be specific, keep the meaning. Reply with the query only, on one line.",
        f"Query: {query}\nWhat is wrong with it: {reason}",
    )
    return reply.strip().strip('"') or query


def model_configured() -> bool:
    """Whether an OpenAI-compatible endpoint is named in the environment."""
    return bool(os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY"))


def ask_model(task: str, text: str) -> str:
    """The reply of the language model. The SDK itself reads OPENAI_BASE_URL; local servers need no key."""
    client = _library("openai").OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=60.0)
    completion = client.chat.completions.create(
        model=os.environ.get("OPENAI_MODEL") or "gpt-4o-mini",
        messages=[{"role": "system", "content": task}, {"role": "user", "content": text}],
    )
    return completion.choices[0].message.content or ""
