"""The scenes of the reference, "Workflows", and of what the part about llama_deploy has of the engine."""

from __future__ import annotations

from seed.llm_server import answer_to
from seed.scene import Picture, Scene
from seed.supplied import (
    ANSWERING,
    ASKING,
    COUNTING,
    LLM,
    OPTIONAL,
    PEOPLE,
    POLICY,
    RETRIEVAL,
    WAITS,
    flaky_call,
    retried,
)

JOKE = answer_to("Write your best joke about {topic}.")
CRITIQUE = answer_to(f"Give a thorough analysis and critique of the following joke: {JOKE}")

JOKES = (867,)
JOKES_IN_PIECES = (867, 910, 916, 923, 943)
GATHERING = (269, 1046)

REFERENCE = (
    # Getting started
    Scene(853, (52, 62), prints="Hello, world!\n"),
    Scene(867, prints=CRITIQUE.format(topic="pirates") + "\n"),
    Scene(910, JOKES),
    Scene(916, JOKES, then="model = JokeFlow.llm.model", leaves={"model": "gpt-4o-mini"}),
    Scene(
        923,
        (867, 910, 916),
        then="response = await JokeFlow().generate_joke(StartEvent(topic='pirates'))\njoke = response.joke",
        leaves={"joke": JOKE.format(topic="pirates")},
    ),
    Scene(
        943,
        (867, 910, 916, 923),
        then="result = await JokeFlow(timeout=60).run(topic='llamas')",
        leaves={"result": CRITIQUE.format(topic="llamas")},
    ),
    Scene(961, JOKES_IN_PIECES, prints=CRITIQUE.format(topic="pirates") + "\n"),
    Scene(
        978,
        JOKES,
        draws=(
            Picture("joke_flow_all.html", ("JokeFlow", "generate_joke", "critique_joke", "JokeEvent")),
            Picture("joke_flow_recent.html", ("generate_joke", "critique_joke", "JokeEvent")),
        ),
    ),
    Scene(
        994,
        (*GATHERING, ASKING),
        then=(
            "handler = Asking().run(query='Why?')\nresult = await handler\n"
            "query, key = await handler.ctx.get('query'), await handler.ctx.get('key')"
        ),
        leaves={"result": ..., "query": "Why?", "key": ...},
    ),
    Scene(
        1016,
        (*GATHERING, RETRIEVAL, ANSWERING),
        then="result = await Answering().run()",
        leaves={"result": "You said: Who is Peter? From: a rabbit, a llama"},
    ),
    Scene(
        1046,
        (269,),
        then="result = await MyWorkflow().run()\nsame = result == [MyEventResult(result='result')] * 2",
        leaves={"same": True},
    ),
    Scene(
        1089,
        GATHERING,
        then="same = result == [MyEventResult(result='result')] * 2",
        prints="",
        leaves={"same": True},
    ),
    # Retry
    Scene(
        1105,
        (269, flaky_call(failures=10)),
        note="goes-through-at-last",
        then="result = await MyWorkflow(timeout=None).run()" + WAITS,
        hurried=True,
        leaves={"result": "call 11 went through", "waits": [5] * 10},
    ),
    Scene(
        1105,
        (269, flaky_call(failures=11)),
        note="gives-up",
        then="await MyWorkflow(timeout=None).run()",
        hurried=True,
        raises="ConnectionError: call 11 failed",
    ),
    Scene(
        1119,
        (269, OPTIONAL, flaky_call(failures=1), POLICY),
        then=retried("Policy()"),
        raises="ConnectionError: call 1 failed",
    ),
    Scene(
        1126,
        (269, OPTIONAL, flaky_call(failures=3)),
        note="on-a-friday",
        then=retried("RetryOnFridayPolicy()") + WAITS,
        hurried=True,
        today="2024-11-15",
        leaves={"result": "call 4 went through", "waits": [5, 5, 5]},
    ),
    Scene(
        1126,
        (269, OPTIONAL, flaky_call(failures=1)),
        note="on-a-thursday",
        then=retried("RetryOnFridayPolicy()"),
        hurried=True,
        today="2024-11-14",
        raises="ConnectionError: call 1 failed",
    ),
    # Human in the loop
    Scene(1144, (269, PEOPLE), types="42\n", prints="Enter a number: ", leaves={"final_result": "42"}),
    Scene(
        1172,
        (269, PEOPLE, 1144),
        types="42\n43\n",
        prints="Enter a number: ",
        leaves={"final_result": "43"},
    ),
    # Stepwise execution, unbound functions, contexts across runs
    Scene(1190, JOKES, prints="", leaves={"result": CRITIQUE.format(topic="Pirates")}),
    Scene(
        1209,
        (867, LLM),
        then="result = await joke_flow.run(topic='pirates')",
        prints=(
            "Running step generate_joke\nStep generate_joke produced event JokeEvent\n"
            "Running step critique_joke\nStep critique_joke produced event StopEvent\n"
        ),
        leaves={"result": CRITIQUE.format(topic="pirates")},
    ),
    Scene(1252, (*GATHERING, 1089), then="many = len(result)", leaves={"many": 2}),
    Scene(1252, (269, COUNTING), note="keeps-count", leaves={"result": 2}),
    # Engine code in the part about llama_deploy
    Scene(
        1358,
        then="result = await MyWorkflow().run(arg1='hello_world')",
        leaves={"result": "hello_world_result"},
    ),
    Scene(
        1444,
        then="result = await outer.run(arg1='hello_world')",
        leaves={"result": "hello_world_result_result"},
    ),
)
