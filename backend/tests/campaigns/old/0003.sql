-- Rows that Treadle wrote at schema 0003, until it was killed: runs of elder.py in every state.

INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',1,1.79535500578563594819e+09,'run_started',NULL,'Begin','{"size":3,"nap":0.0}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',2,1.79535500583989191059e+09,'context_changed','begin',NULL,'{"key":"size","value":3}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',3,1.79535500584014964106e+09,'context_changed','begin',NULL,'{"key":"count","value":0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',4,1.79535500584031581876e+09,'step_finished','begin','Link','{"n":0,"nap":0.0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',5,1795355005.84739,'context_changed','add',NULL,'{"key":"count","value":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',6,1.79535500584779477125e+09,'step_finished','add','Link','{"n":1,"nap":0.0}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',7,1.79535500589998626703e+09,'context_changed','add',NULL,'{"key":"count","value":2}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',8,1.79535500590044975284e+09,'step_finished','add','Link','{"n":2,"nap":0.0}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',9,1.79535500600156784061e+09,'context_changed','add',NULL,'{"key":"count","value":3}',8,NULL);
INSERT INTO "entry" VALUES('r_01M81QYMAAX6FYW70QZK',10,1.7953550060018596649e+09,'step_finished','add','StopEvent','{"result":[3,3]}',8,NULL);
INSERT INTO "entry" VALUES('r_01M81QYN4ZQWD1Y7T77N',1,1.79535500640259814263e+09,'run_started',NULL,'StartEvent','{}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYN4ZQWD1Y7T77N',2,1.79535500649972796444e+09,'context_changed','ask',NULL,'{"key":"more","value":1}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYN4ZQWD1Y7T77N',3,1.79535500649999880786e+09,'step_finished','ask','InputRequiredEvent','{"prefix":"Which number?"}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNM94760GG761R',1,1.79535500675026750568e+09,'run_started',NULL,'Begin','{"size":2,"nap":0.0}',NULL,'{"held":true,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',1,1.79535500693156123159e+09,'run_started',NULL,'Begin','{"size":8,"nap":0.6}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',2,1.79535500699740505222e+09,'context_changed','begin',NULL,'{"key":"size","value":8}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',3,1.79535500699757099153e+09,'context_changed','begin',NULL,'{"key":"count","value":0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',4,1.79535500699765920634e+09,'step_finished','begin','Link','{"n":0,"nap":0.6}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',5,1.79535500710123515125e+09,'context_changed','add',NULL,'{"key":"count","value":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',6,1.79535500770513582226e+09,'step_finished','add','Link','{"n":1,"nap":0.6}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNT4QNH4TBGXZ8',7,1.79535500838207960128e+09,'context_changed','add',NULL,'{"key":"count","value":2}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',1,1.79535500693180918689e+09,'run_started',NULL,'Begin','{"size":7,"nap":1.5}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',2,1.79535500699775409701e+09,'context_changed','split',NULL,'{"key":"size","value":7}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',3,1.79535500699781560901e+09,'event_sent','split','Part','{"n":0,"nap":0.0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',4,1.79535500699786782267e+09,'event_sent','split','Part','{"n":1,"nap":1.5}',1,'{"target":null,"index":1}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',5,1.79535500699791717533e+09,'event_sent','split','Part','{"n":2,"nap":3.0}',1,'{"target":null,"index":2}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',6,1.79535500699796485898e+09,'event_sent','split','Part','{"n":3,"nap":0.0}',1,'{"target":null,"index":3}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',7,1.79535500699800157548e+09,'event_sent','split','Part','{"n":4,"nap":1.5}',1,'{"target":null,"index":4}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',8,1.79535500699803400037e+09,'event_sent','split','Part','{"n":5,"nap":3.0}',1,'{"target":null,"index":5}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',9,1.79535500699806690213e+09,'event_sent','split','Part','{"n":6,"nap":0.0}',1,'{"target":null,"index":6}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',10,1.79535500699809217458e+09,'step_finished','split',NULL,NULL,1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',11,1.79535500710151290889e+09,'step_finished','square','Squared','{"square":0}',3,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',12,1.79535500710163021089e+09,'step_finished','square','Squared','{"square":9}',6,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',13,1.79535500716880297659e+09,'collected','total',NULL,NULL,11,'{"expected":[["Squared",7]]}');
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',14,1.79535500716905665401e+09,'step_finished','total',NULL,NULL,11,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',15,1.79535500716909527775e+09,'collected','total',NULL,NULL,12,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNW7BYT3MZHMHZ',16,1.79535500716910815244e+09,'step_finished','total',NULL,NULL,12,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0HSEBVHW3V5',1,1.79535500706412315362e+09,'run_started',NULL,'Begin','{"size":5,"nap":0.8}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYNX0HSEBVHW3V5',2,1.79535500713524580002e+09,'child_started','nest',NULL,'{"call":0,"workflow":"Chain","run_id":"r_01M81QYNX0NZZHEATSMLFQZHKD"}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',1,1.79535500713535046577e+09,'run_started',NULL,'Begin','{"size":5,"nap":0.8}',NULL,'{"held":false,"context":{}}');
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',2,1.79535500730715489388e+09,'context_changed','begin',NULL,'{"key":"size","value":5}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',3,1.79535500730727458004e+09,'context_changed','begin',NULL,'{"key":"count","value":0}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',4,1.79535500730733537681e+09,'step_finished','begin','Link','{"n":0,"nap":0.8}',1,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',5,1.79535500735566616063e+09,'context_changed','add',NULL,'{"key":"count","value":1}',4,NULL);
INSERT INTO "entry" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD',6,1.79535500816698861126e+09,'step_finished','add','Link','{"n":1,"nap":0.8}',4,NULL);
INSERT INTO "inbox" VALUES(1,'r_01M81QYMAAX6FYW70QZK','start',NULL,'{"workflow": "Chain", "fields": {"size": 3, "nap": 0.0}, "held": false, "continued_from": null}',1.79535500525859546662e+09,1.79535500578549218181e+09);
INSERT INTO "inbox" VALUES(2,'r_01M81QYN4ZQWD1Y7T77N','start',NULL,'{"workflow": "Ask", "fields": {}, "held": false, "continued_from": null}',1.7953550061118502617e+09,1.79535500640244627002e+09);
INSERT INTO "inbox" VALUES(3,'r_01M81QYNM94760GG761R','start',NULL,'{"workflow": "Chain", "fields": {"size": 2, "nap": 0.0}, "held": true, "continued_from": null}',1.7953550066015226841e+09,1.79535500675014877318e+09);
INSERT INTO "inbox" VALUES(4,'r_01M81QYNT4QNH4TBGXZ8','start',NULL,'{"workflow": "Chain", "fields": {"size": 8, "nap": 0.6}, "held": false, "continued_from": null}',1.7953550067889304161e+09,1.79535500692677855495e+09);
INSERT INTO "inbox" VALUES(5,'r_01M81QYNW7BYT3MZHMHZ','start',NULL,'{"workflow": "Fan", "fields": {"size": 7, "nap": 1.5}, "held": false, "continued_from": null}',1.79535500685559630388e+09,1.79535500692686843865e+09);
INSERT INTO "inbox" VALUES(6,'r_01M81QYNX0HSEBVHW3V5','start',NULL,'{"workflow": "Nest", "fields": {"size": 5, "nap": 0.8}, "held": false, "continued_from": null}',1.79535500688017606732e+09,1.79535500706402444842e+09);
INSERT INTO "prompt" VALUES('r_01M81QYN4ZQWD1Y7T77N',3,'InputRequiredEvent','Which number?','{"prefix":"Which number?"}','open',1.79535500649999880786e+09,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYMAAX6FYW70QZK','Chain','40e86ca843b2','completed',0,1.79535500525859546662e+09,1.79535500578563594819e+09,1.7953550060018596649e+09,10,'[3,3]',NULL,'{"steps":{"begin":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"add":{"started":3,"running":0,"done":3,"failed":0,"waiting":0}},"events":{"Begin":1,"Link":3,"StopEvent":1},"edges":{"event:Begin>step:begin":1,"event:Link>step:add":3,"step:begin>event:Link":1,"step:add>event:Link":2,"step:add>event:StopEvent":1},"joins":{},"children":[],"prompts":0}','[]',NULL,'d6253f7f54168c2a5ed6418d316fb0f78f933a62601d97ec2e6fd9a0165a5900',NULL,NULL,1.79535501548867726332e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYN4ZQWD1Y7T77N','Ask','40e86ca843b2','waiting',0,1.7953550061118502617e+09,1.79535500640259814263e+09,NULL,3,NULL,NULL,'{"steps":{"ask":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"hear":{"started":0,"running":0,"done":0,"failed":0,"waiting":0}},"events":{"StartEvent":1,"InputRequiredEvent":1},"edges":{"event:StartEvent>step:ask":1,"step:ask>event:InputRequiredEvent":1},"joins":{},"children":[],"prompts":1}','[]',NULL,'d09fd689a896074bdbfa7c92fbdc72e18400d2f7574e348cc53ad7ffc6568e0f',NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYNM94760GG761R','Chain','40e86ca843b2','held',1,1.7953550066015226841e+09,1.79535500675026750568e+09,NULL,1,NULL,NULL,'{"steps":{"begin":{"started":0,"running":0,"done":0,"failed":0,"waiting":0},"add":{"started":0,"running":0,"done":0,"failed":0,"waiting":0}},"events":{"Begin":1},"edges":{},"joins":{},"children":[],"prompts":0}','[{"id":"1:begin","step":"begin","event_type":"Begin","payload":{"size":2,"nap":0.0}}]',NULL,'a25bec3659361a48b4639330a04690f7341a36e8078c020f06d0de51ae659962',NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYNT4QNH4TBGXZ8','Chain','40e86ca843b2','running',0,1.7953550067889304161e+09,1.79535500693156123159e+09,NULL,7,NULL,NULL,'{"steps":{"begin":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"add":{"started":2,"running":1,"done":1,"failed":0,"waiting":0}},"events":{"Begin":1,"Link":2},"edges":{"event:Begin>step:begin":1,"event:Link>step:add":2,"step:begin>event:Link":1,"step:add>event:Link":1},"joins":{},"children":[],"prompts":0}','[]',NULL,'ce424c679a6a46385fc214d4a44453fd171a79cd967570e8bad020ab39d1c528',NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYNW7BYT3MZHMHZ','Fan','40e86ca843b2','running',0,1.79535500685559630388e+09,1.79535500693180918689e+09,NULL,16,NULL,NULL,'{"steps":{"split":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"square":{"started":6,"running":4,"done":2,"failed":0,"waiting":0},"total":{"started":2,"running":0,"done":2,"failed":0,"waiting":1}},"events":{"Begin":1,"Part":7,"Squared":2},"edges":{"event:Begin>step:split":1,"event:Part>step:square":6,"event:Squared>step:total":2,"step:split>event:Part":7,"step:square>event:Squared":2},"joins":{"total":{"have":2,"need":7,"waiting_for":["Squared"]}},"children":[],"prompts":0}','[]',NULL,'fe50bd58a84f862466213feab7220e79a6830af57734623dec9824785bd05559',NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYNX0HSEBVHW3V5','Nest','40e86ca843b2','running',0,1.79535500688017606732e+09,1.79535500706412315362e+09,NULL,2,NULL,NULL,'{"steps":{"nest":{"started":1,"running":1,"done":0,"failed":0,"waiting":0}},"events":{"Begin":1},"edges":{"event:Begin>step:nest":1},"joins":{},"children":[{"step":"nest","workflow":"Chain","run_id":"r_01M81QYNX0NZZHEATSMLFQZHKD","status":"running"}],"prompts":0}','[]',NULL,'39f5d473eb7183d9792c043bacbd774cc25668132e9b20b734fd9d2ce46f28c1',NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES('r_01M81QYNX0NZZHEATSMLFQZHKD','Chain','40e86ca843b2','running',0,1.7953550071349859237e+09,1.79535500713535046577e+09,NULL,6,NULL,NULL,'{"steps":{"begin":{"started":1,"running":0,"done":1,"failed":0,"waiting":0},"add":{"started":2,"running":1,"done":1,"failed":0,"waiting":0}},"events":{"Begin":1,"Link":2},"edges":{"event:Begin>step:begin":1,"event:Link>step:add":2,"step:begin>event:Link":1,"step:add>event:Link":1},"joins":{},"children":[],"prompts":0}','[]',NULL,NULL,NULL,'w_674fe721bfde',1.79535501773677778243e+09,1,'r_01M81QYNX0HSEBVHW3V5',1,'nest',0,NULL);
INSERT INTO "snapshot" VALUES('r_01M81QYMAAX6FYW70QZK',10,'{"size":3,"count":3}');
INSERT INTO "snapshot" VALUES('r_01M81QYN4ZQWD1Y7T77N',3,'{"more":1}');
INSERT INTO "version" VALUES('Chain','40e86ca843b2','{"workflow": "Chain", "nodes": [{"id": "event:Begin", "kind": "event", "name": "Begin", "role": "start"}, {"id": "step:begin", "kind": "step", "name": "begin", "role": "step", "num_workers": 4, "line": 23}, {"id": "event:Link", "kind": "event", "name": "Link", "role": "plain"}, {"id": "step:add", "kind": "step", "name": "add", "role": "step", "num_workers": 4, "line": 29}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}], "edges": [{"source": "event:Begin", "target": "step:begin"}, {"source": "step:begin", "target": "event:Link"}, {"source": "event:Link", "target": "step:add"}, {"source": "step:add", "target": "event:Link"}, {"source": "step:add", "target": "event:StopEvent"}], "warnings": [], "routes": {"events": {"Begin": "start", "Link": "plain", "Part": "plain", "Squared": "plain"}, "takers": {"Begin": ["begin"], "Link": ["add"]}, "workers": {"begin": 4, "add": 4}, "joins": {}, "catchers": {}, "recoveries": {}, "at_most_once": []}}','{"additionalProperties": true, "properties": {"size": {"title": "Size", "type": "integer"}, "nap": {"title": "Nap", "type": "number"}}, "required": ["size", "nap"], "title": "Begin", "type": "object"}','{}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

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


class Nest(Workflow):
    """Has a chain counted by a run inside it."""

    @step
    async def nest(self, ev: Begin, chain: Workflow = Chain()) -> StopEvent:  # noqa: B008 - a default slot
        return StopEvent(result=await chain.run(size=ev.size, nap=ev.nap))
',1.79535500445220875739e+09);
INSERT INTO "version" VALUES('Fan','40e86ca843b2','{"workflow": "Fan", "nodes": [{"id": "event:Begin", "kind": "event", "name": "Begin", "role": "start"}, {"id": "step:split", "kind": "step", "name": "split", "role": "step", "num_workers": 4, "line": 50}, {"id": "event:Part", "kind": "event", "name": "Part", "role": "plain"}, {"id": "step:square", "kind": "step", "name": "square", "role": "step", "num_workers": 4, "line": 56}, {"id": "event:Squared", "kind": "event", "name": "Squared", "role": "plain"}, {"id": "step:total", "kind": "step", "name": "total", "role": "step", "num_workers": 4, "line": 61, "traits": [{"kind": "collects", "text": "collects", "note": "Collects several events before it goes on."}]}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}], "edges": [{"source": "event:Begin", "target": "step:split"}, {"source": "step:split", "target": "event:Part"}, {"source": "event:Part", "target": "step:square"}, {"source": "step:square", "target": "event:Squared"}, {"source": "event:Squared", "target": "step:total"}, {"source": "step:total", "target": "event:StopEvent"}], "warnings": [], "routes": {"events": {"Begin": "start", "Link": "plain", "Part": "plain", "Squared": "plain"}, "takers": {"Begin": ["split"], "Part": ["square"], "Squared": ["total"]}, "workers": {"split": 4, "square": 4, "total": 4}, "joins": {}, "catchers": {}, "recoveries": {}, "at_most_once": []}}','{"additionalProperties": true, "properties": {"size": {"title": "Size", "type": "integer"}, "nap": {"title": "Nap", "type": "number"}}, "required": ["size", "nap"], "title": "Begin", "type": "object"}','{}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

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


class Nest(Workflow):
    """Has a chain counted by a run inside it."""

    @step
    async def nest(self, ev: Begin, chain: Workflow = Chain()) -> StopEvent:  # noqa: B008 - a default slot
        return StopEvent(result=await chain.run(size=ev.size, nap=ev.nap))
',1.79535500445220875739e+09);
INSERT INTO "version" VALUES('Ask','40e86ca843b2','{"workflow": "Ask", "nodes": [{"id": "event:StartEvent", "kind": "event", "name": "StartEvent", "role": "start"}, {"id": "step:ask", "kind": "step", "name": "ask", "role": "step", "num_workers": 4, "line": 70}, {"id": "event:InputRequiredEvent", "kind": "event", "name": "InputRequiredEvent", "role": "input"}, {"id": "event:HumanResponseEvent", "kind": "event", "name": "HumanResponseEvent", "role": "response"}, {"id": "step:hear", "kind": "step", "name": "hear", "role": "step", "num_workers": 4, "line": 75}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}, {"id": "person", "kind": "person", "name": "person", "role": "person", "doc": "Somebody who answers outside the workflow."}], "edges": [{"source": "event:StartEvent", "target": "step:ask"}, {"source": "step:ask", "target": "event:InputRequiredEvent"}, {"source": "event:HumanResponseEvent", "target": "step:hear"}, {"source": "step:hear", "target": "event:StopEvent"}, {"source": "event:InputRequiredEvent", "target": "person"}, {"source": "person", "target": "event:HumanResponseEvent"}], "warnings": [], "routes": {"events": {"Begin": "start", "Link": "plain", "Part": "plain", "Squared": "plain"}, "takers": {"StartEvent": ["ask"], "HumanResponseEvent": ["hear"]}, "workers": {"ask": 4, "hear": 4}, "joins": {}, "catchers": {}, "recoveries": {}, "at_most_once": []}}','{"additionalProperties": true, "properties": {}, "title": "StartEvent", "type": "object"}','{"HumanResponseEvent": {"additionalProperties": true, "properties": {"response": {"default": "", "description": "Your answer.", "title": "Response", "type": "string"}}, "title": "HumanResponseEvent", "type": "object"}}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

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


class Nest(Workflow):
    """Has a chain counted by a run inside it."""

    @step
    async def nest(self, ev: Begin, chain: Workflow = Chain()) -> StopEvent:  # noqa: B008 - a default slot
        return StopEvent(result=await chain.run(size=ev.size, nap=ev.nap))
',1.79535500445220875739e+09);
INSERT INTO "version" VALUES('Nest','40e86ca843b2','{"workflow": "Nest", "nodes": [{"id": "event:Begin", "kind": "event", "name": "Begin", "role": "start"}, {"id": "step:nest", "kind": "step", "name": "nest", "role": "step", "num_workers": 4, "line": 83}, {"id": "event:StopEvent", "kind": "event", "name": "StopEvent", "role": "stop"}], "edges": [{"source": "event:Begin", "target": "step:nest"}, {"source": "step:nest", "target": "event:StopEvent"}], "warnings": [], "routes": {"events": {"Begin": "start", "Link": "plain", "Part": "plain", "Squared": "plain"}, "takers": {"Begin": ["nest"]}, "workers": {"nest": 4}, "joins": {}, "catchers": {}, "recoveries": {}, "at_most_once": []}}','{"additionalProperties": true, "properties": {"size": {"title": "Size", "type": "integer"}, "nap": {"title": "Nap", "type": "number"}}, "required": ["size", "nap"], "title": "Begin", "type": "object"}','{}','"""Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish."""

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


class Nest(Workflow):
    """Has a chain counted by a run inside it."""

    @step
    async def nest(self, ev: Begin, chain: Workflow = Chain()) -> StopEvent:  # noqa: B008 - a default slot
        return StopEvent(result=await chain.run(size=ev.size, nap=ev.nap))
',1.79535500445220875739e+09);
INSERT INTO "worker" VALUES('w_25eafd91a7c3','worker 2',27531,1.79535500497686958312e+09,1.79535500766759967801e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "worker" VALUES('w_674fe721bfde','worker 1',27530,1.79535500530383253098e+09,1.79535500773677778249e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "workflow" VALUES('Chain','/srv/flows/elder.py','Chain','Counts to `size` in its events and in its context.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','40e86ca843b2',1.79535500445220875739e+09,NULL);
INSERT INTO "workflow" VALUES('Fan','/srv/flows/elder.py','Fan','Adds the squares of 0 .. size-1, worked out in parallel.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','40e86ca843b2',1.79535500445220875739e+09,NULL);
INSERT INTO "workflow" VALUES('Ask','/srv/flows/elder.py','Ask','Asks for a number and returns the next one.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','40e86ca843b2',1.79535500445220875739e+09,NULL);
INSERT INTO "workflow" VALUES('Nest','/srv/flows/elder.py','Nest','Has a chain counted by a run inside it.

Workflows whose runs an older Treadle has begun, recorded in old/*.sql, for this one to finish.','40e86ca843b2',1.79535500445220875739e+09,NULL);
