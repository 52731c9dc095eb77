// Visit an app with the types of schema.d.ts: `node visit.js ADDRESS CODE`. Prints what it saw.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

declare const process: { argv: string[] };
type ChatEvent = components["schemas"]["ChatStreamEvent"];

async function visit(address: string, code: string) {
  const visitor = createClient<paths>({ baseUrl: `${address}/api` });
  const passport = await visitor.GET("/passport", { params: { header: { "X-App-Code": code } } });
  if (!passport.data) throw new Error("no passport");
  const client = createClient<paths>({
    baseUrl: `${address}/api`,
    headers: { "X-App-Passport": passport.data.access_token },
  });
  const site = await client.GET("/site");
  if (!site.data?.site.title) throw new Error("no site");

  let text = "";
  let conversation = "";
  const stream = await client.POST("/chat-messages", {
    body: { inputs: {}, query: "Hi", response_mode: "streaming", retriever_from: "web_app" },
    parseAs: "stream",
  });
  let rest = "";
  for await (const part of stream.response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const event = JSON.parse(line.slice(6)) as ChatEvent;
      if (event.event === "message") text += event.answer;
      if (event.event === "message_end") conversation = event.conversation_id!;
    }
  }
  const again = await client.POST("/chat-messages", {
    body: {
      inputs: {},
      query: "Again",
      response_mode: "blocking",
      conversation_id: conversation,
      retriever_from: "web_app",
    },
  });
  if (again.data?.event !== "message" || again.data.answer !== text) throw new Error("another answer");

  const uploaded = await client.POST("/files/upload", {
    body: { file: "" },
    bodySerializer: () => {
      const form = new FormData();
      form.append("file", new Blob(["hello"], { type: "text/plain" }), "note.txt");
      return form;
    },
  });
  const history = await client.GET("/messages", { params: { query: { conversation_id: conversation } } });
  const before = await client.GET("/conversations");
  await client.DELETE("/conversations/{c_id}", { params: { path: { c_id: conversation } } });
  const after = await client.GET("/conversations");
  const gone = await client.GET("/messages", { params: { query: { conversation_id: conversation } } });
  return {
    answer: text,
    history: history.data?.data.map((message) => message.query),
    uploaded: uploaded.data?.name,
    conversations: before.data?.data.length,
    left: after.data?.data.length,
    error: gone.error?.code,
  };
}

const [address, code] = process.argv.slice(2);
console.log(JSON.stringify(await visit(address!, code!)));
