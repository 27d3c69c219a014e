// The documented `Part.MediaResolutionLevel` is a type only and does not exist when the program runs;
// `PartMediaResolutionLevel` is the value that the package exports.
import { GoogleGenAI, PartMediaResolutionLevel } from "@google/genai";
import * as fs from "fs";
import { Buffer } from "buffer";

const ai = new GoogleGenAI({ httpOptions: { apiVersion: "v1alpha" } });

function fileToGenerativePart(path, mimeType, mediaResolution) {
  return {
    inlineData: { data: Buffer.from(fs.readFileSync(path)).toString("base64"), mimeType },
    mediaResolution: { level: mediaResolution },
  };
}

async function run() {
  const imagePartHigh = fileToGenerativePart(
    "img.png",
    "image/png",
    PartMediaResolutionLevel.MEDIA_RESOLUTION_HIGH,
  );
  const model_name = "gemini-3-pro-preview";
  const response = await ai.models.generateContent({
    model: model_name,
    contents: ["Describe these images:", imagePartHigh],
  });
  console.log(response.text);
}
run();
