"""The scenes of the tutorial, from "Basic workflow" to "One more thing". A block is named by its first line."""

from __future__ import annotations

from seed.blocks import printed
from seed.llm_server import answer_to, words_of
from seed.scene import Picture, Scene
from seed.supplied import BRANCHED, RANDOM, STEP_THREE, STEPS_ABC

MOBY_DICK = answer_to("Please give me the first 3 paragraphs of Moby Dick, a book in the public domain.")
THREE_STEPS_VERBOSE = (
    "Running step step_one\nStep step_one produced event FirstEvent\n"
    "Running step step_two\nStep step_two produced event SecondEvent\n"
    "Running step step_three\nStep step_three produced event StopEvent\n"
)
THREE_STEPS_STREAMED = "\n".join(
    ("Step one is happening", *words_of(MOBY_DICK), "Step three is happening", "Final result Workflow complete.")
)
VERBOSE_LISTING = printed(757, 776)

FIRST_LESSON = (52, 62)
THREE_STEPS = (119, 130, 140)
STATE = (269, 280)
STREAMING = (328, 342, 352)
SLEEPING = (*STATE, 328, RANDOM)
NESTED = (610, 643)
STEP_BY_STEP = (610, STEPS_ABC, 705)

TUTORIAL = (
    # Basic workflow
    Scene(52),
    Scene(62, (52,), prints="Hello, world!\n", leaves={"result": "Hello, world!"}),
    Scene(88, FIRST_LESSON, prints="Hello, world!\n"),
    Scene(104, FIRST_LESSON, draws=(Picture("basic_workflow.html", ("MyWorkflow", "my_step")),)),
    Scene(119),
    Scene(130, (119,)),
    Scene(140, (119, 130), prints=printed(163, 166)),
    Scene(
        170,
        THREE_STEPS,
        draws=(Picture("multi_step_workflow.html", ("step_one", "step_two", "step_three", "SecondEvent")),),
    ),
    # Branches and loops
    Scene(184, THREE_STEPS),
    Scene(
        189,
        (*THREE_STEPS, 184, RANDOM),
        then="result = await MyWorkflow().run(first_input='Start the workflow.')",
        lots=1,
        prints="Bad thing happened\n" * 2 + "Good thing happened\nFirst step complete.\nSecond step complete.\n",
        leaves={"result": "Workflow complete."},
    ),
    Scene(
        207,
        (119, RANDOM),
        note="branch-a",
        then="result = await BranchWorkflow().run()",
        lots=1,
        prints="Go to branch A\nBranch A\nBranch A\n",
        leaves={"result": "Branch A complete."},
    ),
    Scene(
        207,
        (119, RANDOM),
        note="branch-b",
        then="result = await BranchWorkflow().run()",
        prints="Go to branch B\nBranch B\nBranch B\n",
        leaves={"result": "Branch B complete."},
    ),
    # Maintaining state
    Scene(269),
    Scene(280, (269,), then="w = StatefulFlow()"),
    Scene(309, STATE, prints="Need to load data\nData is  [1, 2, 3]\n2\n", leaves={"result": 2}),
    # Streaming events
    Scene(328),
    Scene(342, (328,)),
    Scene(
        352,
        (328, 342),
        then=(
            "handler = MyWorkflow(timeout=30).run(first_input='Start the workflow.')\n"
            "said = [ev.msg async for ev in handler.stream_events()]\n"
            "first, *words, last = said\n"
            "words = ''.join(words)\n"
            "result = await handler"
        ),
        prints="",
        leaves={
            "first": "Step one is happening",
            "words": MOBY_DICK,
            "last": "Step three is happening",
            "result": "Workflow complete.",
        },
    ),
    Scene(
        385,
        STREAMING,
        mixes=(THREE_STEPS_VERBOSE, THREE_STEPS_STREAMED),
        draws=(Picture("streaming_workflow.html", ("step_one", "step_two", "step_three")),)),
    # Concurrent execution
    Scene(
        411,
        SLEEPING,
        then="result = await ParallelFlow().run()",
        hurried=True,
        prints="".join(f"Running slow query  Query {n}\n" for n in (1, 2, 3)),
        leaves={"result": "Query 3"},
    ),
    Scene(
        430,
        (*SLEEPING, STEP_THREE),
        then="result = await ConcurrentFlow().run()",
        hurried=True,
        prints=(
            "Running query  Query 1\nRunning query  Query 2\nRunning query  Query 3\n"
            "[StepThreeEvent(result='Query 3'), StepThreeEvent(result='Query 1'), StepThreeEvent(result='Query 2')]\n"
        ),
        leaves={"result": "Done"},
    ),
    Scene(
        463,
        (*STATE, STEPS_ABC),
        then="result = await ConcurrentFlow().run()",
        prints=(
            "Doing something A-ish\nDoing something B-ish\nDoing something C-ish\n"
            "Received event  Query 1\nReceived event  Query 2\nReceived event  Query 3\n"
        ),
        leaves={"result": "Done"},
    ),
    # Subclassing workflows
    Scene(525, then="result = await MainWorkflow().run(query='Initial query')", leaves={"result": "Initial query"}),
    Scene(561, (525,), prints=printed(567, 570)),
    Scene(
        574,
        (525,),
        then="w = CustomWorkflow(timeout=10, verbose=False)\nprint(await w.run(query='Initial query'))",
        prints=printed(591, 595),
    ),
    Scene(
        599,
        (328, 525, 574),
        draws=(Picture("custom_workflow.html", ("start", "step_two", "step_two_b", "step_three", "Step2BEvent")),),
    ),
    # Nested workflows
    Scene(
        610,
        then="await MainWorkflow().run(query='Initial query')",
        raises="WorkflowValidationError: The following services are not available: reflection_workflow",
    ),
    Scene(643, (610,), then="result = await ReflectionFlow().run()", leaves={"result": "Improved query"}),
    Scene(
        651,
        NESTED,
        prints="Need to run reflection\nDoing custom reflection\nQuery is  Improved query\nImproved query\n",
    ),
    Scene(663, (610,), then="result = await DefaultSubflow().run()", leaves={"result": "Improved query"}),
    Scene(
        671,
        (610, 663),
        note="default",
        then="result = await MainWorkflow().run(query='Initial query')",
        prints="Need to run reflection\nDoing basic reflection\nQuery is  Improved query\n",
        leaves={"result": "Improved query"},
    ),
    Scene(
        671,
        (610, 643, 663),
        note="supplied",
        then=(
            "w = MainWorkflow()\nw.add_workflows(reflection_workflow=ReflectionFlow())\n"
            "result = await w.run(query='Initial query')"
        ),
        prints="Need to run reflection\nDoing custom reflection\nQuery is  Improved query\n",
        leaves={"result": "Improved query"},
    ),
    # Observability
    Scene(694, STREAMING, draws=(Picture("some_filename.html", ("step_one", "step_two", "step_three")),)),
    Scene(705, (610, STEPS_ABC), then="result = await ConcurrentFlow().run()", leaves={"result": "Done"}),
    Scene(752, STEP_BY_STEP, prints=VERBOSE_LISTING, leaves={"result": "Done"}),
    Scene(781, STEP_BY_STEP, prints=VERBOSE_LISTING, leaves={"result": "Done"}),
    Scene(
        803,
        (*STEP_BY_STEP, 752),
        draws=(Picture("last_execution.html", ("start", "step_a", "step_three", "StepAEvent")),),
    ),
    Scene(
        803,
        (*STEP_BY_STEP, 781),
        note="stepwise",
        draws=(Picture("last_execution.html", ("start", "step_a", "step_three", "StepAEvent")),),
    ),
    Scene(
        803,
        (119, RANDOM, 207, BRANCHED),
        note="one-branch",
        draws=(Picture("last_execution.html", ("start", "step_a1", "step_a2"), ("step_b1", "step_b2")),),
    ),
    # Workflows from unbound functions
    Scene(822, (52,), then="w = TestWorkflow()"),
    Scene(827, (52, 822), then="result = await TestWorkflow().run()", leaves={"result": None}),
)
