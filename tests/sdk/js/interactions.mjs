// Create, stream, poll, cancel, resume and chain interactions; print one JSON object of what came back.
import { GoogleGenAI } from "@google/genai";
import * as fs from "node:fs";

const { interactions } = new GoogleGenAI({});
const model = "gemini-3-flash-preview";
const picture = {
  type: "image",
  data: fs.readFileSync(process.argv[2]).toString("base64"),
  mime_type: "image/png",
  resolution: "low",
};

async function failure(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.status, message: error.message };
  }
}

async function follow(stream, until = Infinity) {
  const events = [];
  for await (const event of stream) {
    events.push(event);
    if (events.filter((seen) => seen.event_type === "step.delta").length === until) {
      break;
    }
  }
  return events;
}

async function poll(id) {
  const found = await interactions.get(id);
  if (!["queued", "in_progress"].includes(found.status)) {
    return found;
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  return poll(id);
}

const answer = await interactions.create({ model, input: [{ type: "text", text: "Hello" }, picture] });
const found = await interactions.get(answer.id, { include_input: true });

const story = await follow(await interactions.create({ model, input: "tell me a story", stream: true }));
const replay = await follow(
  await interactions.get(story[0].interaction.id, { stream: true, last_event_id: story[2].event_id }),
);

const before = await follow(await interactions.create({ model, input: "count slowly", stream: true }), 2);
const after = await follow(
  await interactions.get(before[0].interaction.id, { stream: true, last_event_id: before.at(-1).event_id }),
);

const begun = await interactions.create({ model, input: "count slowly", background: true });
const polled = await poll(begun.id);

const endless = await interactions.create({ model, input: "for ever", background: true });
const cancelled = await interactions.cancel(endless.id);

const turns = [answer];
for (const input of ["And now?", "And then?", "And after that?", "And at last?"]) {
  turns.push(await interactions.create({ model, input, previous_interaction_id: turns.at(-1).id }));
}

const tools = [
  {
    type: "function",
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
];
const asked = await interactions.create({ model, input: "What is the weather in Paris?", tools });
const call = asked.steps.at(-1);
const told = await interactions.create({
  model,
  input: [{ type: "function_result", call_id: call.id, name: call.name, result: { sky: "blue" } }],
  previous_interaction_id: asked.id,
  tools,
});

const doomed = await interactions.create({ model, input: "Hello" });
await interactions.delete(doomed.id);

console.log(
  JSON.stringify({
    answer,
    found,
    story,
    replay,
    before,
    after,
    begun,
    polled,
    endless,
    cancelled,
    turns,
    asked,
    told,
    again: await interactions.create({ model, input: "try again, JavaScript" }),
    broken: await follow(await interactions.create({ model, input: "break off", stream: true })),
    deleted: await failure(interactions.get(doomed.id)),
    unknown: await failure(interactions.create({ model, input: "Hello", previous_interaction_id: "v1_nowhere" })),
    tooLate: await failure(interactions.cancel(answer.id)),
    huge: await failure(interactions.create({ model, input: [{ ...picture, resolution: "huge" }] })),
  }),
);
