// Runs beside the trial's node_modules: one question by one library; prints what was raised, as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , name, url, folder] = process.argv;
const require = createRequire(pathToFileURL(`${folder}/x.js`));
const load = async (id) => import(pathToFileURL(require.resolve(id)));
const key = "sk-trial";
const gpt = "gpt-5";
const claude = "claude-sonnet-4-5";
const messages = [{ role: "user", content: "hello" }];

const speakers = {
  "openai (npm)": async () => {
    const { OpenAI } = await load("openai");
    await new OpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat.completions.create({ model: gpt, messages });
  },
  "@anthropic-ai/sdk": async () => {
    const { Anthropic } = await load("@anthropic-ai/sdk");
    const client = new Anthropic({ baseURL: url, apiKey: key });
    await client.messages.create({ model: claude, max_tokens: 1000, messages });
  },
  ai: async () => {
    const { generateText } = await load("ai");
    const { createOpenAI } = await load("@ai-sdk/openai");
    const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(gpt);
    await generateText({ model, prompt: "hello" });
  },
};

try {
  await speakers[name]();
  console.log(JSON.stringify({ raised: "", text: "" }));
} catch (error) {
  console.log(JSON.stringify({ raised: error.name === "Error" ? error.constructor.name : error.name, text: error.message }));
}
