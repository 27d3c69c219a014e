// Upload with Google's client: a file in three pieces, and a video that is polled until it is ACTIVE.
import { GoogleGenAI } from "@google/genai";

const ai = new GoogleGenAI({});
const [, , large, video] = process.argv;

const pieces = await ai.files.upload({ file: large, config: { mimeType: "image/png", displayName: "Large" } });

let file = await ai.files.upload({ file: video, config: { mimeType: "video/mp4" } });
while (file.state === "PROCESSING") {
  await new Promise((resolve) => setTimeout(resolve, 100));
  file = await ai.files.get({ name: file.name });
}

const listed = [];
for await (const one of await ai.files.list({ config: { pageSize: 1 } })) {
  listed.push(one.name);
}

console.log(JSON.stringify({ pieces, video: file, listed }));
