// Ask, count, stream, list and upload with Google's client; print one JSON object of what came back.
import { ApiError, GoogleGenAI, PartMediaResolutionLevel, Type, createPartFromUri } from "@google/genai";
import * as fs from "node:fs";

const ai = new GoogleGenAI({});
const model = "gemini-3-flash-preview";
const picture = {
  inlineData: { mimeType: "image/png", data: fs.readFileSync(process.argv[2]).toString("base64") },
  mediaResolution: { level: PartMediaResolutionLevel.MEDIA_RESOLUTION_LOW },
};

async function failure(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { isApiError: error instanceof ApiError, status: error.status, message: error.message };
  }
}

const answer = await ai.models.generateContent({ model, contents: [picture, "Hello"] });

const counted = await ai.models.countTokens({ model, contents: [picture, "Hello"] });

const pieces = [];
for await (const piece of await ai.models.generateContentStream({ model, contents: "tell me a story" })) {
  pieces.push({ text: piece.text, finish: piece.candidates[0].finishReason ?? null });
}

const broken = [];
const breaking = failure(
  (async () => {
    for await (const piece of await ai.models.generateContentStream({ model, contents: "break off" })) {
      broken.push(piece.text);
    }
  })(),
);

const names = [];
for await (const listed of await ai.models.list({ config: { pageSize: 2 } })) {
  names.push(listed.name);
}

const file = await ai.files.upload({ file: process.argv[2], config: { mimeType: "image/png" } });
const found = await ai.files.get({ name: file.name });
const about = await ai.models.generateContent({
  model,
  contents: [createPartFromUri(file.uri, file.mimeType), "Hello"],
});
await ai.files.delete({ name: file.name });

const book = await ai.models.generateContent({
  model,
  contents: "Which book is this?",
  config: {
    responseMimeType: "application/json",
    responseSchema: {
      type: Type.OBJECT,
      properties: { title: { type: Type.STRING }, pages: { type: Type.INTEGER } },
    },
  },
});

const chat = ai.chats.create({ model });
await chat.sendMessage({ message: [picture, "Hello"] });
const second = await chat.sendMessage({ message: "And now?" });

console.log(
  JSON.stringify({
    answer: answer.text,
    usage: answer.usageMetadata,
    counted: counted.totalTokens,
    pieces,
    broken,
    breaking: await breaking,
    names,
    file,
    found,
    about: about.text,
    deleted: await failure(ai.files.get({ name: file.name })),
    book: JSON.parse(book.text),
    second: second.text,
    unknown: await failure(ai.models.generateContent({ model: "nope", contents: "Hello" })),
    busy: await failure(ai.models.generateContent({ model, contents: "too much" })),
    wrongType: await failure(
      ai.files.upload({ file: process.argv[2], config: { mimeType: "bad/mime_type" } }),
    ),
  }),
);
