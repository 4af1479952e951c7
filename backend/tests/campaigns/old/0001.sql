-- Rows that Treadle wrote at schema 0001 (commit 88a6833), until it was killed: five runs of elder.py, one ended, two in
-- the middle of their steps, one that waits for a person, one held. The tables are made by the migration itself.

INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',1,1.79534766287927317614e+09,'run_started',NULL,'Begin','{"size":3,"nap":0.0}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',2,1.79534766307464504239e+09,'context_changed','begin',NULL,'{"key":"size","value":3}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',3,1.79534766307473230362e+09,'context_changed','begin',NULL,'{"key":"count","value":0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',4,1.79534766307477664949e+09,'step_finished','begin','Link','{"n":0,"nap":0.0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',5,1.79534766309322214123e+09,'context_changed','add',NULL,'{"key":"count","value":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',6,1.79534766309347486494e+09,'step_finished','add','Link','{"n":1,"nap":0.0}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',7,1.79534766311419749255e+09,'context_changed','add',NULL,'{"key":"count","value":2}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',8,1.79534766311445879941e+09,'step_finished','add','Link','{"n":2,"nap":0.0}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',9,1.79534766312912249562e+09,'context_changed','add',NULL,'{"key":"count","value":3}',8,NULL);
INSERT INTO "entry" VALUES('r_01M81GYHS6ZM3FFEB0WE',10,1.79534766312929868698e+09,'step_finished','add','StopEvent','{"result":[3,3]}',8,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',1,1.79534766327812862394e+09,'run_started',NULL,'Begin','{"size":8,"nap":0.4}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',2,1.79534766390459370613e+09,'context_changed','begin',NULL,'{"key":"size","value":8}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',3,1.79534766390470910068e+09,'context_changed','begin',NULL,'{"key":"count","value":0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',4,1.79534766390476202969e+09,'step_finished','begin','Link','{"n":0,"nap":0.4}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',5,1.79534766396295094488e+09,'context_changed','add',NULL,'{"key":"count","value":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',6,1.79534766436454200745e+09,'step_finished','add','Link','{"n":1,"nap":0.4}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',7,1.79534766441317486769e+09,'context_changed','add',NULL,'{"key":"count","value":2}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',8,1.7953476648141751289e+09,'step_finished','add','Link','{"n":2,"nap":0.4}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJC7W476MBJ4Z1',9,1.79534766484271192553e+09,'context_changed','add',NULL,'{"key":"count","value":3}',8,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',1,1.79534766356157064436e+09,'run_started',NULL,'Begin','{"size":7,"nap":1.5}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',2,1.79534766358008956912e+09,'context_changed','split',NULL,'{"key":"size","value":7}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',3,1.79534766358021736143e+09,'event_sent','split','Part','{"n":0,"nap":0.0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',4,1.79534766358036589626e+09,'event_sent','split','Part','{"n":1,"nap":1.5}',1,'{"target":null,"index":1}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',5,1.79534766358042430873e+09,'event_sent','split','Part','{"n":2,"nap":3.0}',1,'{"target":null,"index":2}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',6,1.79534766358045768741e+09,'event_sent','split','Part','{"n":3,"nap":0.0}',1,'{"target":null,"index":3}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',7,1.79534766358048534389e+09,'event_sent','split','Part','{"n":4,"nap":1.5}',1,'{"target":null,"index":4}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',8,1.79534766358052849774e+09,'event_sent','split','Part','{"n":5,"nap":3.0}',1,'{"target":null,"index":5}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',9,1.79534766358055424689e+09,'event_sent','split','Part','{"n":6,"nap":0.0}',1,'{"target":null,"index":6}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',10,1.79534766358057594299e+09,'step_finished','split',NULL,NULL,1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',11,1.79534766359312534331e+09,'step_finished','square','Squared','{"square":0}',3,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',12,1.79534766359648776052e+09,'step_finished','square','Squared','{"square":9}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',13,1.79534766360531496997e+09,'collected','total',NULL,NULL,11,'{"expected":[["Squared",7]]}');
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',14,1.79534766360537815089e+09,'step_finished','total',NULL,NULL,11,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',15,1.79534766363233280186e+09,'collected','total',NULL,NULL,12,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',16,1.795347663632381916e+09,'step_finished','total',NULL,NULL,12,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',17,1.79534766509407329561e+09,'step_finished','square','Squared','{"square":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',18,1.79534766509668922422e+09,'collected','total',NULL,NULL,17,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',19,1.79534766509674549106e+09,'step_finished','total',NULL,NULL,17,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',20,1.79534766509678816795e+09,'step_finished','square','Squared','{"square":36}',9,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',21,1.79534766509935760493e+09,'collected','total',NULL,NULL,20,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',22,1795347665.09941,'step_finished','total',NULL,NULL,20,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',23,1.79534766510643529896e+09,'step_finished','square','Squared','{"square":16}',7,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',24,1.79534766510911798472e+09,'collected','total',NULL,NULL,23,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJE2WGFYMKWQ0A',25,1.79534766510916543006e+09,'step_finished','total',NULL,NULL,23,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJP30WHE494KB6',1,1.79534766405303525919e+09,'run_started',NULL,'StartEvent','{}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81GYJP30WHE494KB6',2,1.79534766412158465391e+09,'context_changed','ask',NULL,'{"key":"more","value":1}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJP30WHE494KB6',3,1.79534766412171030046e+09,'step_finished','ask','InputRequiredEvent','{"prefix":"Which number?"}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81GYJWAXBYVCAQBGF',1,1.79534766401775622369e+09,'run_started',NULL,'Begin','{"size":2,"nap":0.0}',NULL,'{"held":true,"context":{}}');
INSERT INTO "inbox" VALUES(1,'r_01M81GYHS6ZM3FFEB0WE','start',NULL,'{"workflow": "Chain", "fields": {"size": 3, "nap": 0.0}, "held": false, "continued_from": null}',1.79534766263099980357e+09,1.79534766287926769254e+09);
INSERT INTO "inbox" VALUES(2,'r_01M81GYJC7W476MBJ4Z1','start',NULL,'{"workflow": "Chain", "fields": {"size": 8, "nap": 0.4}, "held": false, "continued_from": null}',1.79534766323918414119e+09,1.79534766327812266356e+09);
INSERT INTO "inbox" VALUES(3,'r_01M81GYJE2WGFYMKWQ0A','start',NULL,'{"workflow": "Fan", "fields": {"size": 7, "nap": 1.5}, "held": false, "continued_from": null}',1.79534766329889321333e+09,1.79534766356156539916e+09);
INSERT INTO "inbox" VALUES(4,'r_01M81GYJP30WHE494KB6','start',NULL,'{"workflow": "Ask", "fields": {}, "held": false, "continued_from": null}',1.79534766355575489994e+09,1.79534766405302953721e+09);
INSERT INTO "inbox" VALUES(5,'r_01M81GYJWAXBYVCAQBGF','start',NULL,'{"workflow": "Chain", "fields": {"size": 2, "nap": 0.0}, "held": true, "continued_from": null}',1.79534766375487446782e+09,1.79534766401775074009e+09);
INSERT INTO "prompt" VALUES('r_01M81GYJP30WHE494KB6',3,'InputRequiredEvent','Which number?','{"prefix":"Which number?"}','open',1.79534766412171030046e+09,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81GYHS6ZM3FFEB0WE','Chain','263e9fc38437','completed',0,1.79534766263099980357e+09,1.79534766287927317614e+09,1.79534766312929868698e+09,10,'[3,3]',NULL,'{"steps":{"begin":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"add":{"started":3,"running":0,"done":3,"failed":0,"waiting":0}},"events":{"Begin":1,"Link":3,"StopEvent":1},"edges":{"event:Begin>step:begin":1,"event:Link>step:add":3,"step:begin>event:Link":1,"step:add>event:Link":2,"step:add>event:StopEvent":1},"joins":{},"prompts":0}','[]',NULL,'d6253f7f54168c2a5ed6418d316fb0f78f933a62601d97ec2e6fd9a0165a5900',NULL,NULL,1.79534767306447792054e+09,1);
INSERT INTO "run" VALUES('r_01M81GYJC7W476MBJ4Z1','Chain','263e9fc38437','running',0,1.79534766323918414119e+09,1.79534766327812862394e+09,NULL,9,NULL,NULL,'{"steps":{"begin":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"add":{"started":3,"running":1,"done":2,"failed":0,"waiting":0}},"events":{"Begin":1,"Link":3},"edges":{"event:Begin>step:begin":1,"event:Link>step:add":3,"step:begin>event:Link":1,"step:add>event:Link":2},"joins":{},"prompts":0}','[]',NULL,'55f72aa662af14c304a731fd75efac3dfde40416f436d91655e470850e6abe4d',NULL,'w_bac28a2c2275',1.79534767487316751478e+09,1);
INSERT INTO "run" VALUES('r_01M81GYJE2WGFYMKWQ0A','Fan','263e9fc38437','running',0,1.79534766329889321333e+09,1.79534766356157064436e+09,NULL,25,NULL,NULL,'{"steps":{"split":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"square":{"started":7,"running":2,"done":5,"failed":0,"waiting":0},"total":{"started":5,"running":0,"done":5,"failed":0,"waiting":1}},"events":{"Begin":1,"Part":7,"Squared":5},"edges":{"event:Begin>step:split":1,"event:Part>step:square":7,"event:Squared>step:total":5,"step:split>event:Part":7,"step:square>event:Squared":5},"joins":{"total":{"have":5,"need":7,"waiting_for":["Squared"]}},"prompts":0}','[]',NULL,'fe50bd58a84f862466213feab7220e79a6830af57734623dec9824785bd05559',NULL,'w_264a0f7bbbe1',1795347673.53005,1);
INSERT INTO "run" VALUES('r_01M81GYJP30WHE494KB6','Ask','263e9fc38437','waiting',0,1.79534766355575489994e+09,1.79534766405303525919e+09,NULL,3,NULL,NULL,'{"steps":{"ask":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"hear":{"started":0,"running":0,"done":0,"failed":0,"waiting":0}},"events":{"StartEvent":1,"InputRequiredEvent":1},"edges":{"event:StartEvent>step:ask":1,"step:ask>event:InputRequiredEvent":1},"joins":{},"prompts":1}','[]',NULL,'d09fd689a896074bdbfa7c92fbdc72e18400d2f7574e348cc53ad7ffc6568e0f',NULL,'w_264a0f7bbbe1',1.79534767371695017819e+09,1);
INSERT INTO "run" VALUES('r_01M81GYJWAXBYVCAQBGF','Chain','263e9fc38437','held',1,1.79534766375487446782e+09,1.79534766401775622369e+09,NULL,1,NULL,NULL,'{"steps":{"begin":{"started":0,"running":0,"done":0,"failed":0,"waiting":0},"add":{"started":0,"running":0,"done":0,"failed":0,"waiting":0}},"events":{"Begin":1},"edges":{},"joins":{},"prompts":0}','[{"id":"1:begin","step":"begin","event_type":"Begin","payload":{"size":2,"nap":0.0}}]',NULL,'a25bec3659361a48b4639330a04690f7341a36e8078c020f06d0de51ae659962',NULL,'w_bac28a2c2275',1.79534767487316751478e+09,1);
INSERT INTO "snapshot" VALUES('r_01M81GYHS6ZM3FFEB0WE',10,'{"size":3,"count":3}');
INSERT INTO "snapshot" VALUES('r_01M81GYJP30WHE494KB6',3,'{"more":1}');
INSERT INTO "version" VALUES('Chain','263e9fc38437','{"workflow": "Chain", "nodes": [{"id": "event:Begin", "kind": "event", "name": "Begin", "role": "start"}, {"id": "step:begin", "kind": "step", "name": "begin", "role": "step", "num_workers": 4, "line": 23}, {"id": "event:Link", "kind": "event", "name": "Link", "role": "plain"}, {"id": "step:add", "kind": "step", "name": "add", "role": "step", "num_workers": 4, "line": 29}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}], "edges": [{"source": "event:Begin", "target": "step:begin"}, {"source": "step:begin", "target": "event:Link"}, {"source": "event:Link", "target": "step:add"}, {"source": "step:add", "target": "event:Link"}, {"source": "step:add", "target": "event:StopEvent"}], "warnings": []}','{"additionalProperties": true, "properties": {"size": {"title": "Size", "type": "integer"}, "nap": {"title": "Nap", "type": "number"}}, "required": ["size", "nap"], "title": "Begin", "type": "object"}','{}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

from __future__ import annotations

import asyncio

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Begin(StartEvent):
    size: int
    nap: float


class Link(Event):
    n: int
    nap: float


class Chain(Workflow):
    """Counts to `size` in its events and in its context."""

    @step
    async def begin(self, ctx: Context, ev: Begin) -> Link:
        await ctx.set("size", ev.size)
        await ctx.set("count", 0)
        return Link(n=0, nap=ev.nap)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        await asyncio.sleep(ev.nap)
        if ev.n + 1 >= await ctx.get("size"):
            return StopEvent(result=[ev.n + 1, await ctx.get("count")])
        return Link(n=ev.n + 1, nap=ev.nap)


class Part(Event):
    n: int
    nap: float


class Squared(Event):
    square: int


class Fan(Workflow):
    """Adds the squares of 0 .. size-1, worked out in parallel."""

    @step
    async def split(self, ctx: Context, ev: Begin) -> Part | None:
        await ctx.set("size", ev.size)
        for n in range(ev.size):
            ctx.send_event(Part(n=n, nap=ev.nap * (n % 3)))

    @step(num_workers=4)
    async def square(self, ev: Part) -> Squared:
        await asyncio.sleep(ev.nap)
        return Squared(square=ev.n * ev.n)

    @step
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        squares = ctx.collect_events(ev, [Squared] * await ctx.get("size"))
        return StopEvent(result=sum(square.square for square in squares)) if squares else None


class Ask(Workflow):
    """Asks for a number and returns the next one."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.set("more", 1)
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + await ctx.get("more"))
',1.79534766230787277228e+09);
INSERT INTO "version" VALUES('Fan','263e9fc38437','{"workflow": "Fan", "nodes": [{"id": "event:Begin", "kind": "event", "name": "Begin", "role": "start"}, {"id": "step:split", "kind": "step", "name": "split", "role": "step", "num_workers": 4, "line": 50}, {"id": "event:Part", "kind": "event", "name": "Part", "role": "plain"}, {"id": "step:square", "kind": "step", "name": "square", "role": "step", "num_workers": 4, "line": 56}, {"id": "event:Squared", "kind": "event", "name": "Squared", "role": "plain"}, {"id": "step:total", "kind": "step", "name": "total", "role": "step", "num_workers": 4, "line": 61}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}], "edges": [{"source": "event:Begin", "target": "step:split"}, {"source": "step:split", "target": "event:Part"}, {"source": "event:Part", "target": "step:square"}, {"source": "step:square", "target": "event:Squared"}, {"source": "event:Squared", "target": "step:total"}, {"source": "step:total", "target": "event:StopEvent"}], "warnings": []}','{"additionalProperties": true, "properties": {"size": {"title": "Size", "type": "integer"}, "nap": {"title": "Nap", "type": "number"}}, "required": ["size", "nap"], "title": "Begin", "type": "object"}','{}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

from __future__ import annotations

import asyncio

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Begin(StartEvent):
    size: int
    nap: float


class Link(Event):
    n: int
    nap: float


class Chain(Workflow):
    """Counts to `size` in its events and in its context."""

    @step
    async def begin(self, ctx: Context, ev: Begin) -> Link:
        await ctx.set("size", ev.size)
        await ctx.set("count", 0)
        return Link(n=0, nap=ev.nap)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        await asyncio.sleep(ev.nap)
        if ev.n + 1 >= await ctx.get("size"):
            return StopEvent(result=[ev.n + 1, await ctx.get("count")])
        return Link(n=ev.n + 1, nap=ev.nap)


class Part(Event):
    n: int
    nap: float


class Squared(Event):
    square: int


class Fan(Workflow):
    """Adds the squares of 0 .. size-1, worked out in parallel."""

    @step
    async def split(self, ctx: Context, ev: Begin) -> Part | None:
        await ctx.set("size", ev.size)
        for n in range(ev.size):
            ctx.send_event(Part(n=n, nap=ev.nap * (n % 3)))

    @step(num_workers=4)
    async def square(self, ev: Part) -> Squared:
        await asyncio.sleep(ev.nap)
        return Squared(square=ev.n * ev.n)

    @step
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        squares = ctx.collect_events(ev, [Squared] * await ctx.get("size"))
        return StopEvent(result=sum(square.square for square in squares)) if squares else None


class Ask(Workflow):
    """Asks for a number and returns the next one."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.set("more", 1)
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + await ctx.get("more"))
',1.79534766230787277228e+09);
INSERT INTO "version" VALUES('Ask','263e9fc38437','{"workflow": "Ask", "nodes": [{"id": "event:StartEvent", "kind": "event", "name": "StartEvent", "role": "start"}, {"id": "step:ask", "kind": "step", "name": "ask", "role": "step", "num_workers": 4, "line": 70}, {"id": "event:InputRequiredEvent", "kind": "event", "name": "InputRequiredEvent", "role": "input"}, {"id": "event:HumanResponseEvent", "kind": "event", "name": "HumanResponseEvent", "role": "response"}, {"id": "step:hear", "kind": "step", "name": "hear", "role": "step", "num_workers": 4, "line": 75}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}, {"id": "person", "kind": "person", "name": "person", "role": "person", "doc": "Somebody who answers outside the workflow."}], "edges": [{"source": "event:StartEvent", "target": "step:ask"}, {"source": "step:ask", "target": "event:InputRequiredEvent"}, {"source": "event:HumanResponseEvent", "target": "step:hear"}, {"source": "step:hear", "target": "event:StopEvent"}, {"source": "event:InputRequiredEvent", "target": "person"}, {"source": "person", "target": "event:HumanResponseEvent"}], "warnings": []}','{"additionalProperties": true, "properties": {}, "title": "StartEvent", "type": "object"}','{"HumanResponseEvent": {"additionalProperties": true, "properties": {"response": {"default": "", "description": "Your answer.", "title": "Response", "type": "string"}}, "title": "HumanResponseEvent", "type": "object"}}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

from __future__ import annotations

import asyncio

from treadle import Context, Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class Begin(StartEvent):
    size: int
    nap: float


class Link(Event):
    n: int
    nap: float


class Chain(Workflow):
    """Counts to `size` in its events and in its context."""

    @step
    async def begin(self, ctx: Context, ev: Begin) -> Link:
        await ctx.set("size", ev.size)
        await ctx.set("count", 0)
        return Link(n=0, nap=ev.nap)

    @step
    async def add(self, ctx: Context, ev: Link) -> Link | StopEvent:
        await ctx.set("count", await ctx.get("count") + 1)
        await asyncio.sleep(ev.nap)
        if ev.n + 1 >= await ctx.get("size"):
            return StopEvent(result=[ev.n + 1, await ctx.get("count")])
        return Link(n=ev.n + 1, nap=ev.nap)


class Part(Event):
    n: int
    nap: float


class Squared(Event):
    square: int


class Fan(Workflow):
    """Adds the squares of 0 .. size-1, worked out in parallel."""

    @step
    async def split(self, ctx: Context, ev: Begin) -> Part | None:
        await ctx.set("size", ev.size)
        for n in range(ev.size):
            ctx.send_event(Part(n=n, nap=ev.nap * (n % 3)))

    @step(num_workers=4)
    async def square(self, ev: Part) -> Squared:
        await asyncio.sleep(ev.nap)
        return Squared(square=ev.n * ev.n)

    @step
    async def total(self, ctx: Context, ev: Squared) -> StopEvent | None:
        squares = ctx.collect_events(ev, [Squared] * await ctx.get("size"))
        return StopEvent(result=sum(square.square for square in squares)) if squares else None


class Ask(Workflow):
    """Asks for a number and returns the next one."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.set("more", 1)
        return InputRequiredEvent(prefix="Which number?")

    @step
    async def hear(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=int(ev.response) + await ctx.get("more"))
',1.79534766230787277228e+09);
INSERT INTO "worker" VALUES('w_bac28a2c2275','worker 1',7210,1795347662.4208,1.79534766487316751483e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "worker" VALUES('w_264a0f7bbbe1','worker 2',7213,1.7953476626731233596e+09,1.7953476630644779206e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "workflow" VALUES('Chain','/srv/flows/elder.py','Chain','Counts to `size` in its events and in its context.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','263e9fc38437',1.79534766230787277228e+09,NULL);
INSERT INTO "workflow" VALUES('Fan','/srv/flows/elder.py','Fan','Adds the squares of 0 .. size-1, worked out in parallel.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','263e9fc38437',1.79534766230787277228e+09,NULL);
INSERT INTO "workflow" VALUES('Ask','/srv/flows/elder.py','Ask','Asks for a number and returns the next one.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','263e9fc38437',1.79534766230787277228e+09,NULL);
