// Read streams with every client that reads this API from JavaScript; print one JSON object of what came.
// Arguments: the client's name, and the server's address.

const [client, url] = process.argv.slice(2);
const model = "gemini-3-flash-preview";
const questions = { lines: "ends of lines", whole: "tell me a story", broken: "break off" };

const clients = {
  async genai() {
    const { GoogleGenAI } = await import("@google/genai");
    const { models } = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url } });
    return async function* (contents) {
      for await (const piece of await models.generateContentStream({ model, contents })) {
        yield piece.text;
      }
    };
  },
  async legacy() {
    const { GoogleGenerativeAI } = await import("@google/generative-ai");
    const talker = new GoogleGenerativeAI("any").getGenerativeModel({ model }, { baseUrl: url });
    return async function* (contents) {
      const { stream } = await talker.generateContentStream(contents);
      for await (const piece of stream) {
        yield piece.text();
      }
    };
  },
  async langchain() {
    const { ChatGoogleGenerativeAI } = await import("@langchain/google-genai");
    const talker = new ChatGoogleGenerativeAI({ model, apiKey: "any", baseUrl: url, maxRetries: 0 });
    return async function* (contents) {
      for await (const piece of await talker.stream(contents)) {
        yield piece.content;
      }
    };
  },
  async ai() {
    const { streamText } = await import("ai");
    const { createGoogleGenerativeAI } = await import("@ai-sdk/google");
    const google = createGoogleGenerativeAI({ apiKey: "any", baseURL: `${url}/v1beta` });
    return async function* (prompt) {
      const { fullStream } = streamText({ model: google(model), prompt, maxRetries: 0, onError() {} });
      for await (const part of fullStream) {
        if (part.type === "error") {
          throw part.error;
        }
        if (part.type === "text-delta") {
          yield part.text;
        }
      }
    };
  },
};

async function read(pieces) {
  const seen = { pieces: [], error: null };
  try {
    for await (const piece of pieces) {
      seen.pieces.push(piece);
    }
  } catch (error) {
    seen.error = `${error.name}: ${error.message}`;
  }
  return seen;
}

// A client of these rejects a promise that nobody is given.
process.on("unhandledRejection", () => {});

const ask = await clients[client]();
const seen = {};
for (const [name, question] of Object.entries(questions)) {
  seen[name] = await read(ask(question));
}
console.log(JSON.stringify(seen));
